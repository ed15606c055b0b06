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
                word, pair = shlex.split(process.stdout.readline())
                assert word == "export"
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
        answers = [httpx.get(url, headers=headers) for _ in range(3)]

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
        assert process.wait(timeout=10) == 0
        assert not Path(env["AWS_CONFIG_FILE"]).exists()


def test_what_is_in_the_way_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with subprocess.Popen(
        [*ONBOARD, "sandbox"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        words = process.stdout.readline().split()
        process.send_signal(signal.SIGINT)

    assert words[0] == "unset"
    assert "AWS_PROFILE" in words
    assert all(name in os.environ for name in words[1:])


def test_a_rate_limit_that_cannot_be_read() -> None:
    app = typer.Typer()
    sandbox.register(app)

    result = CliRunner().invoke(app, ["--rate-limit", "many"])

    assert result.exit_code == 2
    assert "--rate-limit" in result.output
