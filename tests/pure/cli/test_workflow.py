"""The workflows and the action for GitHub, GitLab's pipeline, and the README's examples."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from typer.core import TyperGroup

from cloudcraft_onboard.cli.main import app
from tests.support.actions import loaded

ROOT = Path(__file__).parents[3]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
ONBOARD = GITHUB / "workflows" / "onboard.yml"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def workflow() -> dict[str, Any]:
    return loaded(ONBOARD)


def steps(file: Path) -> list[dict[str, Any]]:
    document = loaded(file)
    jobs = document.get("jobs", {"": document.get("runs")}).values()
    return [step for job in jobs for step in job["steps"]]


def everywhere() -> list[dict[str, Any]]:
    return [step for file in (*WORKFLOWS, *ACTIONS) for step in steps(file)]


def test_pull_requests_plan_and_main_runs() -> None:
    jobs = workflow()["jobs"]
    assert set(jobs) == {"validate", "plan", "run", "status"}
    assert "github.event_name == 'pull_request'" in jobs["validate"]["if"]
    assert (
        "github.event.pull_request.head.repo.full_name == github.repository" in jobs["plan"]["if"]
    )
    assert "github.event_name != 'pull_request'" in jobs["run"]["if"]
    assert "github.ref == 'refs/heads/main'" in jobs["run"]["if"]


def test_the_weekly_schedule_is_the_status_jobs_alone() -> None:
    crons = [entry["cron"] for entry in workflow()["on"]["schedule"]]
    jobs = workflow()["jobs"]
    (weekly,) = [
        cron for cron in crons if f"github.event.schedule == '{cron}'" in jobs["status"]["if"]
    ]
    assert f"github.event.schedule != '{weekly}'" in jobs["run"]["if"]
    assert len(crons) == 2


def test_permissions_are_the_least() -> None:
    jobs = workflow()["jobs"]
    reading = {"contents": "read", "id-token": "write"}
    assert "permissions" not in jobs["validate"]
    assert jobs["plan"]["permissions"] == {**reading, "pull-requests": "write"}
    assert jobs["run"]["permissions"] == reading
    assert jobs["status"]["permissions"] == reading


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_may_only_read_unless_a_job_says_more(file: Path) -> None:
    assert loaded(file)["permissions"] == {"contents": "read"}


def test_two_runs_never_overlap_and_none_is_cut_off() -> None:
    assert workflow()["jobs"]["run"]["concurrency"] == {
        "group": "onboard-run",
        "cancel-in-progress": "false",
    }


def test_a_run_ends_before_its_job() -> None:
    run = workflow()["jobs"]["run"]
    assert int(run["timeout-minutes"]) < 360, "GitHub's own limit"
    (given,) = [step["with"] for step in run["steps"] if step.get("name") == "Run"]
    assert given["arguments"] == "--time-budget 5h30m"


def test_reports_are_kept_whatever_happens() -> None:
    uploads = [step for step in steps(ONBOARD) if "upload-artifact" in step.get("uses", "")]
    assert len(uploads) == 2
    for upload in uploads:
        assert upload["if"] == "${{ always() }}"
        assert upload["with"]["path"] == "${{ steps.onboard.outputs.reports }}"


def test_the_workflow_gives_only_what_the_action_takes() -> None:
    (action,) = ACTIONS
    taken = loaded(action)["inputs"]
    uses = [step for step in steps(ONBOARD) if step.get("uses") == "./.github/actions/onboard"]
    assert [step["with"]["command"] for step in uses] == ["validate", "plan", "run", "status"]
    for step in uses:
        assert set(step["with"]) <= set(taken)
        for name, option in taken.items():
            assert option.get("required") != "true" or name in step["with"]


def test_the_projects_own_checks_run_what_everybody_can_run() -> None:
    commands = {
        name: [step["run"] for step in steps(GITHUB / "workflows" / name) if "run" in step]
        for name in ("ci.yml", "weekly.yml")
    }
    assert [line.partition(" #")[0] for line in commands["ci.yml"]] == [".ci/run", "make check"]
    assert commands["weekly.yml"] == ["make simulate SEEDS=200000", "make newest", "make audit"]


def pinned(action: str) -> bool:
    return re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) is not None


def test_actions_are_pinned_and_keep_no_credentials() -> None:
    for step in everywhere():
        action = step.get("uses", "./")
        assert action.startswith("./") or pinned(action), action
        if "actions/checkout@" in action:
            assert step["with"]["persist-credentials"] == "false"


def test_the_readmes_examples_pin_actions_too() -> None:
    used = re.findall(r"uses: (\S+)", README)
    assert used
    for action in used:
        assert action.startswith("./") or action.endswith("@COMMIT") or pinned(action), action


def test_one_version_of_each_action() -> None:
    commits: dict[str, set[str]] = {}
    for file in (*WORKFLOWS, *ACTIONS, ROOT / "README.md"):
        text = file.read_text(encoding="utf-8")
        for action, commit, version in re.findall(r"uses: (\S+)@([0-9a-f]{40}) # (v[\d.]+)", text):
            commits.setdefault(action, set()).add(f"{commit} {version}")
    assert commits
    assert not {action: found for action, found in commits.items() if len(found) > 1}


def test_scripts_get_everything_through_their_environment() -> None:
    scripts = [step["run"] for step in everywhere() if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_secrets_go_only_to_the_steps_that_need_them() -> None:
    text = ONBOARD.read_text(encoding="utf-8")
    holders = [step.get("name") for step in steps(ONBOARD) if "secrets." in yaml.safe_dump(step)]
    assert holders == ["Plan", "Run", "Status"]
    assert text.count("secrets.") == len(holders)


def parse(line: str) -> None:
    """Let the program's own command line read `line`, without running it."""
    _program, *words = shlex.split(line)
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    name, command, rest = root.resolve_command(typer.Context(root), words)
    assert command is not None
    command.make_context(name, list(rest))


GITLAB = ROOT / ".gitlab-ci.yml"


def test_gitlabs_jobs_give_only_what_the_commands_take() -> None:
    jobs = yaml.safe_load(GITLAB.read_text("utf-8"))
    for name in ("plan", "run", "status"):
        for line in jobs[name]["script"]:
            parse(line)


def test_without_its_roles_gitlab_has_no_jobs() -> None:
    jobs = yaml.safe_load(GITLAB.read_text("utf-8"))
    for name in ("plan", "run", "status"):
        role = jobs[name]["variables"]["AWS_ROLE_ARN"]
        assert [rule["if"].split(" && ")[0] for rule in jobs[name]["rules"]] == [role]


def test_only_gitlabs_run_gets_the_key_that_writes() -> None:
    jobs = yaml.safe_load(GITLAB.read_text("utf-8"))
    keys = {
        name: jobs[name]["variables"]["CLOUDCRAFT_API_KEY"] for name in ("plan", "run", "status")
    }
    assert keys == {
        "plan": "$CLOUDCRAFT_READ_KEY",
        "run": "$CLOUDCRAFT_RUN_KEY",
        "status": "$CLOUDCRAFT_READ_KEY",
    }


def test_what_the_workflow_for_new_accounts_may_do() -> None:
    job = loaded(GITHUB / "workflows" / "new-accounts.yml")["jobs"]["update"]
    assert job["if"] == "vars.AWS_PLAN_ROLE_ARN != ''"
    assert job["permissions"] == {
        "contents": "write",
        "id-token": "write",
        "pull-requests": "write",
    }
    holders = [step.get("name") for step in job["steps"] if "secrets." in yaml.safe_dump(step)]
    assert holders == ["Propose"]
