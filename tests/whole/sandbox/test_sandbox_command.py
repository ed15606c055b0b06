"""`onboard sandbox`."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import boto3
import httpx
import pytest
import typer
from typer.testing import CliRunner

from cloudcraft_onboard.cli import sandbox
from tests.support.process import HANG
from tests.support.world import PLAIN

MANIFEST = """
version: 1
accounts:
  - {name: Own, profile: own}
  - {name: Known, profile: known, account_id: "100000000002", tags: {sandbox: onboarded}}
"""
ONBOARD = [sys.executable, "-m", "cloudcraft_onboard"]


@contextmanager
def running(*args: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command, once it is up, and the environment that it prints."""
    with subprocess.Popen(
        [*ONBOARD, "sandbox", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr
            assert process.stdout
            said = process.stderr.readline()
            assert "until Ctrl-C" in said, said
            env: dict[str, str] = {}
            while "no_proxy" not in env:
                word, *pairs = shlex.split(process.stdout.readline())
                if word == "unset":
                    continue
                assert word == "export"
                (pair,) = pairs
                name, _, value = pair.partition("=")
                env[name] = value
            yield process, env
        finally:
            process.kill()


def test_what_it_prints_is_all_that_clients_need(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "org.yaml"
    path.write_text(MANIFEST, encoding="utf-8")
    with running(str(path), "--rate-limit", "2/60") as (_, env):
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        with closing(boto3.Session(profile_name="known").client("sts")) as sts:
            assert sts.get_caller_identity()["Account"] == "100000000002"
        headers = {"Authorization": f"Bearer {env['CLOUDCRAFT_API_KEY']}"}
        url = f"{env['CLOUDCRAFT_BASE_URL']}/aws/account"
        answers = [httpx.get(url, headers=headers, verify=PLAIN) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [account["name"] for account in answers[0].json()["accounts"]] == ["Known"]
    assert env["CLOUDCRAFT_RATE_LIMIT"] == "2/60"


HUB = """
version: 1
defaults: {profile: org-admin, assume_role: OrganizationAccountAccessRole}
accounts:
  - {name: Management, account_id: "100000000001", tags: {sandbox: management}}
"""


def test_the_defaults_profile_works_without_being_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "org.yaml"
    path.write_text(HUB, encoding="utf-8")
    with running(str(path)) as (_, env):
        assert env["AWS_PROFILE"] == "org-admin"
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        with closing(boto3.Session().client("sts")) as sts:
            assert sts.get_caller_identity()["Account"] == "100000000001"


@pytest.mark.parametrize(
    "manifest",
    [
        MANIFEST,
        HUB.replace(
            "accounts:", 'accounts:\n  - {name: A, profile: null, account_id: "111122223333"}'
        ),
    ],
    ids=["no default", "not everybody's"],
)
def test_a_profile_that_is_not_everybodys_is_not_exported(tmp_path: Path, manifest: str) -> None:
    path = tmp_path / "org.yaml"
    path.write_text(manifest, encoding="utf-8")
    with running(str(path)) as (_, env):
        assert "AWS_PROFILE" not in env


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "TERM"])
def test_its_normal_end_is_ctrl_c(number: signal.Signals) -> None:
    with running() as (process, env):
        process.send_signal(number)
        assert process.wait(timeout=HANG) == 0
        assert not Path(env["AWS_CONFIG_FILE"]).exists()


def test_a_shell_that_points_elsewhere_is_led_into_the_sandbox(tmp_path: Path) -> None:
    """None of this is set where the sandbox runs, all of it where its lines are pasted."""
    (tmp_path / "org.yaml").write_text(HUB, encoding="utf-8")
    elsewhere = {
        "AWS_PROFILE": "corp",
        "AWS_DEFAULT_PROFILE": "corp",
        "AWS_ACCESS_KEY_ID": "AKIAMINE",
        "AWS_SECRET_ACCESS_KEY": "mine",
        "AWS_SESSION_TOKEN": "mine",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
        "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/mine",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1",
        "AWS_CA_BUNDLE": "/nonexistent",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1",
        "CLOUDCRAFT_API_KEY_FILE": "/nonexistent",
    }
    told = tmp_path / "sandbox.env"
    with (
        told.open("w", encoding="utf-8") as out,
        subprocess.Popen(
            [*ONBOARD, "sandbox", str(tmp_path / "org.yaml")],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            assert process.stderr
            assert "until Ctrl-C" in process.stderr.readline()
            python, plan = shlex.quote(sys.executable), shlex.join([*ONBOARD, "plan"])
            asked = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
            done = subprocess.run(
                [
                    "bash",
                    "-euc",
                    f"source sandbox.env; {python} -c {shlex.quote(asked)}; {plan} org.yaml",
                ],
                cwd=tmp_path,
                env={**os.environ, **elsewhere},
                capture_output=True,
                text=True,
                timeout=HANG,
                check=False,
            )
        finally:
            process.terminate()

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("100000000001\n")


def test_a_rate_limit_that_cannot_be_read() -> None:
    app = typer.Typer()
    sandbox.register(app)

    result = CliRunner().invoke(app, ["--rate-limit", "many"])

    assert result.exit_code == 2
    assert "--rate-limit" in result.output
