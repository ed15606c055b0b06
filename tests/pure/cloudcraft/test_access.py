"""The key and the base URL are checked before anything is contacted."""

from __future__ import annotations

import pytest

from cloudcraft_onboard.cloudcraft.access import check_base_url, check_key
from cloudcraft_onboard.errors import CannotStart, UsageError


@pytest.mark.parametrize("key", ["x", "k" * 44, "a-b_c.d~e+f/g==", "k" * 500])
def test_any_printable_key_is_accepted_whatever_its_length(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        " ",
        "secret key",
        "secret\n",
        "\tsecret",
        "secret\x00",
        "secret\x7f",
        "sécret",
        "secret\u200b",
    ],
    ids=repr,
)
def test_a_key_that_cannot_be_sent_is_refused_and_not_named(key: str) -> None:
    with pytest.raises(CannotStart) as refused:
        check_key(key)
    assert "cret" not in refused.value.message + refused.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "https://api.cloudcraft.co",
        "https://api.cloudcraft.co/",
        "https://proxy.example:8443/cloudcraft",
        "http://localhost:8080",
        "http://127.0.0.1:1",
        "http://127.8.9.10",
        "http://[::1]:8080",
    ],
)
def test_https_and_loopback_are_accepted(url: str) -> None:
    check_base_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.cloudcraft.co",
        "http://api.cloudcraft.co",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://[::ffff:10.0.0.1]",
        "http://0x7f000001",
        "ftp://localhost",
        "file:///etc/passwd",
        "https://user:secret@api.cloudcraft.co",
        "https://token@api.cloudcraft.co",
        "https://api.cloudcraft.co?key=x",
        "https://api.cloudcraft.co/?",
        "https://api.cloudcraft.co/#x",
        "https://api.cloudcraft.co:99999",
        "https://[::1",
        "https:// api.cloudcraft.co",
        "https://api.cloudcraft.co\n",
        "https://",
    ],
    ids=repr,
)
def test_every_other_base_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_base_url(url)
    assert "secret" not in refused.value.message
