"""The action for GitHub: its shell steps, as they stand, against the local AWS and Cloudcraft."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.support.actions import GH, Runner, comments, loaded
from tests.support.onboarding import existing, hub
from tests.support.process import HANG, ONBOARD, door
from tests.support.world import MakeWorld, SandboxWorld

ROOT = Path(__file__).parents[3]
ACTION = ROOT / ".github" / "actions" / "onboard" / "action.yml"
WORKFLOW = ROOT / ".github" / "workflows" / "onboard.yml"


def runner(folder: Path, world: SandboxWorld | None, command: str, **inputs: str) -> Runner:
    """A job at whose end `manifest.yaml` is planned or run; the program is installed already."""
    bin_folder = folder / "onboard" / "bin"
    bin_folder.mkdir(parents=True, exist_ok=True)
    (bin_folder / "onboard").unlink(missing_ok=True)
    (bin_folder / "onboard").symlink_to(door())
    python = bin_folder / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    gh = folder / "gh"
    gh.write_text(GH, encoding="utf-8")
    gh.chmod(0o755)
    environment = {
        **{k: v for k, v in os.environ.items() if k != "CLOUDCRAFT_API_KEY"},
        "PATH": f"{folder}:{os.environ['PATH']}",
        "GH_STATE": str(folder / "comments.json"),
        "GITHUB_REPOSITORY": "company/cloud",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_RUN_ID": "42",
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }
    given = {"command": command, "manifest": str(folder / "manifest.yaml")}
    if world is not None:
        given["api-key"] = world.api_key
    return Runner(
        folder=folder,
        action=loaded(ACTION),
        environment=environment,
        inputs={**given, **inputs},
        github={"event.pull_request.number": "7", "token": "a-token"},
    )


def ended(job: Runner) -> Runner:
    job.run(skip=("Install",))
    return job


def test_a_plan_becomes_one_comment_that_is_updated(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(3))
    job = ended(runner(tmp_path, world, "plan", comment="true"))
    assert [step.code for step in job.steps.values()] == [0, 0], job.steps
    assert job.outputs["exit-code"] == "0"
    assert json.loads(job.outputs["summary"])["created"] == 3
    names = [Path(path).name for path in job.outputs["reports"].splitlines()]
    assert names == ["results.html", "results.json", "results.md", "results.xml"]
    (comment,) = comments(tmp_path / "comments.json")
    assert "onboard plan" in comment["body"]
    assert "A002" in comment["body"]

    ended(runner(tmp_path, world, "run", comment="true"))
    ended(runner(tmp_path, world, "plan", comment="true"))
    (updated,) = comments(tmp_path / "comments.json")
    assert updated["id"] == comment["id"]
    assert updated["body"] != comment["body"]
    assert "3 unchanged" in updated["body"]


def test_without_a_pull_request_nobody_is_told(make_world: MakeWorld, tmp_path: Path) -> None:
    job = runner(tmp_path, make_world(existing(1)), "plan", comment="true")
    job.github.pop("event.pull_request.number")
    assert [step.code for step in ended(job).steps.values()] == [0]
    silent = ended(runner(tmp_path, make_world(existing(1)), "plan"))
    assert [step.code for step in silent.steps.values()] == [0]
    assert not (tmp_path / "comments.json").exists()


def test_a_bad_manifest_takes_an_earlier_plan_away(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(2))
    ended(runner(tmp_path, world, "plan", comment="true"))
    (tmp_path / "manifest.yaml").write_text("version: 1\naccounts: []\n", encoding="utf-8")
    job = ended(runner(tmp_path, world, "plan", comment="true"))
    assert job.steps["run"].code == 2
    assert "manifest.yaml:2:" in job.steps["run"].log
    assert job.outputs == {"exit-code": "2", "reports": "", "summary": ""}
    (comment,) = comments(tmp_path / "comments.json")
    assert "There is no plan (exit code 2)" in comment["body"]
    assert "https://github.example/company/cloud/actions/runs/42" in comment["body"]
    assert "A000" not in comment["body"]


def test_validate_needs_no_key_and_no_network(tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text(existing(2), encoding="utf-8")
    good = ended(runner(tmp_path, None, "validate"))
    assert good.outputs == {"exit-code": "0", "reports": "", "summary": ""}
    (tmp_path / "manifest.yaml").write_text("version: 2\n", encoding="utf-8")
    assert ended(runner(tmp_path, None, "validate")).outputs["exit-code"] == "2"


def test_failing_accounts_fail_the_job_and_leave_reports(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    more = '  - {name: Denied, account_id: "300000000099", tags: {sandbox: denied}}'
    world = make_world(hub(2, more=more))
    job = ended(runner(tmp_path, world, "run", arguments="--settle 0 --max-failures '5'"))
    assert job.steps["run"].code == 1
    assert job.outputs["exit-code"] == "1"
    summary = json.loads(job.outputs["summary"])
    assert (summary["created"], summary["failed"]) == (2, 1)
    assert all(Path(path).is_file() for path in job.outputs["reports"].splitlines())
    assert "::error file=" in job.steps["run"].log
    assert "Denied" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert world.api_key not in job.steps["run"].log


def test_status_says_what_is_not_onboarded(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(2))
    job = ended(runner(tmp_path, world, "status", arguments="--exit-code"))
    assert job.outputs["exit-code"] == "1"
    assert json.loads(job.outputs["summary"])["missing"] == 2
    assert len(job.outputs["reports"].splitlines()) == 4
    ended(runner(tmp_path, world, "run"))
    job = ended(runner(tmp_path, world, "status", arguments="--exit-code"))
    assert job.outputs["exit-code"] == "0"
    assert json.loads(job.outputs["summary"])["onboarded"] == 2


def test_a_manifest_of_the_organization_works_with_credentials_of_the_environment(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(
        hub(2, more='  - {name: M, account_id: "300000000099", tags: {sandbox: management}}')
    )
    manifest = tmp_path / "org.yaml"
    admin = {**os.environ, "AWS_PROFILE": "org-admin"}
    init = ["init", "--organization", "--profile", "org-admin", "-f", str(manifest)]
    made = subprocess.run(
        [door(), *init],
        env=admin,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert made.returncode == 0, made.stderr

    def job(name: str) -> Runner:
        """A job of the workflow, behind a step that has put credentials into the environment."""
        (step,) = [
            step
            for step in loaded(WORKFLOW)["jobs"][name]["steps"]
            if step.get("uses") == "./.github/actions/onboard"
        ]
        given = {"manifest": str(manifest), "api-key": world.api_key}
        inputs = {key: given.get(key, value) for key, value in step["with"].items()}
        job = runner(tmp_path, world, inputs.pop("command"), **inputs)
        (tmp_path / "none").touch()  # GitHub's runners have no AWS config
        job.environment = {
            **{name: value for name, value in job.environment.items() if "PROFILE" not in name},
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "AWS_ACCESS_KEY_ID": "300000000099",
            "AWS_SECRET_ACCESS_KEY": world.root_secret,
            "AWS_REGION": "us-east-1",
        }
        return ended(job)

    for name in ("validate", "plan", "run"):
        done = job(name)
        assert done.outputs["exit-code"] == "0", done.steps["run"].log
    assert len(world.registered) == 3
    assert "3 accounts to create" in comments(tmp_path / "comments.json")[0]["body"]

    with_profile = manifest.read_text("utf-8").replace(
        "  # profile: org-admin  #", "  profile: org-admin #"
    )
    manifest.write_text(with_profile, "utf-8")
    refused = job("plan")
    assert refused.outputs["exit-code"] == "3"
    assert "or leave it out: the environment has credentials of its own" in refused.steps["run"].log


def test_a_plan_longer_than_a_comment_may_be(make_world: MakeWorld, tmp_path: Path) -> None:
    long = "long " * 20  # 1,500 times its escaped length are too much even for names alone
    world = make_world(existing(1500).replace('name: "', f'name: "{long}'))
    job = ended(runner(tmp_path, world, "plan", comment="true"))
    assert [step.code for step in job.steps.values()] == [0, 0], job.steps
    (comment,) = comments(tmp_path / "comments.json")
    assert "1,500" in comment["body"]
    assert len(comment["body"]) <= 65_536
    report = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "1,500" in report


def test_an_empty_argument_is_an_argument(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(1))
    job = ended(runner(tmp_path, world, "plan", arguments="--only ''"))
    assert "--only '' matches no account" in job.steps["run"].log
    assert ended(runner(tmp_path, world, "plan", arguments=" ")).outputs["exit-code"] == "0"


def test_arguments_are_quoted_as_in_a_shell_and_nothing_of_them_is_run(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    manifest = existing(2).replace("A001", "Two words; $(touch evil)")
    world = make_world(manifest)
    job = ended(
        runner(tmp_path, world, "plan", arguments="--only 'Two words; $(touch evil)' \\\n --quiet")
    )
    assert job.steps["run"].code == 0, job.steps["run"].log
    assert json.loads(job.outputs["summary"])["total"] == 1
    assert not list(tmp_path.rglob("evil"))
    unclosed = ended(runner(tmp_path, world, "run", arguments="--only 'A"))
    assert unclosed.steps["run"].code != 0
    assert not world.requests("POST")


def test_other_commands_are_refused(tmp_path: Path) -> None:
    job = ended(runner(tmp_path, None, "remove"))
    assert job.steps["run"].code == 2
    assert "::error::command is plan, run, status or validate, not remove" in job.steps["run"].log


def test_a_cancelled_job_ends_the_run_with_its_reports(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(existing(30), rate_limit="3/60")
    job = runner(tmp_path, world, "run")
    program = tmp_path / "onboard" / "bin" / "onboard"
    program.unlink()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(ONBOARD)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    (step,) = [step for step in job.action["runs"]["steps"] if step.get("id") == "run"]
    command, environment = job.script(step)
    with subprocess.Popen(command, env=environment, start_new_session=True) as shell:
        try:
            until = time.monotonic() + HANG
            while not world.requests("POST"):
                assert time.monotonic() < until
                time.sleep(0.05)
            os.kill(shell.pid, signal.SIGINT)  # the shell alone, as GitHub does
            assert shell.wait(HANG) == 130
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    outputs = job.outputs_written()
    assert outputs["exit-code"] == "130"
    assert json.loads(outputs["summary"])["pending"] > 0
    assert len(outputs["reports"].splitlines()) == 4


def test_the_installation_checks_every_hash_and_fetches_nothing_else() -> None:
    (script,) = [
        step["run"] for step in loaded(ACTION)["runs"]["steps"] if step.get("name") == "Install"
    ]
    assert "--require-hashes" in script
    assert "--no-deps --no-build-isolation" in script
    assert (ACTION.parent / "../../../pyproject.toml").resolve() == ROOT / "pyproject.toml"
    assert (ACTION.parent / "../../../.github/requirements.txt").is_file()


def test_only_the_run_gets_the_key() -> None:
    text = ACTION.read_text(encoding="utf-8")
    assert len(re.findall(r"inputs\.api-key", text)) == 1
    holders = [
        step.get("name")
        for step in loaded(ACTION)["runs"]["steps"]
        if "inputs.api-key" in json.dumps(step)
    ]
    assert holders == ["Run"]
