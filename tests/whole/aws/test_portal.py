"""IAM Identity Center: one cached token for all accounts, with IAM enforced behind the portal."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.errors import AccountError, AccountPending, CannotStart
from cloudcraft_onboard.model import Account, RoleSpec, SsoRole, Stage
from tests.support.aws_proxy import AwsProxy
from tests.support.process import HANG, onboard
from tests.support.world import PLAIN, MakeWorld, SandboxWorld
from tests.whole.aws.support import MEMBER, OTHER, bring, opened, words

LONG_AGO = "2026-01-01T00:00:00Z"
CREDENTIALS = "/federation/credentials"


def sso(account_id: str = MEMBER, **fields: Any) -> Account:
    """An account that is entered with the permission set Admin of the session corp."""
    way = SsoRole(session="corp", role=fields.pop("role", "Admin"))
    return Account(**{"name": account_id, "account_id": account_id, "sso": way, **fields})


@pytest.fixture
def corp(make_world: MakeWorld) -> SandboxWorld:
    """Two accounts that are assigned."""
    return make_world([sso(), sso(OTHER)])


@pytest.fixture
def aws(corp: SandboxWorld) -> Iterator[BotoAws]:
    """The way into them; nothing is sent twice."""
    assert corp.aws_url
    with opened() as aws:
        yield aws


@pytest.fixture
def portal(corp: SandboxWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProxy]:
    """A proxy in front of them, which counts."""
    with AwsProxy(corp.aws_url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


def refusal(aws: BotoAws, account: Account) -> AccountError:
    with pytest.raises(AccountError) as caught:
        aws.reach(account)
    assert caught.value.stage is Stage.REACH
    return caught.value


def token_file() -> Path:
    (file,) = (Path(os.environ["AWS_CONFIG_FILE"]).parent / "sso-cache").iterdir()
    return file


def change_token(**fields: Any) -> None:
    """Change what is cached; None takes a key away."""
    token = {**json.loads(token_file().read_text()), **fields}
    kept = {key: value for key, value in token.items() if value is not None}
    token_file().write_text(json.dumps(kept))


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_one_token_leads_into_every_account_without_any_profile(
    portal: AwsProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")
    with opened() as aws:
        aws.check_sources([sso(), sso(OTHER)])
        for account_id in (MEMBER, OTHER):
            session = aws.reach(sso(account_id, region="eu-central-1"))
            assert session.identity.account_id == account_id
            assert ":assumed-role/AWSReservedSSO_Admin_" in session.identity.arn
            assert "create-role" in words(bring(session, RoleSpec()))
        assert len(aws._sdk._clients) == 3, "one client each for the portal, STS and IAM"
    assert portal.calls["/assignment/accounts"] == 1
    assert portal.calls[CREDENTIALS] == 2


def test_two_hundred_accounts_by_one_token_whose_credentials_expire_meanwhile(
    make_world: MakeWorld, aws_proxy: AwsProxy
) -> None:
    ids = [f"3{number:011d}" for number in range(200)]
    lifetime = 6.0
    make_world([sso(account_id) for account_id in ids], portal_seconds=lifetime)
    with opened(concurrency=8) as aws, ThreadPoolExecutor(8) as pool:
        sessions = list(pool.map(lambda account_id: aws.reach(sso(account_id)), ids))
        asked = aws_proxy.calls[CREDENTIALS]
        time.sleep(lifetime)
        assert set(pool.map(lambda session: session.observe("cloudcraft"), sessions)) == {None}
        assert [session.identity.account_id for session in sessions] == ids
        assert aws_proxy.calls[CREDENTIALS] - asked >= 200
        assert aws_proxy.calls["/assignment/accounts"] == 1
        assert len(aws.portal("corp").accounts()) == 200, "which come in two pages"
        assert aws_proxy.calls["/assignment/accounts"] == 3


def test_what_iam_forbids_the_permission_set_stays_forbidden(make_world: MakeWorld) -> None:
    make_world([sso(tags={"sandbox": "denied"})])
    with opened() as aws, pytest.raises(AccountError) as caught:
        aws.reach(sso()).observe("cloudcraft")
    assert caught.value.code == "AccessDenied"


def test_nobody_signed_in(make_world: MakeWorld) -> None:
    make_world([sso(tags={"sandbox": "signed-out"}), sso(OTHER)])
    with opened() as aws:
        with pytest.raises(CannotStart) as caught:
            aws.check_sources([sso(), sso(OTHER)])
        problems = {(p.code, p.message, p.hint) for p in (refusal(aws, sso(a)) for a in IDS)}
    assert caught.value.message == "IAM Identity Center: Nobody is signed in to session corp."
    assert "`aws sso login --sso-session corp`" in caught.value.hint
    assert len(problems) == 1
    assert problems.pop()[0] == "SSOTokenExpired"


IDS = (MEMBER, OTHER)


@pytest.mark.usefixtures("corp")
@pytest.mark.parametrize(
    "broken",
    [
        {"expiresAt": LONG_AGO, "refreshToken": None},
        {"expiresAt": LONG_AGO, "refreshToken": "no-longer-known"},
        {"expiresAt": LONG_AGO, "registrationExpiresAt": LONG_AGO},
        {"expiresAt": "soon"},
        {"accessToken": None},
        {"accessToken": "unknown"},
    ],
    ids=["expired", "not-renewed", "registration-expired", "no-date", "no-token", "unknown"],
)
def test_a_token_that_is_of_no_use(broken: dict[str, Any], aws: BotoAws) -> None:
    change_token(**broken)
    with pytest.raises(CannotStart) as caught:
        aws.check_sources([sso()])
    assert "aws sso login --sso-session corp" in caught.value.hint
    assert refusal(aws, sso()).code == "SSOTokenExpired"


@pytest.mark.usefixtures("corp")
def test_a_cache_that_is_no_json(aws: BotoAws) -> None:
    token_file().write_text("{")
    assert "aws sso login --sso-session corp" in refusal(aws, sso()).hint


@pytest.mark.usefixtures("corp")
def test_a_token_that_expires_is_refreshed_and_kept(aws: BotoAws) -> None:
    before = json.loads(token_file().read_text())
    change_token(expiresAt=ago(minutes=-5))
    assert aws.reach(sso()).identity.account_id == MEMBER
    after = json.loads(token_file().read_text())
    assert after["accessToken"] != before["accessToken"]
    assert after["expiresAt"] > before["expiresAt"][:13]
    with opened() as later:
        assert later.reach(sso()).identity.account_id == MEMBER


def test_a_token_that_is_revoked_meanwhile_is_met_once(
    corp: SandboxWorld, portal: AwsProxy
) -> None:
    with opened() as aws:
        aws.check_sources([sso()])
        token = json.loads(token_file().read_text())["accessToken"]
        headers = {"x-amz-sso_bearer_token": token}
        with httpx.Client(verify=PLAIN, trust_env=False, timeout=HANG) as client:
            assert client.post(f"{corp.aws_url}/logout", headers=headers).is_success
        problems = [refusal(aws, sso(account_id)) for account_id in (*IDS, *IDS)]
    assert portal.calls[CREDENTIALS] == 1
    assert {(p.code, p.hint) for p in problems} == {("SSOTokenExpired", problems[0].hint)}
    assert "aws sso login --sso-session corp" in problems[0].hint


def test_a_permission_set_that_is_not_offered_is_one_cause_with_those_that_are(
    corp: SandboxWorld, aws: BotoAws
) -> None:
    assert corp.aws_url
    problems = [refusal(aws, sso(account_id, role="Admn")) for account_id in IDS]
    assert problems[0].code == "PermissionSetNotOffered"
    assert "Admn" in problems[0].message
    assert "Admin, ViewOnlyAccess" in problems[0].hint
    assert problems[0].message == problems[1].message
    assert problems[0].hint == problems[1].hint
    (one, two) = (problem.cause for problem in problems)
    assert one
    assert two
    assert one.key == two.key
    stranger = refusal(aws, sso("999999999999"))
    assert "not assigned" in stranger.hint


@pytest.mark.usefixtures("corp")
def test_a_session_that_the_config_lacks_or_has_by_half(aws: BotoAws) -> None:
    way = SsoRole(session="copr", role="Admin")
    missing = refusal(aws, sso(sso=way))
    assert missing.message == "The AWS config has no [sso-session copr]."
    assert "Did you mean corp?" in missing.hint
    with Path(os.environ["AWS_CONFIG_FILE"]).open("a", encoding="utf-8") as config:
        config.write("\n[sso-session half]\nsso_start_url = https://half.example/start\n")
    with opened() as fresh:
        half = refusal(fresh, sso(sso=SsoRole(session="half", role="Admin")))
    assert "[sso-session half] lacks sso_region" in half.message


def test_an_outage_of_the_portal_is_pending_and_not_remembered(portal: AwsProxy) -> None:
    with opened() as aws:
        aws.check_sources([sso()])
        portal.trouble(CREDENTIALS, kind="drop", times=1)
        assert isinstance(refusal(aws, sso()), AccountPending)
        assert aws.reach(sso()).identity.account_id == MEMBER


def test_only_a_refusal_of_the_token_itself_keeps_everything_from_starting(
    portal: AwsProxy,
) -> None:
    portal.trouble("/assignment/accounts", kind="raw", status=404, body=b"<html>", times=1)
    with opened() as aws:
        aws.check_sources([sso()])
        assert aws.reach(sso()).identity.account_id == MEMBER


def test_throttling_by_the_portal_is_waited_for(portal: AwsProxy) -> None:
    body = b'{"__type": "TooManyRequestsException", "message": "Rate exceeded"}'
    portal.trouble(CREDENTIALS, kind="raw", status=429, body=body, times=2)
    with opened(retries=3) as aws:
        assert aws.reach(sso()).identity.account_id == MEMBER


def test_the_program_says_neither_token_nor_keys(corp: SandboxWorld, tmp_path: Path) -> None:
    manifest = tmp_path / "org.yaml"
    manifest.write_text(
        "version: 1\ndefaults: {sso: {session: corp, role: Admin}}\naccounts:\n"
        f'  - {{name: A, account_id: "{MEMBER}"}}\n'
        f'  - {{name: B, account_id: "{OTHER}", sso: {{role: ViewOnlyAccess}}}}\n'
    )
    kept = json.loads(token_file().read_text())
    change_token(expiresAt=ago(minutes=-5))
    ended = onboard(tmp_path / "run", "run", manifest, "-vv")
    assert ended.code == 1
    assert ended.outcomes == ["created", "failed"]
    assert ended.accounts[0]["profile"] is None
    now = json.loads(token_file().read_text())
    said = ended.stdout + ended.stderr + json.dumps(ended.report)
    for key in ("accessToken", "refreshToken", "clientSecret"):
        assert kept[key] not in said
        assert now[key] not in said
    assert "get_role_credentials" in said
    assert "secretAccessKey" in said, "the SDK logs the answer"
    assert re.search(r"(AKIA|ASIA)[A-Z0-9]{12}", said) is None
    assert set(re.findall(r"[\"\x27]secretAccessKey\W+(\w+)", said)) == {"redacted"}
    assert set(re.findall(r"[\"\x27]sessionToken\W+(\w+)", said)) == {"redacted"}
    assert corp.registered == [MEMBER]
