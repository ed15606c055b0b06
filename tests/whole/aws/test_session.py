"""Reaching accounts: every source of credentials, the right account or none, and what it costs."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudcraft_onboard.aws.calls import entry_role_arn
from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.errors import AccountError, AccountPending, CannotStart
from cloudcraft_onboard.model import Account, AssumeRole, RoleSpec, Stage, Via
from tests.support.aws_proxy import EXPIRED, AwsProxy
from tests.support.world import MakeWorld, SandboxWorld
from tests.whole.aws.support import ENTRY, HUB, MEMBER, OTHER, bring, hub, member, opened, words


def configure(text: str) -> None:
    """Add profiles to the AWS config."""
    with Path(os.environ["AWS_CONFIG_FILE"]).open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")


def refusal(aws: BotoAws, account: Account) -> AccountError:
    with pytest.raises(AccountError) as caught:
        aws.reach(account)
    assert caught.value.stage is Stage.REACH
    return caught.value


# --- the way in ---------------------------------------------------------------------------------


def test_member_is_reached_by_assume_role_and_the_answer_tells_the_account(
    proxy: AwsProxy, aws: BotoAws
) -> None:
    for account_id in (MEMBER, OTHER):
        identity = aws.reach(member(account_id)).identity
        assert (identity.account_id, identity.partition) == (account_id, "aws")
        assert f":assumed-role/{ENTRY}/cloudcraft-onboard" in identity.arn
    assert dict(proxy.calls) == {"GetCallerIdentity": 1, "AssumeRole": 2}


def test_account_of_the_credentials_themselves_is_used_as_it_is(
    proxy: AwsProxy, aws: BotoAws
) -> None:
    assert aws.reach(hub()).identity.arn == f"arn:aws:iam::{HUB}:user/onboard-hub"
    assert "AssumeRole" not in proxy.calls


def test_profile_without_account_id_is_used_as_it_is(aws: BotoAws) -> None:
    assert aws.reach(Account(name="x", profile="hub")).identity.account_id == HUB


def test_wrong_account_is_an_error_before_any_write(proxy: AwsProxy, aws: BotoAws) -> None:
    error = refusal(aws, Account(name="x", profile="hub", account_id=MEMBER))
    assert error.code == "WrongAccount"
    assert f"Expected account {MEMBER}" in error.message
    assert f"leads to {HUB}" in error.message
    assert "`account_id`" in error.hint

    elsewhere = f"arn:aws:iam::{OTHER}:role/{ENTRY}"
    error = refusal(aws, member(assume_role=AssumeRole(role=elsewhere)))
    assert error.code == "WrongAccount"
    assert f"leads to {OTHER}" in error.message
    assert set(proxy.calls) == {"GetCallerIdentity", "AssumeRole"}


def test_entry_role_is_a_name_a_path_or_an_arn() -> None:
    assert entry_role_arn("Entry", "1", "aws-cn") == "arn:aws-cn:iam::1:role/Entry"
    assert entry_role_arn("/a/Entry", "1", "aws") == "arn:aws:iam::1:role/a/Entry"
    assert entry_role_arn("arn:aws:iam::2:role/x", "1", "aws") == "arn:aws:iam::2:role/x"


def test_accounts_worked_on_at_once_never_sign_for_each_other(make_world: MakeWorld) -> None:
    ids = [f"4{number:011d}" for number in range(24)]
    world = make_world([member(account_id) for account_id in ids])
    with opened(concurrency=8) as aws, ThreadPoolExecutor(8) as pool:

        def work(account_id: str) -> str:
            session = aws.reach(member(account_id))
            bring(session, RoleSpec())
            found = session.observe("cloudcraft")
            assert found is not None
            return found.arn

        arns = list(pool.map(work, ids))
        assert len(aws._sdk._clients) == 2, "one pair of clients serves every account"
    assert arns == [f"arn:aws:iam::{account_id}:role/cloudcraft" for account_id in ids]
    assert world.iam(ids[0]).get_role(RoleName="cloudcraft")["Role"]["Arn"] == arns[0]


# --- sources of credentials ---------------------------------------------------------------------


def test_profile_that_assumes_a_role_itself(org: SandboxWorld, aws: BotoAws) -> None:
    assert org.aws_url
    configure(
        f"[profile chained]\nrole_arn = arn:aws:iam::{MEMBER}:role/{ENTRY}\nsource_profile = hub"
    )
    assert aws.reach(Account(name="x", profile="chained")).identity.account_id == MEMBER


def test_credential_process_runs_once_for_all_accounts(
    org: SandboxWorld, aws: BotoAws, tmp_path: Path
) -> None:
    user = org.iam(HUB).create_access_key(UserName="onboard-hub")["AccessKey"]
    key = {
        "Version": 1,
        "AccessKeyId": user["AccessKeyId"],
        "SecretAccessKey": user["SecretAccessKey"],
    }
    script = tmp_path / "process.py"
    script.write_text(
        f"open({str(tmp_path / 'runs')!r}, 'a').write('x')\nprint({json.dumps(key)!r})"
    )
    configure(f"[profile process]\ncredential_process = {sys.executable} {script}")
    for account_id in (MEMBER, OTHER, HUB):
        aws.reach(member(account_id, profile="process"))
    assert (tmp_path / "runs").read_text() == "x"


def test_failing_credential_process_is_explained(aws: BotoAws) -> None:
    configure("[profile broken]\ncredential_process = false")
    error = refusal(aws, member(profile="broken"))
    assert error.code == "CredentialRetrievalError"
    assert "aws sts get-caller-identity --profile broken" in error.hint


def test_mfa_session_that_the_aws_cli_keeps_is_used_and_no_other_is_kept(
    org: SandboxWorld, aws: BotoAws
) -> None:
    arn = f"arn:aws:iam::{MEMBER}:role/{ENTRY}"
    serial = f"arn:aws:iam::{HUB}:mfa/me"
    user = org.iam(HUB).create_access_key(UserName="onboard-hub")["AccessKey"]
    kept = {
        "Credentials": {
            "AccessKeyId": user["AccessKeyId"],
            "SecretAccessKey": user["SecretAccessKey"],
            "SessionToken": "",
            "Expiration": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        }
    }
    args = json.dumps({"RoleArn": arn, "SerialNumber": serial}, sort_keys=True)
    cache = Path.home() / ".aws/cli/cache"
    cache.mkdir(parents=True)
    name = hashlib.sha1(args.encode()).hexdigest()
    (cache / f"{name}.json").write_text(json.dumps(kept))
    configure(
        f"[profile mfa]\nrole_arn = {arn}\nsource_profile = hub\nmfa_serial = {serial}\n"
        f"[profile plain]\nrole_arn = {arn}\nsource_profile = hub"
    )
    assert aws.reach(Account(name="x", profile="mfa")).identity.account_id == HUB
    assert aws.reach(Account(name="y", profile="plain")).identity.account_id == MEMBER
    assert len(list(cache.iterdir())) == 1


def test_nobody_is_asked_for_an_mfa_code(aws: BotoAws) -> None:
    configure(
        f"[profile mfa]\nrole_arn = arn:aws:iam::{MEMBER}:role/{ENTRY}\nsource_profile = hub\n"
        f"mfa_serial = arn:aws:iam::{HUB}:mfa/me"
    )
    error = refusal(aws, member(profile="mfa"))
    assert error.code == "MfaRequired"
    assert "aws sts get-caller-identity --profile mfa" in error.hint


def test_profile_endpoint_is_honoured(
    org: SandboxWorld, monkeypatch: pytest.MonkeyPatch, aws: BotoAws
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    keys = f"aws_access_key_id = {MEMBER}\naws_secret_access_key = {org.root_secret}"
    configure(
        f"[profile here]\n{keys}\nservices = local\n"
        f"[services local]\nsts =\n  endpoint_url = {org.aws_url}\n"
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    assert isinstance(refusal(aws, Account(name="a", profile="hub")), AccountPending)
    monkeypatch.delenv("AWS_ENDPOINT_URL_STS")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with opened() as fresh:
        assert fresh.reach(Account(name="b", profile="here")).identity.account_id == MEMBER


def test_no_region_is_needed_anywhere(org: SandboxWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    assert org.aws_url
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    config = Path(os.environ["AWS_CONFIG_FILE"])
    lines = config.read_text().splitlines(keepends=True)
    config.write_text("".join(line for line in lines if not line.startswith("region")))
    with opened() as aws:
        assert aws.reach(member(region="eu-west-3")).identity.account_id == MEMBER


def test_assumed_credentials_are_renewed_before_they_expire(proxy: AwsProxy, aws: BotoAws) -> None:
    session: Any = aws.reach(member())
    session._credentials._expiry_time = datetime.now(UTC) + timedelta(minutes=1)
    assert session.observe("cloudcraft") is None
    assert session.observe("cloudcraft") is None
    assert proxy.calls["AssumeRole"] == 2


# --- what stands in the way ---------------------------------------------------------------------


def test_missing_profile_is_answered_with_the_nearest_names(
    org: SandboxWorld, aws: BotoAws
) -> None:
    assert org.aws_url
    configure("[profile production]\nregion = us-east-1")
    error = refusal(aws, Account(name="x", profile="prodution"))
    assert error.code == "ProfileNotFound"
    assert "prodution" in error.message
    assert error.hint.startswith("Did you mean production?")
    assert "aws configure list-profiles" in refusal(aws, Account(name="x", profile="zzz")).hint


def test_expired_sso_session_names_the_command_to_sign_in(aws: BotoAws) -> None:
    configure(
        "[profile sso]\nsso_session = corp\nsso_account_id = 111111111111\nsso_role_name = Admin\n"
        "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example/start\n"
        "[profile legacy]\nsso_account_id = 111111111111\nsso_role_name = Admin\n"
        "sso_region = us-east-1\nsso_start_url = https://corp.example/start"
    )
    for profile, option in (("sso", "--sso-session corp"), ("legacy", "--profile legacy")):
        error = refusal(aws, member(profile=profile))
        assert error.code == "SSOTokenExpired"
        assert error.hint == f"Sign in again: `aws sso login {option}`."


def test_denied_entry_names_role_caller_and_what_the_trust_must_hold(
    org: SandboxWorld, aws: BotoAws
) -> None:
    org.iam(MEMBER).delete_role_policy(RoleName=ENTRY, PolicyName="access")
    org.iam(MEMBER).delete_role(RoleName=ENTRY)
    error = refusal(aws, member())
    assert error.code == "AccessDenied"
    assert f"arn:aws:iam::{MEMBER}:role/{ENTRY}" in error.hint
    assert f"arn:aws:iam::{HUB}:user/onboard-hub" in error.hint
    assert "trust policy lets " in error.hint


def test_expired_source_is_met_once_and_said_for_every_account(
    proxy: AwsProxy, aws: BotoAws
) -> None:
    aws.reach(hub())
    proxy.trouble("AssumeRole", **EXPIRED)
    errors = [refusal(aws, member(account_id)) for account_id in (MEMBER, OTHER, MEMBER)]
    assert proxy.calls["AssumeRole"] == 1
    assert {(error.code, error.hint) for error in errors} == {("ExpiredToken", errors[0].hint)}
    assert "The credentials of profile 'hub' have expired." in errors[0].hint
    assert "sso" not in errors[0].hint  # they are static keys


def test_outage_leaves_the_account_pending_and_is_not_remembered(
    proxy: AwsProxy, aws: BotoAws
) -> None:
    proxy.trouble("GetCallerIdentity", kind="drop", times=1)
    error = refusal(aws, member())
    assert isinstance(error, AccountPending)
    assert "run again" in error.hint
    assert aws.reach(member()).identity.account_id == MEMBER


def test_dropped_and_throttled_requests_are_sent_again_by_the_sdk(proxy: AwsProxy) -> None:
    proxy.trouble("GetCallerIdentity", kind="drop", times=1)
    proxy.trouble("AssumeRole", status=400, code="Throttling", message="Rate exceeded", times=1)
    with opened(retries=2) as aws:
        assert aws.reach(member()).identity.account_id == MEMBER


# --- nothing can start --------------------------------------------------------------------------


def test_check_stops_at_the_first_working_source(proxy: AwsProxy, aws: BotoAws) -> None:
    accounts = [Account(name="x", profile="missing"), member(), Account(name="y", profile="also")]
    aws.check_sources(accounts)
    aws.reach(member())
    assert dict(proxy.calls) == {"GetCallerIdentity": 1, "AssumeRole": 1}


def test_no_working_source_at_all_cannot_start_and_says_why_for_each(
    org: SandboxWorld, aws: BotoAws
) -> None:
    assert org.aws_url
    configure("[profile empty]\nregion = us-east-1")
    with pytest.raises(CannotStart) as caught:
        aws.check_sources([Account(name="x", profile="huh"), Account(name="y", profile="empty")])
    assert "AWS profile huh: The config profile (huh) could not be found" in str(caught.value)
    assert "AWS profile empty: Unable to locate credentials" in str(caught.value)
    assert "Did you mean hub?" in caught.value.hint
    assert "aws configure sso" in caught.value.hint


def test_no_credentials_in_the_default_chain_cannot_start(org: SandboxWorld, aws: BotoAws) -> None:
    assert org.aws_url
    with pytest.raises(CannotStart) as caught:
        aws.check_sources(
            [Account(name="x", account_id=MEMBER, assume_role=AssumeRole(role=ENTRY))]
        )
    assert str(caught.value) == "AWS default credential chain: Unable to locate credentials"
    assert "aws configure" in caught.value.hint


def test_deleted_key_cannot_start(org: SandboxWorld, aws: BotoAws) -> None:
    (key,) = org.iam(HUB).list_access_keys(UserName="onboard-hub")["AccessKeyMetadata"]
    org.iam(HUB).delete_access_key(UserName="onboard-hub", AccessKeyId=key["AccessKeyId"])
    with pytest.raises(CannotStart) as caught:
        aws.check_sources([member()])
    assert "does not recognize the access key of profile 'hub'" in caught.value.hint


def test_unreachable_aws_cannot_start(
    org: SandboxWorld, monkeypatch: pytest.MonkeyPatch, aws: BotoAws
) -> None:
    assert org.aws_url
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(CannotStart) as caught:
        aws.check_sources([member(), Account(name="x", profile="other")])
    assert "AWS could not be reached" in caught.value.hint


def test_accounts_that_never_call_aws_need_no_source(aws: BotoAws) -> None:
    existing = RoleSpec(via=Via.EXISTING)
    aws.check_sources(
        [
            Account(name="x", account_id=MEMBER, role=existing),
            Account(name="y", profile="missing", enabled=False),
        ]
    )
    aws.check_sources([])


def test_what_is_kept_for_a_profile_is_let_go_after_its_last_account(aws: BotoAws) -> None:
    accounts = [member(), member(OTHER)]
    aws.check_sources(accounts)
    aws.reach(accounts[0])
    assert aws._sources
    session = aws.reach(accounts[1])
    assert not aws._sources
    assert words(bring(session, RoleSpec())) == ["create-role", "attach-policy"]
