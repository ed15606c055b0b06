from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.console.prose import broken


def test_sentences_are_broken_at_words() -> None:
    text = "onboard: The certificate of api.cloudcraft.co is not trusted: self-signed certificate."
    assert broken(text, 40).splitlines() == [
        "onboard: The certificate of",
        "  api.cloudcraft.co is not trusted:",
        "  self-signed certificate.",
    ]


def test_a_hint_keeps_its_indent() -> None:
    assert broken("  hint: Set the key to one of an Owner.", 24).splitlines() == [
        "  hint: Set the key to",
        "    one of an Owner.",
    ]


def test_commands_in_backticks_are_never_broken() -> None:
    told = broken("Run `aws sso login --profile a-rather-long-one` and try again.", 30)
    assert told.splitlines() == [
        "Run",
        "  `aws sso login --profile a-rather-long-one`",
        "  and try again.",
    ]


@given(st.text(), st.integers(1, 120))
def test_no_word_is_lost(text: str, width: int) -> None:
    assert broken(text, width).split() == text.split()
