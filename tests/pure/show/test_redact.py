from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cloudcraft_onboard.console import redact as redaction
from cloudcraft_onboard.console.redact import MARGIN, excerpt, protect, redact

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", set())
    monkeypatch.setattr(redaction, "_pattern", None)


@pytest.mark.parametrize(
    "text",
    [
        "key AKIAIOSFODNN7EXAMPLE",
        "id ASIAIOSFODNN7EXAMPLE,",
        f"<SecretAccessKey>{SECRET}</SecretAccessKey>",
        f"<SessionToken>{SECRET}",
        json.dumps({"SecretAccessKey": SECRET}),
        json.dumps(json.dumps({"SessionToken": SECRET})),
        repr({"SecretAccessKey": SECRET, "SessionToken": SECRET.encode()}),
        repr(json.dumps({"SessionToken": SECRET})),
        f"aws_secret_access_key = {SECRET}",
        f"X-Amz-Security-Token: {SECRET}",
        f"x-amz-security-token={urllib.parse.quote(SECRET, safe='')}&a=b",
        f"https://bucket/?X-Amz-Signature={SECRET}&X-Amz-Credential={SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"('Authorization', 'Bearer {SECRET}')",
        f"[(b'Authorization', b'Bearer {SECRET}')]",
        f"'Authorization': 'AWS4-HMAC-SHA256 Credential=x/y, Signature={SECRET}'",
        f"AWS4-HMAC-SHA256 Credential=x, Signature={SECRET}",
        f"WebIdentityToken={SECRET}&Action=AssumeRoleWithWebIdentity",
        f"refusing Bearer {SECRET}",
        f"token eyJhbGciOiJIUzI1NiJ9.{SECRET.replace('/', '_').replace('+', '-')}.x",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
        f"VAULT_TOKEN hvs.{SECRET.replace('/', '_').replace('+', '-')}",
        f"auth_token: {SECRET}",
        f"passphrase={SECRET}",
    ],
)
def test_what_looks_like_a_secret_goes(text: str) -> None:
    redacted = redact(text)
    assert redaction.REDACTED in redacted
    for part in (SECRET, "IOSFODNN7EXAMPLE", SECRET[:20], urllib.parse.quote(SECRET, safe="")):
        assert part not in redacted


@pytest.mark.parametrize("pattern", redaction._NAMES)
def test_a_field_goes_however_its_name_is_written(pattern: str) -> None:
    name = pattern.replace("?", "")
    alike = {"i": "\u0131", "s": "\u017f"}
    odd = alike.get(name[0].lower(), name[0]) + name[1:]
    for form in (name, name.lower(), name.upper(), name.title(), pattern.replace("_?", ""), odd):
        for text in (f"{form}={SECRET}", f'x"{form}": "{SECRET}"', f"<{form}>{SECRET}"):
            assert SECRET[:6] not in redact(text), form


def test_userinfo_of_addresses_goes() -> None:
    assert redact("via http://me:hunter22@proxy:3128/") == "via http://[redacted]@proxy:3128/"


@pytest.mark.parametrize(
    "text",
    [
        "AccessDenied: User: arn:aws:iam::111122223333:user/ops is not authorized to perform:",
        "sts:AssumeRole on resource: arn:aws:iam::222233334444:role/OrganizationAccountAccessRole",
        "ExpiredToken: the security token included in the request is expired",
        "There is no Cloudcraft API key. Set CLOUDCRAFT_API_KEY, or CLOUDCRAFT_API_KEY_FILE",
        "GET /aws/account 200 0.31s",
        "org.yaml:4:11: 'prod ' is no region",
        "the profile 'prod' has no credentials; run aws sso login --profile prod",
    ],
)
def test_messages_for_people_stay(text: str) -> None:
    assert redact(text) == text


def test_account_ids_and_short_words_are_not_taken_for_secrets() -> None:
    protect("111122223333")
    protect("prod")
    assert redact("111122223333 prod") == "111122223333 prod"


def test_the_longer_of_two_secrets_goes_whole() -> None:
    protect("abcdefgh")
    protect("abcdefghijkl")
    assert redact("abcdefghijkl") == "[redacted]"


SECRETS = st.text(st.characters(codec="ascii", min_codepoint=33), min_size=8, max_size=60)


@given(SECRETS, st.binary(max_size=5), st.binary(max_size=5))
def test_a_protected_secret_is_found_in_every_form(
    secret: str, before: bytes, after: bytes
) -> None:
    assume(not secret.isdigit() and secret not in redaction.REDACTED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redaction, "_known", set())
        patch.setattr(redaction, "_pattern", None)
        protect(secret)
        forms = (
            secret,
            urllib.parse.quote(secret),
            urllib.parse.quote(secret, safe=""),
            urllib.parse.quote_plus(secret),
            repr(secret),
            repr({"key": secret}),
        )
        for form in forms:
            assert secret not in redact(f"a {form} b")
            assert redaction.REDACTED in redact(f"a {form} b")
        encoded = base64.b64encode(before + secret.encode() + after).decode()
        assert redaction.REDACTED in redact(encoded)
        assert base64.b64encode(secret.encode()).decode().rstrip("=")[:-1] not in redact(encoded)


@given(st.text(max_size=300))
def test_any_text_can_be_redacted(text: str) -> None:
    assert isinstance(redact(text), str)


def test_what_is_cut_off_tells_no_half_of_a_secret() -> None:
    protect(SECRET)
    for before in range(1900, 2100):
        for fill in ("x", "a ", f"password={'y' * 50} "):
            text = (fill * 2100)[:before] + SECRET + "z" * 30_000
            told = excerpt(text)
            assert SECRET[:6] not in told
            assert len(told) < 2100
            assert "more characters)" in told
    for cut in range(MARGIN + 1990, MARGIN + 2010):  # beyond what is looked at
        text = f"password={'y' * 5000} {'b' * cut}"[: cut - 20] + SECRET * 200
        assert SECRET[:6] not in excerpt(text)


def test_a_short_text_is_told_as_it_is() -> None:
    assert excerpt("x" * 2000) == "x" * 2000
    assert excerpt("x" * 2001) == f"{'x' * 2000}… (1 more characters)"
    assert excerpt(f"<SecretAccessKey>{'x' * 50_000}") == "[redacted]… (48,017 more characters)"
