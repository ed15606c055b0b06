"""Print the software bill of materials of a release: CycloneDX, made from the lock file.

`python .github/sbom.py 1.2.3`. What only builds the wheel is in the lock file, and not in here.
The format: https://cyclonedx.org/docs/1.6/json/.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCK = ROOT / ".github" / "requirements.txt"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SELF = f"{PROJECT['name']} (pyproject.toml)"
_PIN = re.compile(r"^([\w.-]+)==([^\s;]+)( ; .+)?$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """A package of the lock file; `via` names those who need it."""

    name: str
    version: str
    everywhere: bool
    hashes: tuple[str, ...]
    via: frozenset[str]

    @property
    def purl(self) -> str:
        """Its address, as https://github.com/package-url/purl-spec has it."""
        return f"pkg:pypi/{self.name}@{self.version}"


def pins(lock: str) -> list[Pin]:
    """All packages of a lock file, as `uv pip compile` writes it."""
    found = []
    for entry in re.split(r"\n(?=\w)", lock)[1:]:
        first, *rest = (line.strip() for line in entry.replace("\\\n", "\n").splitlines())
        named = _PIN.match(first)
        if named is None:
            raise ValueError(first)
        comments = [line.lstrip("# ").removeprefix("via").strip() for line in rest if "#" in line]
        found.append(
            Pin(
                name=named[1],
                version=named[2],
                everywhere=named[3] is None,
                hashes=tuple(re.findall(r"--hash=sha256:(\w+)", entry)),
                via=frozenset(filter(None, comments)),
            )
        )
    return found


def needed(found: list[Pin]) -> list[Pin]:
    """Those that the program itself needs, directly or not."""
    names = {SELF}
    while more := {pin.name for pin in found if pin.via & names} - names:
        names |= more
    return [pin for pin in found if pin.name in names]


def component(pin: Pin) -> dict[str, Any]:
    """A package; without an address of an index, where it comes from is each user's own setting."""
    hashes = [{"alg": "SHA-256", "content": digest} for digest in pin.hashes]
    return {
        "type": "library",
        "bom-ref": pin.purl,
        "name": pin.name,
        "version": pin.version,
        "purl": pin.purl,
        "scope": "required" if pin.everywhere else "optional",
        "externalReferences": [{"type": "distribution", "url": pin.purl, "hashes": hashes}],
    }


def bill(lock: str, version: str) -> dict[str, Any]:
    """The whole document."""
    found = needed(pins(lock))
    root = {
        "type": "application",
        "bom-ref": "onboard",
        "name": PROJECT["name"],
        "version": version,
        "description": PROJECT["description"],
        "licenses": [{"license": {"id": PROJECT["license"]}}],
        "purl": f"pkg:pypi/{PROJECT['name']}@{version}",
    }
    needs = {SELF: "onboard", **{pin.name: pin.purl for pin in found}}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": root},
        "components": [component(pin) for pin in found],
        "dependencies": [
            {"ref": ref, "dependsOn": [pin.purl for pin in found if name in pin.via]}
            for name, ref in needs.items()
        ],
    }


if __name__ == "__main__":
    print(json.dumps(bill(LOCK.read_text(encoding="utf-8"), sys.argv[1]), indent=2))
