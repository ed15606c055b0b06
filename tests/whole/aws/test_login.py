"""Profiles of `aws login`, by the real program: awscrt is loaded for them alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.answering import answering
from tests.support.process import HANG, Exited, fresh_program
from tests.support.world import SandboxWorld
from tests.whole.aws.support import HUB

SESSION = f"arn:aws:iam::{HUB}:user/me"
MANIFEST = "version: 1\naccounts: [{name: A, profile: signed-in}]\n"


def plan(folder: Path, **environment: str) -> Exited:
    (folder / "org.yaml").write_text(MANIFEST)
    # What is loaded depends on the AWS config at the start.
    with fresh_program(folder / "plan", "plan", folder / "org.yaml", **environment) as started:
        return started.wait()


@pytest.fixture
def cache(org: SandboxWorld) -> Path:
    """The cache of `aws login`, and a profile that uses it."""
    assert org.aws_url
    with Path(os.environ["AWS_CONFIG_FILE"]).open("a", encoding="utf-8") as config:
        config.write(f"\n[profile signed-in]\nlogin_session = {SESSION}\nregion = us-east-1\n")
    cache = Path.home() / ".aws/login/cache"
    cache.mkdir(parents=True)
    return cache


def sign_in(org: SandboxWorld, cache: Path, lasts: timedelta) -> None:
    """What `aws login` leaves."""
    key = org.iam(HUB).create_access_key(UserName="onboard-hub")["AccessKey"]
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.TraditionalOpenSSL, forms.NoEncryption()
    )
    token = {
        "accessToken": {
            "accessKeyId": key["AccessKeyId"],
            "secretAccessKey": key["SecretAccessKey"],
            "sessionToken": "",
            "accountId": HUB,
            "expiresAt": (datetime.now(UTC) + lasts).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "tokenType": "aws_sigv4",
        "refreshToken": "a-refresh-token",
        "idToken": "an-id-token",
        "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": pem.decode(),
    }
    name = hashlib.sha256(SESSION.encode()).hexdigest()
    (cache / f"{name}.json").write_text(json.dumps(token))


def test_a_profile_that_signed_in_works(org: SandboxWorld, cache: Path, tmp_path: Path) -> None:
    sign_in(org, cache, timedelta(hours=1))
    ended = plan(tmp_path)
    assert ended.outcomes == ["created"], ended.stderr
    assert ended.accounts[0]["account_id"] == HUB


@pytest.mark.usefixtures("cache")
def test_one_that_did_not_says_how(tmp_path: Path) -> None:
    ended = plan(tmp_path)
    assert ended.code == 3
    assert "aws login --profile signed-in" in ended.stderr


def test_one_that_expired_says_how(org: SandboxWorld, cache: Path, tmp_path: Path) -> None:
    sign_in(org, cache, timedelta(hours=-1))
    refused = json.dumps({"error": "TOKEN_EXPIRED", "message": "expired"}).encode()
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "AccessDeniedException"}
    with answering(lambda *_: (400, headers, refused)) as url:
        ended = plan(tmp_path, AWS_ENDPOINT_URL_SIGNIN=url)
    assert ended.code == 3
    assert "aws login --profile signed-in" in ended.stderr


@pytest.mark.usefixtures("cache")
def test_where_its_dependency_is_missing_the_command_adds_it(tmp_path: Path) -> None:
    ended = plan(tmp_path, BOTO_DISABLE_CRT="true")
    assert ended.code == 3
    assert f"`{sys.executable} -m pip install 'botocore[crt]'`" in ended.stderr


@pytest.mark.parametrize(("profile", "loaded"), [("", False), ("login_session = x", True)])
def test_awscrt_is_loaded_where_a_profile_may_need_it(profile: str, loaded: bool) -> None:  # noqa: FBT001 - a row
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(f"[profile p]\n{profile}\n")
    ask = "import sys, cloudcraft_onboard.aws.session; print(bool(sys.modules.get('awscrt')))"
    ended = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, timeout=HANG, check=True
    )
    assert ended.stdout.strip() == str(loaded)
