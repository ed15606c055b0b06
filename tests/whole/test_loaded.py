"""What is imported when: only what is needed, since each start waits for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import HANG

TESTS = Path(__file__).parents[1]
HEAVY = {"botocore", "boto3", "httpx", "ministack"}


def modules_loaded_by(program: str) -> set[str]:
    program += "\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)\n"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=HANG
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_no_heavy_library(option: str) -> None:
    loaded = modules_loaded_by(
        "import sys\n"
        f"sys.argv = ['onboard', {option!r}]\n"
        "from cloudcraft_onboard.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
    )
    assert "cloudcraft_onboard.cli.main" in loaded
    assert not loaded & {*HEAVY, "pydantic", "yaml"}


def test_pure_tests_import_neither_sdk_nor_http_client() -> None:
    names = [
        ".".join(path.relative_to(TESTS.parent).with_suffix("").parts)
        for path in sorted((TESTS / "pure").rglob("*.py"))
    ]
    assert len(names) > 40  # about as many as there are
    loaded = modules_loaded_by("\n".join(f"import {name}" for name in names))
    assert set(names) <= loaded
    assert not loaded & HEAVY
