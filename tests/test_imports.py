"""The house rules of who may import whom, kept by reading the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cloudcraft_onboard
from tests.support.process import HANG

PACKAGE = "cloudcraft_onboard"
ROOT = Path(cloudcraft_onboard.__file__).parent
WORDS = {"model", "events", "errors", "redact", "harmless", "encoding", "status"}

# What each room may import of the package, besides itself and the words.
MAY_IMPORT: dict[str, set[str]] = {
    "model": set(),
    "events": set(),
    "errors": set(),
    "redact": set(),
    "harmless": set(),
    "encoding": set(),
    "status": set(),
    "interrupts": set(),
    "streams": set(),
    "files": set(),
    "settings": {"cloudcraft"},
    "manifest": {"files"},
    "plan": set(),
    "aws": {"plan"},
    "cloudcraft": set(),
    "accounts": {"plan"},
    "engine": {"accounts", "plan"},
    "show": {"files"},
    "sandbox": {"plan", "files", "settings"},
    "app": {
        "accounts",
        "aws",
        "cloudcraft",
        "engine",
        "files",
        "manifest",
        "plan",
        "sandbox",
        "settings",
        "show",
        "interrupts",
        "streams",
    },
    "cli": {"app", "interrupts", "manifest", "sandbox", "settings", "streams"},
    "__main__": {"cli", "interrupts", "manifest", "show", "streams"},
    "__init__": set(),
}
# Words know nobody but each other, in this order.
WORD_ORDER = {
    "model": set(),
    "redact": set(),
    "encoding": set(),
    "harmless": {"encoding"},
    "errors": {"model"},
    "events": {"model"},
    "status": {"model"},
}


def room_of(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imported_rooms(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            module = node.module or ""
            if module == PACKAGE:
                yield from (alias.name for alias in node.names if alias.name != "__version__")
            elif module.startswith(PACKAGE + "."):
                yield module.split(".")[1]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith(PACKAGE + "."):
                    yield alias.name.split(".")[1]


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[str(f.relative_to(ROOT)) for f in FILES])
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    allowed = WORD_ORDER[room] if room in WORD_ORDER else MAY_IMPORT[room] | WORDS
    assert set(imported_rooms(path)) - {room} <= allowed


def test_every_room_has_a_rule() -> None:
    assert {room_of(path) for path in FILES} <= set(MAY_IMPORT)


def modules_loaded_by(*arguments: str) -> set[str]:
    program = (
        "import sys\n"
        f"sys.argv = ['onboard', *{list(arguments)!r}]\n"
        "from cloudcraft_onboard.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=HANG
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_no_heavy_library(option: str) -> None:
    loaded = modules_loaded_by(option)
    assert "cloudcraft_onboard.cli.main" in loaded
    assert not loaded & {"botocore", "boto3", "httpx", "pydantic", "yaml", "ministack"}
