"""New manifest entries as YAML text: valid by construction, with explaining comments."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from cloudcraft_onboard.manifest.nodes import reads_as_text

_UNQUOTED = re.compile(r"[^\W\d_](?:[\w .()/+@&-]*[\w)])?")
"""Texts that mean themselves without quotes, in block and in flow style."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An account to be written. `comment` is one line for the reader."""

    name: str
    account_id: str | None = None
    profile: str | None = None
    assume_role: str | None = None
    read_access: tuple[str, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Defaults:
    """The defaults of a new manifest."""

    profile: str | None = None
    assume_role: str | None = None
    read_access: tuple[str, ...] | None = None


def render(origin: str, defaults: Defaults, entries: Sequence[Entry]) -> str:
    """A whole manifest. `origin` says where its accounts are from, as a clause."""
    return "\n".join(
        (
            "# yaml-language-server: $schema=./onboard.schema.json",
            "# For help in your editor: onboard schema > onboard.schema.json",
            "#",
            f"# Made by `onboard init` from {origin}.",
            "# Edit it as you like, then run `onboard validate`, `onboard plan` and `onboard run`.",
            "version: 1",
            "",
            "# Defaults for every account that does not override them.",
            "defaults:",
            *_defaults(defaults),
            "",
            "accounts:",
            *(line for entry in entries for line in block(entry)),
            "",
        )
    )


def block(entry: Entry, indent: int = 2, keys: int | None = None) -> list[str]:
    """An entry's lines in block style: its dash behind `indent` spaces, its keys behind `keys`."""
    start = " " * indent
    inner = " " * (indent + 2 if keys is None else keys)
    lines = [f"{inner}{key}: {value}" for key, value in _pairs(entry)]
    lines[0] = f"{start}-{lines[0][indent + 1 :]}"
    return [f"{start}# {entry.comment}", *lines] if entry.comment else lines


def flow(entry: Entry) -> str:
    """An entry in flow style, on one line."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in _pairs(entry)) + "}"


def as_json(entry: Entry) -> str:
    """An entry as JSON, on one line."""
    told = {k: v for k, v in asdict(entry).items() if k != "comment" and v not in (None, {})}
    return json.dumps(told).replace("##", r"\u0023#")  # as in `scalar`


def unique(entries: Iterable[Entry], taken: Collection[str]) -> tuple[list[Entry], list[str]]:
    """Give each entry a unique name; return the entries, and a sentence for each renamed one.

    The first keeps its name, so that a name never changes because an account was added.
    """
    names = set(taken)
    result, said = [], []
    for entry in entries:
        name = clean(entry.name) or entry.account_id or entry.profile or "account"
        addition = f" ({entry.account_id or entry.profile})"
        while name in names:
            name += addition
        if name != clean(entry.name):
            said.append(
                f"{entry.account_id or entry.profile} is named {name!r} here, since "
                f"{entry.name!r} is " + ("taken." if clean(entry.name) else "blank.")
            )
        names.add(name)
        result.append(replace(entry, name=name))
    return result, said


def clean(text: str) -> str:
    """One line, without characters that a manifest refuses."""
    kept = (c if unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") else " " for c in text)
    return " ".join("".join(kept).split())


def scalar(text: str) -> str:
    """A text as a YAML value, in quotes where they are needed."""
    if _UNQUOTED.fullmatch(text) and reads_as_text(text):
        return text
    # JSON's own escapes are pairs of surrogates beyond U+FFFF, which YAML doesn't take.
    told = "".join(
        c if c.isprintable() else f"\\U{ord(c):08X}" for c in json.dumps(text, ensure_ascii=False)
    )
    return told.replace("##", r"\x23#")  # `##[...]` is a CI runner's command, wherever it stands


def sequence(texts: Sequence[str]) -> str:
    """Texts as a YAML list, on one line."""
    return f"[{', '.join(map(scalar, texts))}]"


def _pairs(entry: Entry) -> list[tuple[str, str]]:
    pairs = [("name", scalar(entry.name))]
    if entry.profile is not None:
        pairs.append(("profile", scalar(entry.profile)))
    if entry.account_id is not None:
        pairs.append(("account_id", f'"{entry.account_id}"'))
    if entry.assume_role is not None:
        pairs.append(("assume_role", scalar(entry.assume_role)))
    if entry.read_access is not None:
        pairs.append(("read_access", sequence(entry.read_access)))
    if entry.tags:
        tags = ", ".join(f"{scalar(key)}: {scalar(value)}" for key, value in entry.tags.items())
        pairs.append(("tags", f"{{{tags}}}"))
    return pairs


def _defaults(defaults: Defaults) -> list[str]:
    lines = []
    if defaults.profile is not None:
        lines += [
            "  # The AWS profile to take credentials from.",
            f"  profile: {scalar(defaults.profile)}",
        ]
    else:
        lines.append("  # profile: org-admin  # without one, the AWS SDK's default chain is used")
    if defaults.assume_role is not None:
        lines += [
            "  # The role to assume in each account, except in the one that the credentials are",
            "  # already in.",
            f"  assume_role: {scalar(defaults.assume_role)}",
        ]
    return [
        *lines,
        "  # The region from which Cloudcraft checks the account.",
        "  region: us-east-1",
        "  # The role with which Cloudcraft reads the account.",
        "  role:",
        "    name: cloudcraft",
        "    policies: [ReadOnlyAccess]",
        "  # Who sees the accounts in Cloudcraft: teams by name or ID, or everyone. Without it,",
        "  # only administrators do, until somebody shares them in Cloudcraft.",
        f"  {_read_access(defaults)}",
    ]


def _read_access(defaults: Defaults) -> str:
    if defaults.read_access is None:
        return "# read_access: [everyone]"
    return f"read_access: {sequence(defaults.read_access)}"
