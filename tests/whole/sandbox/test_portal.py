"""The sandbox's IAM Identity Center, by the SDK's own clients: what `aws sso` does works there."""

from __future__ import annotations

import configparser
import json
import os
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from cloudcraft_onboard.model import Account, SsoRole
from cloudcraft_onboard.sandbox.portal import cache_name
from tests.support.process import HANG, fresh_program
from tests.support.world import PLAIN, MakeWorld, SandboxWorld

IDS = ("222222222201", "222222222202", "222222222203")
BACK = "http://127.0.0.1:49152/oauth/callback"


def assigned(account_id: str, session: str = "corp", **fields: Any) -> Account:
    way = SsoRole(session=session, role="Admin")
    return Account(name=f"A{account_id[-1]}", account_id=account_id, sso=way, **fields)


@pytest.fixture
def world(make_world: MakeWorld) -> SandboxWorld:
    """Two accounts of one session, one of another."""
    return make_world([assigned(IDS[0]), assigned(IDS[1]), assigned(IDS[2], "lab two")])


def client(service: str) -> Any:
    """A client as the AWS CLI makes one: whatever the environment says leads to the sandbox."""
    session: Any = boto3.Session(region_name="us-east-1")
    return session.client(service, config=Config(signature_version=UNSIGNED))


def section(session: str) -> configparser.SectionProxy:
    config = configparser.ConfigParser()
    config.read(os.environ["AWS_CONFIG_FILE"])
    return config[f"sso-session {shlex.quote(session)}"]


def registered(session: str = "corp", **fields: Any) -> dict[str, str]:
    found: dict[str, str] = client("sso-oidc").register_client(
        clientName="a test",
        clientType="public",
        scopes=["sso:account:access"],
        issuerUrl=section(session)["sso_start_url"],
        **fields,
    )
    return {"clientId": found["clientId"], "clientSecret": found["clientSecret"]}


def names(token: str) -> list[str]:
    listed = client("sso").list_accounts(accessToken=token)["accountList"]
    return [account["accountName"] for account in listed]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(("session", "seen"), [("corp", ["A1", "A2"]), ("lab two", ["A3"])])
def test_sign_in_with_a_device_code(session: str, seen: list[str]) -> None:
    own = registered(session)
    url = section(session)["sso_start_url"]
    started = client("sso-oidc").start_device_authorization(**own, startUrl=url)
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    given = client("sso-oidc").create_token(
        **own, grantType=grant, deviceCode=started["deviceCode"]
    )
    assert names(given["accessToken"]) == seen
    renewed = client("sso-oidc").create_token(
        **own, grantType="refresh_token", refreshToken=given["refreshToken"]
    )
    assert names(renewed["accessToken"]) == seen
    with pytest.raises(ClientError, match="InvalidGrantException"):
        client("sso-oidc").create_token(
            **own, grantType="refresh_token", refreshToken=given["refreshToken"]
        )


def test_sign_in_with_a_browser(world: SandboxWorld) -> None:
    own = registered(
        grantTypes=["authorization_code", "refresh_token"], redirectUris=["http://127.0.0.1/x"]
    )
    asked = {
        "response_type": "code",
        "client_id": own["clientId"],
        "redirect_uri": BACK,
        "state": "a-state",
        "code_challenge_method": "S256",
        "scopes": "sso:account:access",
        "code_challenge": "x",
    }
    with httpx.Client(verify=PLAIN, trust_env=False, timeout=HANG) as browser:
        sent = browser.get(f"{world.aws_url}/authorize?{urlencode(asked)}")
        elsewhere = {**asked, "redirect_uri": "https://evil.example/"}
        assert browser.get(f"{world.aws_url}/authorize?{urlencode(elsewhere)}").status_code == 400
    back = parse_qs(urlsplit(sent.headers["location"]).query)
    assert sent.headers["location"].startswith(BACK)
    assert back["state"] == ["a-state"]
    given = client("sso-oidc").create_token(
        **own,
        grantType="authorization_code",
        code=back["code"][0],
        redirectUri=BACK,
        codeVerifier="y",
    )
    assert names(given["accessToken"]) == ["A1", "A2"]


@pytest.mark.usefixtures("world")
def test_the_portal_lists_in_pages_and_refuses_what_is_not_assigned() -> None:
    folder = Path(section("corp")["cloudcraft_onboard_cache"])
    tokens = [json.loads(file.read_text())["accessToken"] for file in folder.iterdir()]
    assert sorted(map(names, tokens)) == [["A1", "A2"], ["A3"]]
    (token,) = (each for each in tokens if len(names(each)) == 2)
    sso = client("sso")
    first = sso.list_accounts(accessToken=token, maxResults=1)
    rest = sso.list_accounts(accessToken=token, nextToken=first["nextToken"])
    assert [a["accountId"] for a in (*first["accountList"], *rest["accountList"])] == [*IDS[:2]]
    roles = sso.list_account_roles(accessToken=token, accountId=IDS[0])["roleList"]
    assert [role["roleName"] for role in roles] == ["Admin", "ViewOnlyAccess"]
    given = sso.get_role_credentials(accessToken=token, accountId=IDS[0], roleName="Admin")
    keys = given["roleCredentials"]
    sts = boto3.client(
        "sts",
        region_name="us-east-1",
        aws_access_key_id=keys["accessKeyId"],
        aws_secret_access_key=keys["secretAccessKey"],
        aws_session_token=keys["sessionToken"],
    )
    assert sts.get_caller_identity()["Account"] == IDS[0]
    for account_id, role in ((IDS[2], "Admin"), (IDS[0], "Other")):
        with pytest.raises(ClientError, match="No access"):
            sso.get_role_credentials(accessToken=token, accountId=account_id, roleName=role)
    with pytest.raises(ClientError, match="not found or invalid"):
        sso.list_accounts(accessToken="unknown")


def test_a_profile_of_the_session_works_after_signing_in(
    world: SandboxWorld, tmp_path: Path
) -> None:
    """As users have it who sign in with `aws sso login`: in their own cache, by a profile."""
    assert world.aws_url
    own, grant = registered(), "urn:ietf:params:oauth:grant-type:device_code"
    url = section("corp")["sso_start_url"]
    code = client("sso-oidc").start_device_authorization(**own, startUrl=url)["deviceCode"]
    given = client("sso-oidc").create_token(**own, grantType=grant, deviceCode=code)
    kept = next(Path(section("corp")["cloudcraft_onboard_cache"]).iterdir())
    cache = Path.home() / ".aws/sso/cache"
    cache.mkdir(parents=True)
    token = {**json.loads(kept.read_text()), "accessToken": given["accessToken"]}
    for name in ("corp", "lab two"):
        (cache / cache_name(name)).write_text(json.dumps(token))
    with Path(os.environ["AWS_CONFIG_FILE"]).open("a", encoding="utf-8") as config:
        config.write(
            f"\n[profile one]\nsso_session = corp\nsso_account_id = {IDS[0]}\n"
            "sso_role_name = Admin\nregion = us-east-1\n"
        )
    manifest = tmp_path / "m.yaml"
    manifest.write_text("version: 1\naccounts: [{name: A, profile: one}]\n")
    # The SDK looks for the cache when it is loaded.
    with fresh_program(tmp_path / "plan", "plan", manifest) as started:
        ended = started.wait()
    assert ended.outcomes == ["created"], ended.stderr
