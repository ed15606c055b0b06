# Python 3.11 or newer, pip, make and git are all that a machine needs.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := cloudcraft_onboard tests .github
# Four test processes a core: many tests wait for real time. No more than 24: each has servers of its own.
WORKERS ?= $(shell n=$$(expr $$(getconf _NPROCESSORS_ONLN) \* 4); [ $$n -lt 24 ] && echo $$n || echo 24)

# Programs that tests start, and the next run of the tests, need not compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
SEEDS ?= 20000

.PHONY: help demo quick check pure test collect newest simulate lint format bench schema lock audit pictures clean

help: ## Show what make can do
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

# One sandbox for both commands: the plan shows that a second run writes nothing.
demo: .venv/demo.stamp ## Onboard manifests/demo.yaml on the embedded local AWS and Cloudcraft
	@$(BIN)/onboard sandbox manifests/demo.yaml > .venv/sandbox.env 2> .venv/sandbox.log & sandbox=$$!; \
	trap 'kill $$sandbox 2> /dev/null; wait $$sandbox' EXIT; trap 'exit 130' INT TERM; \
	until grep -q 'is up' .venv/sandbox.log; do \
		kill -0 $$sandbox 2> /dev/null || { cat .venv/sandbox.log; exit 1; }; sleep 0.2; done; \
	. .venv/sandbox.env; PATH="$$PWD/$(BIN):$$PATH"; \
	for command in run plan; do \
		printf '\n$$ onboard %s manifests/demo.yaml\n' $$command; \
		onboard $$command manifests/demo.yaml || exit; done
	@printf '\nTo have onboard on your PATH: source .venv/bin/activate\nTry next:\n'
	@printf '  %-51s  # %s\n' \
		'onboard run manifests/trouble.yaml --sandbox' 'accounts that fail for different reasons' \
		'onboard status manifests/demo.yaml --sandbox' 'where accounts stand before a run' \
		'onboard sandbox manifests/demo.yaml > sandbox.env &' 'one that stays: source sandbox.env' \
		'onboard init --organization -f org.yaml' 'a manifest for your own accounts'

# What the whole suite needs is enough for this, too.
quick: $(if $(wildcard .venv/test.stamp),.venv/test.stamp,.venv/quick.stamp) ## Check style and run the pure tests, in seconds
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/python -m pytest --quiet -n auto --hypothesis-profile=quick tests/pure

check: .venv/test.stamp ## Lint, types and the pure tests, side by side
	@$(MAKE) --no-print-directory --jobs=2 lint pure

pure: .venv/test.stamp
	$(BIN)/python -m pytest --quiet -n auto tests/pure

suite = $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

test: .venv/test.stamp ## Run the whole test suite
	$(suite)

# What pytest makes of the tests' assertions, kept for all processes of a clean checkout's first run.
collect: .venv/test.stamp
	@$(BIN)/python -m pytest --collect-only --quiet > /dev/null

# What the sandbox pins comes back with the next make.
newest: .venv/test.stamp ## Run it with the newest release of each dependency and many more examples
	@rm .venv/test.stamp
	$(BIN)/python -m pip install --quiet --upgrade --upgrade-strategy eager --editable .
	$(suite) --hypothesis-profile=weekly

simulate: .venv/test.stamp ## Live through SEEDS simulated worlds (20000 if not given)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

lint: .venv/test.stamp ## Check style (ruff), types (mypy strict), workflows (zizmor) and pinned dependencies
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/zizmor --offline --quiet .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/pure/test_lock.py

format: .venv/test.stamp ## Format the code
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: .venv/bench.stamp ## Measure pace, start, CPU and memory beside the alternatives: a table of ratios
	$(BIN)/python -m tests.bench

schema: .venv/demo.stamp ## Write the manifest's JSON Schema anew
	$(BIN)/onboard schema > manifests/onboard.schema.json

# Without an index address: where packages come from is each user's own setting.
lock: .venv/lock.stamp ## Pin the newest dependencies, with hashes, in .github/requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --group build \
		--generate-hashes --no-emit-index-url --custom-compile-command 'make lock' \
		--output-file .github/requirements.txt pyproject.toml

audit: .venv/audit.stamp ## Look the pinned dependencies up among known vulnerabilities
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement .github/requirements.txt

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

.venv/quick.stamp: pyproject.toml .venv/bin/python
	$(call install,'.[quick]')
	@touch $@

.venv/test.stamp: pyproject.toml .venv/bin/python
	$(call install,'.[test]' ministack)
	@touch $@

.venv/bench.stamp: pyproject.toml .venv/bin/python
	$(call install,'.[bench]' ministack)
	@touch $@

.venv/lock.stamp: pyproject.toml .venv/bin/python
	$(call install,'.[lock]')
	@touch $@

.venv/audit.stamp: pyproject.toml .venv/bin/python
	$(call install,'.[audit]')
	@touch $@

.venv/pictures.stamp: pyproject.toml .venv/bin/python
	$(call install,'.[pictures]' ministack)
	@touch $@
