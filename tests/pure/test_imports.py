"""The house rules of who may import whom, kept by reading the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import cloudcraft_onboard

PACKAGE = "cloudcraft_onboard"
ROOT = Path(cloudcraft_onboard.__file__).parent
WORDS = {
    "frozen",
    "blame",
    "defaults",
    "model",
    "events",
    "errors",
    "installation",
    "console.redact",
    "console.harmless",
    "console.encoding",
}

# What each room may import of the package, besides itself and the words.
MAY_IMPORT: dict[str, set[str]] = {
    "frozen": set(),
    "blame": set(),
    "defaults": set(),
    "model": set(),
    "events": set(),
    "errors": set(),
    "installation": set(),
    "console.redact": {"console.harmless"},
    "console.harmless": set(),
    "console.encoding": set(),
    "coverage": {"plan"},
    "console.interrupts": set(),
    "console.terminal": {"console.interrupts", "console.streams"},
    "console.prose": set(),
    "console.streams": set(),
    "console.files": set(),
    "settings": {"cloudcraft"},
    "console.children": set(),
    "manifest": {"console.children", "console.files"},
    "plan": set(),
    "aws": {"console.children", "plan"},
    "sources": {"aws", "manifest"},
    "cloudcraft": set(),
    "accounts": {"plan"},
    "engine": {"accounts", "plan"},
    "show": {"coverage", "console.files", "console.prose", "console.streams", "console.terminal"},
    "sandbox": {"plan", "console.files", "settings"},
    "app": {
        "accounts",
        "aws",
        "cloudcraft",
        "coverage",
        "engine",
        "console.files",
        "manifest",
        "plan",
        "sandbox",
        "settings",
        "show",
        "sources",
        "console.interrupts",
        "console.prose",
        "console.streams",
    },
    "cli": {
        "app",
        "console.interrupts",
        "manifest",
        "sandbox",
        "settings",
        "sources",
        "console.streams",
    },
    "__main__": {
        "cli",
        "console.interrupts",
        "console.prose",
        "console.streams",
        "manifest",
        "show",
    },
    "__init__": set(),
    "console.__init__": set(),
}
# Words know nobody but each other, in this order.
WORD_ORDER = {
    "frozen": set(),
    "blame": {"frozen"},
    "defaults": set(),
    "model": {"blame", "frozen"},
    "console.redact": {"console.harmless"},
    "console.encoding": set(),
    "console.harmless": set(),
    "errors": {"blame", "frozen", "model"},
    "installation": {"frozen"},
    "events": {"frozen", "model"},
}


def room_of(path: Path) -> str:
    return room(path.relative_to(ROOT).with_suffix("").parts)


def room(parts: Sequence[str]) -> str:
    """A module's room; each module of `console` has a rule of its own."""
    return ".".join(parts[:2]) if parts[0] == "console" else parts[0]


def imported_rooms(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            module = node.module or ""
            names = [alias.name for alias in node.names]
            if module == PACKAGE:
                yield from (name for name in names if name != "__version__")
            elif module == f"{PACKAGE}.console":
                yield from (f"console.{name}" for name in names)
            elif module.startswith(PACKAGE + "."):
                yield room(module.split(".")[1:])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith(PACKAGE + "."):
                    yield room(alias.name.split(".")[1:])


FILES = sorted(ROOT.rglob("*.py"))


def forbidden(path: Path) -> set[str]:
    room = room_of(path)
    allowed = WORD_ORDER[room] if room in WORD_ORDER else MAY_IMPORT[room] | WORDS
    return set(imported_rooms(path)) - {room} - allowed


def test_imports_point_down() -> None:
    assert len(FILES) > 200
    found = {str(path.relative_to(ROOT)): forbidden(path) for path in FILES}
    assert {path: rooms for path, rooms in found.items() if rooms} == {}


def test_every_room_has_a_rule() -> None:
    assert {room_of(path) for path in FILES} <= set(MAY_IMPORT)
