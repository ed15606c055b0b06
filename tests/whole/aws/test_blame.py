"""Every row of the table of errors, provoked: what must be said of it, and what must not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from cloudcraft_onboard.aws import organizations
from cloudcraft_onboard.aws.hints import explain_instance
from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.blame.service import FALLBACK
from cloudcraft_onboard.blame.table import TABLE
from cloudcraft_onboard.errors import AccountError, CannotStart
from cloudcraft_onboard.model import Account, RoleSpec, StackSetSpec
from tests.support.aws_proxy import AwsProxy
from tests.support.world import SandboxWorld
from tests.whole.aws.support import MEMBER, bring, member, opened

CASES_OF = Path(__file__).with_name("blame")


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One provocation of a row, as the files in `blame/` have it.

    `action` is refused with `code`, `message` and `status`, or the `config` alone is the trouble;
    `env` is set, or unset where it is empty: {home} is a folder of its own, {proxy_with_tls} the
    proxy as if it spoke TLS. With a `config`, `profile` is to be entered; else a member by the
    profile `hub`, which works, and a role is made in it. `says` must be in message or hint, `never`
    must not.
    """

    row: str
    says: str
    never: str = "sts get-caller-identity"
    action: str = ""
    code: str = ""
    message: str = ""
    status: int = 400
    config: str = ""
    env: dict[str, str] = field(default_factory=dict)
    profile: str | None = "p"
    by: str = "reach"


CASES = [
    Case(**told)
    for file in sorted(CASES_OF.glob("*.yaml"))
    for told in yaml.safe_load(file.read_text(encoding="utf-8"))
]


@pytest.fixture
def troubled(
    proxy: AwsProxy, org: SandboxWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[Case], None]:
    """Sets a case's files and variables."""
    assert org.aws_url

    def prepare(case: Case) -> None:
        (tmp_path / "token").write_text("a.web.token")
        places = {"home": tmp_path, "proxy_with_tls": proxy.url.replace("http:", "https:")}
        if case.config:
            config = tmp_path / "config"
            config.write_text(case.config, encoding="utf-8")
            monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
            monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "REQUESTS_CA_BUNDLE"):
                monkeypatch.delenv(name, raising=False)
        for name, value in case.env.items():
            if value:
                monkeypatch.setenv(name, value.format(**places))
            else:
                monkeypatch.delenv(name, raising=False)
        if case.action:
            proxy.trouble(case.action, status=case.status, code=case.code, message=case.message)

    return prepare


def fail(case: Case, aws: BotoAws) -> object:
    """What fails."""
    match case.by:
        case "instance":
            raise explain_instance(RoleSpec(), case.message, MEMBER)
        case "init":
            return organizations.members(organizations.connect("hub"), profile="hub")
        case "stack sets":
            return aws.stack_sets(StackSetSpec(profile="hub")).observe("cloudcraft-onboard")
        case "organization":
            return aws.stack_sets(StackSetSpec(profile="hub")).organization()
        case _ if case.config:
            return aws.reach(Account(name="a", profile=case.profile))
        case _:
            return bring(aws.reach(member()), RoleSpec(policies=("ReadOnlyAccess",)))


@pytest.mark.parametrize("case", CASES, ids=[f"{n}-{c.row}" for n, c in enumerate(CASES)])
def test_the_right_one_is_blamed(case: Case, troubled: Callable[[Case], None]) -> None:
    troubled(case)
    with opened() as aws, pytest.raises((AccountError, CannotStart)) as caught:
        fail(case, aws)
    error = caught.value
    told = f"{error.message} {error.hint}"
    if isinstance(error, AccountError):
        assert error.cause is not None
        assert error.cause.row.name == case.row, told
    assert case.says in told
    assert case.never not in told
    assert "{" not in error.hint
    assert re.fullmatch(r"(onboard |[A-Z`]).*[.?]", error.hint), error.hint


def test_every_row_is_provoked() -> None:
    elsewhere = {
        "role-in-use",  # tests/whole/aws/test_hints.py, as a deletion
        "role-name-taken",  # tests/whole/aws/test_role.py
        "missing-entity",
        "not-offered",  # tests/whole/aws/test_portal.py
        "not-assigned",
        "sso-session-missing",
        "sso-session-half",
        "missing-dependency",  # tests/whole/aws/test_login.py
        "login-expired",  # tests/whole/aws/test_hints.py: its dependency may be missing
        "unassigned",
        "proxy-login",  # below
        "certificates",
    }
    names = [row.name for row in (*TABLE, FALLBACK)]
    assert len(names) == len(set(names))
    assert set(names) - {case.row for case in CASES} == elsewhere
