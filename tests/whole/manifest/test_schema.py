"""The JSON Schema in the hands of another program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.process import HANG

MANIFESTS = Path(__file__).parents[3] / "manifests"


def test_check_jsonschema_takes_schema_and_examples() -> None:
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--schemafile", str(MANIFESTS / "onboard.schema.json")),
            *(str(MANIFESTS / f"{name}.yaml") for name in ("demo", "org", "trouble")),
        ],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
