"""No text from outside holds the program: every pattern takes time in proportion to a text.

A pattern that is searched in a text of a megabyte is tried with its own beginning, over and over,
which is what makes a bad one quadratic; so is what answers and messages go through as a whole.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

import cloudcraft_onboard
from cloudcraft_onboard.cloudcraft.answers import Answer
from cloudcraft_onboard.console import redact
from cloudcraft_onboard.console.harmless import clean, clean_lines, dumps
from cloudcraft_onboard.errors import ManifestError
from cloudcraft_onboard.manifest.load import loads

MEGABYTE = 2**20

SEEDS = (
    *("a.", "a-", "a://", "a://b@", "http://", "://", "@", "x", "9", "ab/", "=", ":", ";"),
    *(",", "<", "</", "<!--", "<script>", "<script ", "</script ", "<a ", "&#", "&#9", "&#x"),
    *("&", "`", "`a", '"', "'", "\\", '\\"', "(", "[", "{", "{a", "${", "${a:", "*", "_", "~"),
    *("|", "#", "##", "##a", "::", " ::", "\n:", "\r ", "\x1b[", "\x1b[1;", "\x1b[?25", "\n"),
    *(
        "\t",
        " ",
        "AKIA",
        "eyJ",
        "eyJ-",
        "eyJaaaaaaaaa.",
        "hvs.a",
        "gho_a",
        "-----BEGIN PRIVATE KEY-----",
        "ASIA",
        "SecretAccessKey",
        "<SecretAccessKey>",
        "SessionToken: ",
    ),
    *("password=", "0x", 'password="', 'password:\\\\"', "Access_Key_Id ", "api_key=["),
    *("X-Amz-Signature=", "0_", "1:", "Authorization", "Authorization: ", "Authorization\\"),
    *("Authorization='", "Bearer ", "Basic a", "AWS4-HMAC-SHA256 ", "arn:", "arn:aws:iam::"),
    *("arn:aws:iam::111122223333:role/", "111122223333", "User: "),
    *("User: a is not authorized to perform: ", "perform: iam:", "on resource: ", "HTTP1"),
    *("account ", "suspended ", "policy ", "explicit deny ", "verif", "read only ", "admin"),
    *("throttl", "12345678-", "12345678-1234-", "12345678-1234-1234-1234-", "[Errno -"),
    *("\\u12", "\\U1", "1h", "20/10,", "20;w=", "eu-west-", "a/", "a b "),
    *("wJalrXUtnFEMI/K7MDENG", "Zm9v", "team/", "-9"),
)
"""What patterns begin with, and what keeps them looking."""


def cost(work: Callable[[str], object], seed: str, length: int) -> float:
    """Seconds of CPU for a text of `length`."""
    text = (seed * (length // len(seed) + 1))[:length]
    before = time.process_time()
    work(text)
    return time.process_time() - before


def is_linear(work: Callable[[str], object], seed: str) -> bool:
    """Whether 16 times the text takes nearer to 16 times the time than to 256 times."""
    short, long = MEGABYTE // 4096, MEGABYTE // 256
    return any(cost(work, seed, long) < 64 * cost(work, seed, short) for _ in range(5))


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every compiled pattern of the package but the sandbox's, by module and name."""
    for module in pkgutil.walk_packages(cloudcraft_onboard.__path__, "cloudcraft_onboard."):
        if ".sandbox" in module.name or module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            found = value if isinstance(value, tuple) else (value,)
            for number, part in enumerate(found):
                for each in part if isinstance(part, tuple) else (part,):
                    if isinstance(each, re.Pattern) and isinstance(each.pattern, str):
                        yield f"{module.name}.{name} {number} {each.pattern[:40]}", each


PATTERNS = dict(patterns())


def test_there_are_patterns() -> None:
    assert len(PATTERNS) > 40
    assert sum("console.redact" in name for name in PATTERNS) >= 9


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_linear(name: str) -> None:
    pattern = PATTERNS[name]
    for work in (lambda text: pattern.sub("", text), pattern.fullmatch):
        assert [seed for seed in SEEDS if not is_linear(work, seed)] == []


def an_account(number: int, more: str = "") -> str:
    return f'- {{name: A{number}, account_id: "{number:012}"{more}}}\n'


POLICIES = ", ".join(f'"arn:aws:iam::{number:012}:policy/p"' for number in range(20))
START = f"version: 1\ndefaults: {{role: {{policies: [{POLICIES}]}}}}\naccounts:\n"
MANIFESTS: dict[str, Callable[[int], str]] = {
    "access": lambda n: (
        START + an_account(1, f", read_access: [{', '.join(f't{i}' for i in range(n))}]")
    ),
    "policies": lambda n: START + an_account(1, f", role: {{policies: [{', '.join('P' * n)}]}}"),
    "tags": lambda n: (
        START + an_account(1, f", tags: {{{', '.join(f'k{i}: v' for i in range(n))}}}")
    ),
    "duplicates": lambda n: START + an_account(1) * n,
    "regions": lambda n: START + "".join(an_account(i, ", region: eu-wset-1") for i in range(n)),
    "keys": lambda n: START + f"- {{{', '.join(f'k{i}: v' for i in range(n))}}}\n",
    "merges": lambda n: START + "- &a {name: A}\n" + "- {<<: *a, profile: p}\n" * n,
    "halves": lambda n: '{"accounts": ["' + "\\ud800" * n + '"]}',
    "anchors": lambda n: START + "".join(f"- &a{i} x\n" for i in range(n)) + "- *b\n",
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_manifest_is_checked_in_linear_time(kind: str) -> None:
    def work(text: str) -> None:
        with contextlib.suppress(ManifestError):
            loads("manifest.yaml", text.encode())

    def seconds(count: int) -> float:
        text = MANIFESTS[kind](count)
        return cost(work, text, len(text))

    assert any(seconds(3200) < 64 * seconds(200) for _ in range(5))


WHOLE: dict[str, Callable[[str], object]] = {
    "redact": redact.redact,
    "excerpt": redact.excerpt,
    "clean": clean,
    "clean_lines": clean_lines,
    "dumps": dumps,
    "answer": lambda text: Answer(status=502, headers=httpx.Headers(), body=text.encode()).words(),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_texts_go_through_is_linear(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_known", set())
    monkeypatch.setattr(redact, "_pattern", None)
    redact.protect("aaaaaaaaaaaaaaaaab")
    assert [seed for seed in SEEDS if not is_linear(WHOLE[name], seed)] == []


@pytest.mark.parametrize("seed", ["a.", "<SecretAccessKey>", 'password:\\\\"', "Authorization\\"])
def test_a_megabyte_is_redacted(seed: str) -> None:
    assert redact.redact(seed * (MEGABYTE // len(seed)))
