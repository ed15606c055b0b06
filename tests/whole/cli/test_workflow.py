"""The workflows, the action and the README's examples, checked by other programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.pure.cli.test_workflow import (
    ACTIONS,
    GITHUB,
    ONBOARD,
    ROOT,
    WORKFLOWS,
    everywhere,
    gitlab_example,
    parse,
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


def test_the_readmes_gitlab_example_is_valid(tmp_path: Path) -> None:
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(gitlab_example(), encoding="utf-8")
    ended = checked("vendor.gitlab-ci", file, "--data-transform", "gitlab-ci")
    assert ended.returncode == 0, ended.stdout
    jobs = yaml.safe_load(gitlab_example())
    for name in ("plan", "run", "status"):
        for line in jobs[name]["script"]:
            parse(line)
