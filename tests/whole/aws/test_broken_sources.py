"""Whatever is wrong with a source of credentials is the problem of its accounts alone."""

from __future__ import annotations

import json
import os
import shlex
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.utils import parse_timestamp

from cloudcraft_onboard.app.init import Wishes, create
from cloudcraft_onboard.aws.sdk import _timestamp
from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.errors import AccountError, CannotStart
from cloudcraft_onboard.model import Account, Stage
from cloudcraft_onboard.sources.organization import OrganizationAccounts
from cloudcraft_onboard.sources.profiles import Profiles
from tests.support.answering import answering
from tests.support.onboarding import run
from tests.support.process import HANG, onboard
from tests.support.world import MakeWorld, SandboxWorld
from tests.whole.aws.support import ENTRY, HUB, MEMBER, member, opened

KEY = {"Version": 1, "AccessKeyId": HUB, "SecretAccessKey": "of the root"}
LONG_AGO = "2001-01-01T00:00:00Z"
BY_HUB = f"role_arn = arn:aws:iam::{MEMBER}:role/{ENTRY}\nsource_profile = hub"
# What stands in a profile, by what is wrong with it.
BROKEN = {
    "no-such-command": "credential_process = /nowhere/at/all",
    "not-executable": "credential_process = /etc/passwd",
    "no-JSON": "credential_process = echo {",
    "a-list": "credential_process = echo []",
    "a-number": "credential_process = echo 1",
    "nothing": "credential_process = true",
    "no-text": "credential_process = printf '\\\\377'",
    "no-version": "credential_process = echo {}",
    "keys-are-numbers": """credential_process = echo '{"Version": 1, "AccessKeyId": 1,
        "SecretAccessKey": 2}'""".replace("\n       ", ""),
    "bad-expiration": f"credential_process = echo '{json.dumps({**KEY, 'Expiration': 'soon'})}'",
    "odd-expiration": f"credential_process = echo '{json.dumps({**KEY, 'Expiration': [1]})}'",
    "expired": f"credential_process = echo '{json.dumps({**KEY, 'Expiration': LONG_AGO})}'",
    "unbalanced-quotes": "credential_process = echo '",
    "bad-retries": f"{BY_HUB}\nmax_attempts = x",
    "bad-mode": f"{BY_HUB}\nretry_mode = x",
    "half-a-key": f"aws_access_key_id = {HUB}",
    "no-token-file": f"role_arn = arn:aws:iam::{HUB}:role/x\nweb_identity_token_file = /nowhere",
    "token-file-is-a-folder": f"role_arn = arn:aws:iam::{HUB}:role/x\n"
    "web_identity_token_file = /etc",
    "no-source": f"role_arn = arn:aws:iam::{HUB}:role/x",
    "loop": f"role_arn = arn:aws:iam::{HUB}:role/x\nsource_profile = {{}}",
    "unknown-source": f"role_arn = arn:aws:iam::{HUB}:role/x\ncredential_source = Moon",
    "broken-source": f"role_arn = arn:aws:iam::{HUB}:role/x\nsource_profile = no-JSON",
}


@pytest.fixture
def profiles(org: SandboxWorld) -> None:
    """Every broken profile, by the name of what is wrong with it."""
    assert org.aws_url
    with Path(os.environ["AWS_CONFIG_FILE"]).open("a", encoding="utf-8") as file:
        file.writelines(
            f"\n[profile {name}]\n"
            f"{text.replace('{}', name).replace('of the root', org.root_secret)}\n"
            for name, text in BROKEN.items()
        )


@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_source_is_explained(aws: BotoAws, name: str) -> None:
    with pytest.raises(AccountError) as caught:
        aws.reach(member(profile=name))
    error = caught.value
    assert error.stage is Stage.REACH
    assert error.message
    assert error.hint
    assert "bug" not in error.hint


@pytest.mark.usefixtures("profiles")
def test_one_that_works_is_enough_and_none_cannot_start(aws: BotoAws) -> None:
    broken = [member(str(10**11 + n), profile=name) for n, name in enumerate(BROKEN)]
    with pytest.raises(CannotStart) as caught:
        aws.check_sources(broken)
    assert caught.value.exit_code == 3
    aws.check_sources([*broken, member()])


def test_the_default_chain_is_a_source_like_any_other(
    org: SandboxWorld, aws: BotoAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere")
    monkeypatch.setenv("AWS_ROLE_ARN", f"arn:aws:iam::{HUB}:role/x")
    assert org.aws_url
    with pytest.raises(CannotStart) as caught:
        aws.check_sources([member(profile=None)])
    assert "/nowhere" in caught.value.message


@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize("arn", ["", "arn", "arn:aws:iam::1:root", "a:b:c:d:e:f", "\x1b[2J"])
def test_an_identity_that_cannot_be_understood(
    aws: BotoAws, monkeypatch: pytest.MonkeyPatch, arn: str
) -> None:
    body = (
        "<GetCallerIdentityResponse><GetCallerIdentityResult>"
        f"<Arn>{arn.replace(chr(27), '')}</Arn>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
    with answering(lambda *_: (200, {"Content-Type": "text/xml"}, body.encode())) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(AccountError) as caught:
            aws.reach(member())
    assert caught.value.code == "UnexpectedAnswer"


def test_two_good_accounts_beside_a_broken_one(make_world: MakeWorld) -> None:
    text = """
version: 1
accounts:
  - {name: Good, profile: good}
  - {name: Broken, profile: broken}
  - {name: Fine, profile: fine}
"""
    world = make_world(text)
    config = Path(os.environ["AWS_CONFIG_FILE"])
    credentials = Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    kept = credentials.read_text(encoding="utf-8").replace("[broken]", "[unused]")
    for setting in ("no-such-command", "no-JSON", "expired", "half-a-key"):
        credentials.write_text(kept, encoding="utf-8")
        config.write_text(f"[profile broken]\n{BROKEN[setting]}\n", encoding="utf-8")
        ended = run(world)
        assert ended.code == 1
        assert ended.outcomes[1] == "failed"
        assert set(ended.outcomes[::2]) <= {"created", "unchanged"}
        assert "bug" not in ended.account("Broken")["error"]["hint"]


@pytest.mark.usefixtures("profiles")
def test_init_goes_on_past_broken_profiles(tmp_path: Path) -> None:
    wishes = Wishes(resolve=True)
    said = create(Profiles(glob="*"), wishes, str(tmp_path / "m.yaml")).said
    for name, text in BROKEN.items():
        unknown = any(f"Profile {name}: unknown account ID." in line for line in said)
        assert unknown or "role_arn" in text


def test_organizations_are_read_by_a_source_like_any_other(org: SandboxWorld) -> None:
    assert org.aws_url
    with Path(os.environ["AWS_CONFIG_FILE"]).open("a", encoding="utf-8") as file:
        file.write("\n[profile broken]\ncredential_process = echo []\n")
    with pytest.raises(CannotStart) as caught:
        create(OrganizationAccounts(profile="broken"), Wishes(), None)
    assert caught.value.hint


# --- processes that hang --------------------------------------------------------------------------


def hanging(folder: Path) -> str:
    """A `credential_process` that starts a child, says their IDs in a file, and hangs."""
    script, file = folder / "hang.sh", shlex.quote(str(folder / "pids"))
    script.write_text(f"sleep 600 &\necho $$ $! > {file}.new\nmv {file}.new {file}\nwait\n")
    return f"/bin/sh {script}"


def gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "State:\tZ" in status.read_text(encoding="ascii")


def left_of(pids: list[int]) -> list[int]:
    """Those that still run after a while; they are ended then."""
    until = time.monotonic() + HANG
    while not all(map(gone, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    left = [pid for pid in pids if not gone(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return left


def wait_for(file: Path) -> list[int]:
    until = time.monotonic() + HANG
    while not file.exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    return [int(pid) for pid in file.read_text().split()]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("profile", ["hangs", "byway"])
def test_a_process_that_hangs_is_ended_with_what_it_started(
    org: SandboxWorld, tmp_path: Path, profile: str
) -> None:
    assert org.aws_url
    with Path(os.environ["AWS_CONFIG_FILE"]).open("a", encoding="utf-8") as file:
        file.write(f"\n[profile hangs]\ncredential_process = {hanging(tmp_path)}\n")
        file.write("[profile byway]\nsource_profile = hangs\n")
        file.write(f"role_arn = arn:aws:iam::{MEMBER}:role/x\n")
    with opened() as aws, ThreadPoolExecutor(1) as pool:
        ending = pool.submit(aws.reach, Account(name="x", profile=profile))
        pids = wait_for(tmp_path / "pids")
        assert not any(map(gone, pids))
        aws.close()
        error = ending.exception(HANG)
    assert isinstance(error, AccountError)
    assert error.code == "CredentialRetrievalError"
    assert left_of(pids) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_a_budget_that_ends_leaves_no_process_behind(make_world: MakeWorld, tmp_path: Path) -> None:
    make_world(
        "version: 1\naccounts:\n  - {name: Good, profile: good}\n"
        "  - {name: Hangs, profile: hangs, account_id: '300000000002', assume_role: x}\n"
    )
    config = Path(os.environ["AWS_CONFIG_FILE"])
    config.write_text(f"[profile hangs]\ncredential_process = {hanging(tmp_path)}\n")
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(
        Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).read_text().replace("[hangs]", "[x]")
    )
    ended = onboard(tmp_path / "run", "run", tmp_path / "manifest.yaml", "--time-budget", "6s")
    assert ended.code == 1
    if (tmp_path / "pids").exists():  # a busy machine may not have come so far
        assert left_of(wait_for(tmp_path / "pids")) == []


# --- many sources ---------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_a_source_that_hangs_does_not_hold_up_one_that_works(
    org: SandboxWorld, tmp_path: Path
) -> None:
    assert org.aws_url
    with Path(os.environ["AWS_CONFIG_FILE"]).open("a", encoding="utf-8") as file:
        file.write(f"\n[profile hangs]\ncredential_process = {hanging(tmp_path)}\n")
    with opened() as aws:
        aws.check_sources([Account(name="x", profile="hangs"), member()])
        assert aws.reach(member()).identity.account_id == MEMBER
        pids = wait_for(tmp_path / "pids")
    assert left_of(pids) == []


def test_what_is_remembered_of_broken_sources_is_small(org: SandboxWorld, aws: BotoAws) -> None:
    assert org.aws_url
    names = [f"missing-{number:02}" for number in range(20)]
    with pytest.raises(CannotStart) as caught:
        aws.check_sources([Account(name=name, profile=name) for name in names])
    # In the manifest's order, however they were tried, and one cause once.
    assert [n for n in names if f"profile {n}" in caught.value.message] == names[:5]
    assert "15 more" in caught.value.message
    for name in names:
        refusal = aws._sources[name]._once._refusal
        assert refusal is not None
        assert refusal.__traceback__ is None
        assert refusal.__cause__ is None
        assert refusal.__context__ is None


def test_profiles_with_roles_share_their_clients(org: SandboxWorld, aws: BotoAws) -> None:
    assert org.aws_url
    role = f"role_arn = arn:aws:iam::{MEMBER}:role/{ENTRY}\nsource_profile = hub\n"
    names = [f"role-{number}" for number in range(20)]
    with Path(os.environ["AWS_CONFIG_FILE"]).open("a", encoding="utf-8") as file:
        file.writelines(f"\n[profile {name}]\n{role}role_session_name = {name}\n" for name in names)
    for name in names:
        identity = aws.reach(Account(name=name, profile=name)).identity
        assert identity.arn.endswith(f"assumed-role/{ENTRY}/{name}")
    assert len(aws._sdk._clients) == 3, "STS and IAM, and STS for what profiles do on the way"


@pytest.mark.parametrize(
    "told",
    [
        *("2026-11-26T17:40:00Z", "2026-11-26T17:40:00.125Z", "2026-11-26T17:40:00+02:00"),
        *("2026-11-26T17:40:00", "20261126T174000Z", "Thu, 26 Nov 2026 17:40:00 GMT"),
        *("1795714800", 1795714800, 1795714800.5),
    ],
)
def test_times_mean_what_they_mean_to_the_sdk(told: Any) -> None:
    assert _timestamp(told) == parse_timestamp(told)
