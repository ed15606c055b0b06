# Python 3.11 or newer, pip, make and git are all that a machine needs.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := cloudcraft_onboard tests
# One test process more than there are cores: many tests wait for real time.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.DEFAULT_GOAL := help
SEEDS ?= 20000

.PHONY: help demo check test simulate lint format bench schema lock pictures clean

help: ## Show what make can do
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: .venv/demo.stamp ## Onboard manifests/demo.yaml on the embedded local AWS and Cloudcraft
	$(BIN)/onboard run manifests/demo.yaml --sandbox
	@echo 'First, to have onboard on your PATH: source .venv/bin/activate'

check: lint ## Lint, types and the pure tests
	$(BIN)/python -m pytest --quiet -n auto tests/pure

test: .venv/test.stamp ## Run the whole test suite
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

simulate: .venv/test.stamp ## Live through SEEDS simulated worlds (20000 if not given)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

lint: .venv/test.stamp ## Check style (ruff), types (mypy strict) and the pinned dependencies
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/pure/test_lock.py

format: .venv/test.stamp ## Format the code
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

# A missed aim is printed, and no reason to keep the other benchmark from running.
bench: .venv/bench.stamp ## Measure pace, CPU and memory, side by side with the alternatives
	-$(BIN)/python -m tests.bench.pace
	-$(BIN)/python -m tests.bench.aws
	-$(BIN)/python -m tests.bench.concurrency

schema: .venv/demo.stamp ## Write the manifest's JSON Schema anew
	$(BIN)/onboard schema > manifests/onboard.schema.json

# Without an index address: where packages come from is each user's own setting.
lock: .venv/lock.stamp ## Pin the newest dependencies, with hashes, in .github/requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --group build \
		--generate-hashes --no-emit-index-url --custom-compile-command 'make lock' \
		--output-file .github/requirements.txt pyproject.toml

pictures: .venv/pictures.stamp ## Make the README's pictures anew (needs Chromium)
	$(BIN)/python -m tests.pictures

clean: ## Remove what make installed
	rm -rf .venv

# A venv that another Python than the one asked for made is made anew.
ifneq ($(origin PYTHON),file)
ifeq ($(filter $(lastword $(shell $(PYTHON) -V)),$(shell cat .venv/pyvenv.cfg 2>/dev/null)),)
.PHONY: .venv/bin/python
endif
endif

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "onboard needs Python 3.11 or newer; run make PYTHON=python3.11")'
	$(PYTHON) -m venv --clear .venv

# ministack pins one botocore: told of it first, pip doesn't try every boto3 in turn. And Python
# compiles on all cores what pip would compile on one (nothing is lost where it can't).
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable $(1) \
	&& { $(BIN)/python -m compileall -qq -j 0 .venv/lib || true; }

# A stamp is newer than pyproject.toml once its extra is installed, so nothing is installed twice.
.venv/demo.stamp: pyproject.toml .venv/bin/python
	$(call install,'.[sandbox]' ministack)
	@touch $@

.venv/test.stamp: pyproject.toml .venv/bin/python
	$(call install,'.[test]' ministack)
	@touch $@

.venv/bench.stamp: pyproject.toml .venv/bin/python
	$(call install,'.[test,bench]' ministack)
	@touch $@

.venv/lock.stamp: pyproject.toml .venv/bin/python
	$(call install,'.[lock]')
	@touch $@

.venv/pictures.stamp: pyproject.toml .venv/bin/python
	$(call install,'.[pictures]' ministack)
	@touch $@
