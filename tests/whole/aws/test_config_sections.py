"""Sections of the AWS config that the SDK passes over, and which account a profile leads to."""

from __future__ import annotations

from pathlib import Path

import botocore.session
import pytest

from cloudcraft_onboard.aws.profiles import profiles
from cloudcraft_onboard.aws.sections import ignored

ROLE = "role_arn = arn:aws:iam::111122223333:role/x\n"
IGNORED = {
    "[profile My Account:ReadOnly]": '[profile "My Account:ReadOnly"]',
    "[profile Bob's]": '[profile "Bob\'s"]',
    '[profile My "Own" One]': '[profile "My \\"Own\\" One"]',
    '[profile "open]': "[profile open]",
    "[Profile X]": "[profile X]",
    "[PROFILE Two Words]": '[profile "Two Words"]',
    "[ profile x ]": "[profile x]",
    "[x]": "[profile x]",
    "[two words]": '[profile "two words"]',
    "[profile]": "[profile NAME]",
    "[sso_session corp]": "[sso-session corp]",
    "[sso-session my corp]": '[sso-session "my corp"]',
    "[Default]": "[profile Default]",
}
READ = (
    "[default]",
    "[profile default]",
    "[profile x]",
    '[profile "My Account"]',
    "[profile 'Bob s']",
    "[profile   wide]",
    "[sso-session corp]",
    "[services local]",
    "[preview]",
    "[plugins]",
)


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    return path


def read_by_the_sdk() -> list[str]:
    found = botocore.session.Session().full_config
    return [*found["profiles"], *found["sso_sessions"]]


@pytest.mark.parametrize("header", IGNORED)
def test_a_section_that_the_sdk_ignores_is_named_with_line_and_mend(
    config: Path, header: str
) -> None:
    config.write_text(f"# mine\n[profile fine]\n{ROLE}\n{header}\n{ROLE}")
    assert read_by_the_sdk() == ["fine"]
    (found,) = ignored()
    assert (found.line, found.header, found.mend) == (5, header, IGNORED[header])
    assert f"{config}:5: " in str(found)
    config.write_text(f"{found.mend}\n{ROLE}")
    assert ignored() == ()
    assert read_by_the_sdk() == [found.name or "NAME"]


@pytest.mark.parametrize("header", READ)
def test_a_section_that_is_read_is_not_named(config: Path, header: str) -> None:
    config.write_text(f"{header}\n{ROLE}")
    assert ignored() == ()


def test_no_config_and_one_in_another_encoding_name_nothing(config: Path) -> None:
    assert ignored() == ()
    config.write_bytes(b"[profile x]\nregion = \xff\n[\xe9]\n")
    assert [found.line for found in ignored()] == [3]


@pytest.mark.parametrize(
    ("setting", "account_id"),
    [
        ("role_arn = arn:aws-us-gov:iam::111122223333:role/a/b", "111122223333"),
        ("sso_account_id = 012345678901", "012345678901"),
        ("granted_sso_account_id = 111122223333", "111122223333"),
        ("x_principal_arn = arn:aws:sts::111122223333:assumed-role/A/me", "111122223333"),
        ("login_session = arn:aws:iam::111122223333:user/me", "111122223333"),
        (
            "credential_process = aws-sso -S X process --arn arn:aws:iam::111122223333:role/A",
            "111122223333",
        ),
        ("credential_process = aws-sso process -A 111122223333 -R Admin", "111122223333"),
        ("credential_process = other --for 111122223333", None),
        ("sso_account_id = 11112222333", None),
        ("region = us-east-1", None),
    ],
)
def test_the_config_tells_which_account_a_profile_leads_to(
    config: Path, setting: str, account_id: str | None
) -> None:
    config.write_text(f"[profile p]\n{setting}\n")
    assert [(it.name, it.account_id) for it in profiles()] == [("p", account_id)]
