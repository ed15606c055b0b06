"""What the release workflow builds: its own script, on a copy of the sources."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from cloudcraft_onboard import __version__
from tests.pure.test_lock import PINS, PROJECT, pinned
from tests.support.actions import loaded
from tests.support.process import HANG

ROOT = Path(__file__).parents[2]
RELEASE = ROOT / ".github" / "workflows" / "release.yml"
NOT_SOURCES = shutil.ignore_patterns(".git", ".*cache", ".venv", "__pycache__", ".hypothesis")
UNRELEASED = f"## {__version__} - unreleased"


def script() -> str:
    """The step that builds, without what it installs."""
    steps = loaded(RELEASE)["jobs"]["build"]["steps"]
    (build,) = [step["run"] for step in steps if step.get("name") == "Build"]
    lines = [line for line in build.splitlines() if "pip install" not in line]
    assert len(lines) == len(build.splitlines()) - 1
    return "\n".join(lines)


def build(folder: Path, *, released: bool) -> subprocess.CompletedProcess[str]:
    """Run the step in a copy of the sources, for the tag of this version."""
    shutil.copytree(ROOT, folder, ignore=NOT_SOURCES)
    if released:
        changelog = folder / "CHANGELOG.md"
        text = changelog.read_text(encoding="utf-8")
        dated = text.replace(UNRELEASED, f"## {__version__} - 2026-11-26")
        changelog.write_text(dated, encoding="utf-8")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script()],
        cwd=folder,
        env={**os.environ, "PATH": path, "GITHUB_REF_NAME": f"v{__version__}"},
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    wheel: Path
    source: Path
    bill: Path
    notes: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("release") / "sources"
    ended = build(folder, released=True)
    assert ended.returncode == 0, ended.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    (source,) = (folder / "dist").glob("*.tar.gz")
    (bill,) = (folder / "release").glob("*.cdx.json")
    return Built(wheel=wheel, source=source, bill=bill, notes=folder / "release" / "notes.md")


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files, as pip would lay them."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(built.wheel) as wheel:
        wheel.extractall(folder)
    return folder


def onboard(installed: Path, *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "cloudcraft_onboard", *arguments],
        cwd=installed.parent,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=HANG,
        check=True,
    )
    return ended.stdout


def test_the_wheel_is_the_program(installed: Path) -> None:
    assert onboard(installed, "--version") == f"onboard {__version__}\n"
    schema = (ROOT / "manifests" / "onboard.schema.json").read_text(encoding="utf-8")
    assert onboard(installed, "schema") == schema
    demo = str(ROOT / "manifests" / "demo.yaml")
    assert "valid" in onboard(installed, "validate", demo)
    assert "usage" in onboard(installed, "run", "--help").casefold()


def test_the_wheel_has_the_package_alone_with_its_data_and_both_programs(installed: Path) -> None:
    (metadata,) = installed.glob("*.dist-info")
    assert {path.name for path in installed.iterdir()} == {"cloudcraft_onboard", metadata.name}
    programs = (metadata / "entry_points.txt").read_text(encoding="utf-8")
    assert re.findall(r"^([\w-]+) =", programs, re.MULTILINE) == ["cloudcraft-onboard", "onboard"]
    assert (metadata / "licenses" / "LICENSE").is_file()
    package = ROOT / "cloudcraft_onboard"
    sources = {path.relative_to(package) for path in package.rglob("*") if path.is_file()}
    there = installed / "cloudcraft_onboard"
    packed = {path.relative_to(there) for path in there.rglob("*") if path.is_file()}
    compiled = {path for path in sources | packed if path.suffix == ".pyc"}
    assert packed - compiled == sources - compiled


def test_the_source_distribution_builds_the_same_wheel(built: Built, tmp_path: Path) -> None:
    with tarfile.open(built.source) as source:
        source.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel"],
        cwd=folder,
        capture_output=True,
        timeout=HANG,
        check=True,
    )
    (again,) = (folder / "dist").glob("*.whl")
    assert hashes(again) == hashes(built.wheel)


def hashes(wheel: Path) -> dict[str, int]:
    with zipfile.ZipFile(wheel) as files:
        return {file.filename: file.CRC for file in files.infolist()}


def test_the_bill_of_materials_is_valid_cyclonedx(built: Built) -> None:
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(built.bill.read_text("utf-8"))
    assert wrong is None, wrong


def test_the_bill_of_materials_has_all_that_is_needed_and_nothing_else(built: Built) -> None:
    bill: dict[str, Any] = json.loads(built.bill.read_text(encoding="utf-8"))
    root = bill["metadata"]["component"]
    assert (root["name"], root["version"]) == (PROJECT["project"]["name"], __version__)
    versions = {each["name"]: each["version"] for each in bill["components"]}
    assert versions == {name: pinned(name) for name in versions}
    assert set(PINS) - set(versions) >= {"hatchling", "trove-classifiers"}, "they only build it"
    needs = {each["ref"]: each["dependsOn"] for each in bill["dependencies"]}
    direct = {re.split(r"[^\w.-]", wanted)[0] for wanted in PROJECT["project"]["dependencies"]}
    assert {purl.split("/")[1].split("@")[0] for purl in needs[root["bom-ref"]]} == direct
    reached: set[str] = set()
    todo = [root["bom-ref"]]
    while todo:
        for purl in needs[todo.pop()]:
            todo += [] if purl in reached else [purl]
            reached.add(purl)
    assert reached == {each["purl"] for each in bill["components"]}
    for each in bill["components"]:
        (distribution,) = each["externalReferences"]
        assert distribution["hashes"], each["name"]
        assert distribution["url"].startswith("pkg:pypi/"), "no address of an index"


def test_the_notes_are_the_changelogs_and_need_a_date(built: Built, tmp_path: Path) -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert built.notes.read_text(encoding="utf-8").strip() in changelog
    if UNRELEASED in changelog:
        assert build(tmp_path / "sources", released=False).returncode != 0
