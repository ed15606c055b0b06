"""The workflows, the action and GitLab's pipeline, checked by other programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pure.cli.test_workflow import (
    ACTIONS,
    GITHUB,
    GITLAB,
    ONBOARD,
    ROOT,
    WORKFLOWS,
    everywhere,
)
from tests.support.actions import loaded
from tests.support.process import HANG


def checked(schema: str, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            schema,
            *options,
            str(file),
        ],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )


@pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS], ids=lambda file: file.name)
def test_workflows_and_actions_fit_githubs_schemas(file: Path) -> None:
    schema = "vendor.github-actions" if file in ACTIONS else "vendor.github-workflows"
    ended = checked(schema, file)
    assert ended.returncode == 0, ended.stdout


def test_dependabots_configuration_fits_its_schema() -> None:
    ended = checked("vendor.dependabot", GITHUB / "dependabot.yml")
    assert ended.returncode == 0, ended.stdout
    updates = loaded(GITHUB / "dependabot.yml")["updates"]
    watched = {folder for update in updates for folder in update["directories"]}
    for file in ACTIONS:
        assert f"/{file.parent.relative_to(ROOT)}" in watched


def test_the_schema_finds_mistakes(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(
        ONBOARD.read_text(encoding="utf-8").replace("runs-on:", "run-on:"), encoding="utf-8"
    )
    assert checked("vendor.github-workflows", broken).returncode != 0


def audited(folder: Path) -> subprocess.CompletedProcess[str]:
    zizmor = str(Path(sys.executable).with_name("zizmor"))
    return subprocess.run(
        [zizmor, "--offline", "--quiet", "--no-progress", str(folder)],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )


def test_zizmor_is_content() -> None:
    ended = audited(GITHUB.parent)
    assert ended.returncode == 0, ended.stdout


def test_zizmor_finds_mistakes(tmp_path: Path) -> None:
    broken = tmp_path / "action.yml"
    sound = ACTIONS[0].read_text(encoding="utf-8")
    unsound = sound.replace("case $COMMAND", "case ${{ inputs.command }}")
    broken.write_text(unsound, encoding="utf-8")
    ended = audited(broken)
    assert ended.returncode != 0
    assert "template-injection" in ended.stdout


def test_scripts_are_valid_shell() -> None:
    for step in everywhere():
        if "run" in step:
            ended = subprocess.run(
                ["bash", "-n"],
                input=step["run"],
                capture_output=True,
                text=True,
                timeout=HANG,
                check=False,
            )
            assert ended.returncode == 0, ended.stderr


def test_gitlabs_pipeline_fits_its_schema(tmp_path: Path) -> None:
    ended = checked("vendor.gitlab-ci", GITLAB, "--data-transform", "gitlab-ci")
    assert ended.returncode == 0, ended.stdout
    broken = tmp_path / ".gitlab-ci.yml"
    broken.write_text(GITLAB.read_text("utf-8").replace("when: always", "when: ever"), "utf-8")
    assert checked("vendor.gitlab-ci", broken, "--data-transform", "gitlab-ci").returncode != 0
