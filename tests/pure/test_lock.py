"""The pinned dependencies: whole, hashed, and such as pyproject.toml allows."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / ".github" / "requirements.txt").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BUILD = PROJECT["build-system"]["requires"]
AGAIN = "run make lock"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = ("linux", "darwin")


def entries() -> Iterator[tuple[Requirement, list[str]]]:
    """Each pin and its hashes."""
    for entry in LOCK.replace("\\\n", " ").splitlines():
        if not re.match(r"\s*(#|$)", entry):
            pin, *hashes = entry.split(" --hash=")
            yield Requirement(pin.strip()), [text.strip() for text in hashes]


PINS = {canonicalize_name(pin.name): pin for pin, _hashes in entries()}


def pinned(name: str) -> str:
    """The one version of a package."""
    (only,) = PINS[canonicalize_name(name)].specifier
    assert only.operator == "=="
    return only.version


@pytest.mark.parametrize("wanted", [*PROJECT["project"]["dependencies"], *BUILD])
def test_what_is_pinned_satisfies_the_project(wanted: str) -> None:
    requirement = Requirement(wanted)
    assert canonicalize_name(requirement.name) in PINS, AGAIN
    assert requirement.specifier.contains(pinned(requirement.name)), AGAIN
    assert PINS[canonicalize_name(requirement.name)].marker is None


def test_what_builds_the_wheel_is_pinned_as_well() -> None:
    assert PROJECT["dependency-groups"]["build"] == BUILD


@pytest.mark.parametrize("name", sorted(PINS))
def test_what_a_pin_needs_is_pinned(name: str) -> None:
    try:
        if version(name) != pinned(name):
            pytest.skip("another version is installed here")
    except PackageNotFoundError:
        pytest.skip("it is not installed here")
    for needed in map(Requirement, requires(name) or []):
        for python in PYTHONS:
            for system in SYSTEMS:
                environment = {"python_version": python, "sys_platform": system, "extra": ""}
                environment |= {"python_full_version": f"{python}.0"}
                if needed.marker is None or needed.marker.evaluate(environment):
                    assert canonicalize_name(needed.name) in PINS, AGAIN
                    assert needed.specifier.contains(pinned(needed.name)), AGAIN


def test_every_pin_has_hashes() -> None:
    found = {pin.name: hashes for pin, hashes in entries()}
    assert len(found) > len(PROJECT["project"]["dependencies"])
    for name, hashes in found.items():
        assert hashes, name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", text) for text in hashes), name


def test_no_address_of_an_index_is_recorded() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK
    assert "--extra-index" not in LOCK
    assert "--find-links" not in LOCK
