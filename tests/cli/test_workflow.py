"""The workflow for GitHub Actions and the README's example for GitLab CI."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from typer.core import TyperGroup

from cloudcraft_onboard.cli.main import app

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ONBOARD = ROOT / ".github" / "workflows" / "onboard.yml"


def workflow() -> dict[str, Any]:
    # BaseLoader: "on" stays a text, where YAML 1.1 reads a truth value.
    loaded: dict[str, Any] = yaml.load(ONBOARD.read_text(encoding="utf-8"), yaml.BaseLoader)
    return loaded


def steps() -> list[tuple[str, dict[str, Any]]]:
    return [(name, step) for name, job in workflow()["jobs"].items() for step in job["steps"]]


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
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_fit_githubs_schema(file: Path) -> None:
    ended = checked("vendor.github-workflows", file)
    assert ended.returncode == 0, ended.stdout


def test_the_schema_finds_mistakes(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(
        ONBOARD.read_text(encoding="utf-8").replace("runs-on:", "run-on:"), encoding="utf-8"
    )
    assert checked("vendor.github-workflows", broken).returncode != 0


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="there is no actionlint here")
@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actionlint_is_content(file: Path) -> None:
    ended = subprocess.run(
        ["actionlint", "-no-color", file], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout


def test_pull_requests_plan_and_main_runs() -> None:
    jobs = workflow()["jobs"]
    assert set(jobs) == {"validate", "plan", "run"}
    assert "github.event_name == 'pull_request'" in jobs["validate"]["if"]
    assert (
        "github.event.pull_request.head.repo.full_name == github.repository" in jobs["plan"]["if"]
    )
    assert "github.event_name != 'pull_request'" in jobs["run"]["if"]
    assert "github.ref == 'refs/heads/main'" in jobs["run"]["if"]


def test_permissions_are_the_least() -> None:
    jobs = workflow()["jobs"]
    assert workflow()["permissions"] == {"contents": "read"}
    assert "permissions" not in jobs["validate"]
    assert jobs["plan"]["permissions"] == {
        "contents": "read",
        "id-token": "write",
        "pull-requests": "write",
    }
    assert jobs["run"]["permissions"] == {"contents": "read", "id-token": "write"}


def test_two_runs_never_overlap_and_none_is_cut_off() -> None:
    assert workflow()["jobs"]["run"]["concurrency"] == {
        "group": "onboard-run",
        "cancel-in-progress": "false",
    }


def test_a_run_ends_before_its_job() -> None:
    run = workflow()["jobs"]["run"]
    assert int(run["timeout-minutes"]) < 360, "GitHub's own limit"
    (command,) = [step["run"] for step in run["steps"] if "onboard run" in step.get("run", "")]
    assert "--time-budget 5h30m" in command


def test_reports_are_kept_whatever_happens() -> None:
    (upload,) = [step for _job, step in steps() if "upload-artifact" in step.get("uses", "")]
    assert upload["if"] == "${{ always() }}"


def test_actions_are_pinned_and_keep_no_credentials() -> None:
    for _job, step in steps():
        if "uses" in step:
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", step["uses"])
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] == "false"


def test_scripts_get_everything_through_their_environment() -> None:
    scripts = [step["run"] for _job, step in steps() if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_secrets_go_only_to_the_step_that_needs_them() -> None:
    text = ONBOARD.read_text(encoding="utf-8")
    holders = [step.get("name") for _job, step in steps() if "secrets." in yaml.safe_dump(step)]
    assert holders == ["Plan", "Run"]
    assert text.count("secrets.") == len(holders)


def test_the_comment_is_one_that_is_updated() -> None:
    (script,) = [step["run"] for _job, step in steps() if "comment" in step.get("name", "")]
    assert "-X PATCH" in script
    assert "<!-- onboard plan -->" in script


def test_scripts_are_valid_shell() -> None:
    for _job, step in steps():
        if "run" in step:
            ended = subprocess.run(
                ["bash", "-n"],
                input=step["run"],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            assert ended.returncode == 0, ended.stderr


def parse(line: str) -> None:
    """Let the program's own command line read `line`, without running it."""
    _program, *words = shlex.split(line)
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    name, command, rest = root.resolve_command(typer.Context(root), words)
    assert command is not None
    command.make_context(name, list(rest))


def onboard_lines(script: str) -> list[str]:
    lines = script.replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip().startswith("onboard ")]


def test_every_command_line_of_the_workflow_is_understood() -> None:
    lines = [line for _job, step in steps() for line in onboard_lines(step.get("run", ""))]
    assert [line.split()[1] for line in lines] == ["validate", "plan", "run"]
    for line in lines:
        parse(line)


def gitlab_example() -> str:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    _before, _heading, rest = readme.partition("### GitLab CI")
    found = re.search(r"```yaml\n(.*?)```", rest, re.DOTALL)
    assert found, "the README has an example for GitLab CI"
    return found[1]


def test_the_readmes_gitlab_example_is_valid(tmp_path: Path) -> None:
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(gitlab_example(), encoding="utf-8")
    ended = checked("vendor.gitlab-ci", file, "--data-transform", "gitlab-ci")
    assert ended.returncode == 0, ended.stdout
    jobs = yaml.safe_load(gitlab_example())
    for name in ("plan", "run"):
        for line in jobs[name]["script"]:
            parse(line)
