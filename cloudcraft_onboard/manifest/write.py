"""New manifest entries as YAML text: valid by construction, with explaining comments."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, field, replace

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.manifest.nodes import reads_as_text

_UNQUOTED = re.compile(r"[^\W\d_](?:[\w .()/+@&-]*[\w)])?")
"""Texts that mean themselves without quotes, in block and in flow style."""


Way = str | Mapping[str, str | int]
"""A value of `assume_role`: a role's name or ARN, or a mapping with more."""


@frozen
class NewEntry:
    """An account to be written. `comment` is one line for the reader."""

    name: str
    account_id: str | None = None
    profile: str | None = None
    sso: Mapping[str, str] | None = None
    assume_role: Way | None = None
    region: str | None = None
    read_access: tuple[str, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""

    @property
    def has_way(self) -> bool:
        """Whether it says itself how the account is entered."""
        return not (self.profile is None and self.sso is None and self.assume_role is None)


@frozen
class Defaults:
    """The defaults of a manifest, as far as new entries depend on them."""

    profile: str | None = None
    sso: Mapping[str, str] | None = None
    assume_role: Way | None = None
    read_access: tuple[str, ...] | None = None


SCHEMA = "onboard.schema.json"
_MODELINE = f"yaml-language-server: $schema=./{SCHEMA}"


def render(origin: str, defaults: Defaults, entries: Sequence[NewEntry], *, schema: bool) -> str:
    """A whole manifest. `origin` says where its accounts are from, as a clause.

    `schema`: the JSON Schema is in the same folder, so that editors find it.
    """
    editors = [
        "# For help in your editor: `onboard schema > onboard.schema.json` in this folder, and the",
        f"# first line `# {_MODELINE}`.",
    ]
    return "\n".join(
        (
            *([f"# {_MODELINE}", "#"] if schema else []),
            f"# Made by `onboard init` from {clean(origin)}.",
            "# Edit it as you like, then run `onboard validate`, `onboard plan` and `onboard run`.",
            *([] if schema else editors),
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


def block(entry: NewEntry, indent: int = 2, keys: int | None = None) -> list[str]:
    """An entry's lines in block style: its dash behind `indent` spaces, its keys behind `keys`."""
    start = " " * indent
    inner = " " * (indent + 2 if keys is None else keys)
    lines = [f"{inner}{key}: {value}" for key, value in _pairs(entry)]
    lines[0] = f"{start}-{lines[0][indent + 1 :]}"
    return [f"{start}# {entry.comment}", *lines] if entry.comment else lines


def flow(entry: NewEntry) -> str:
    """An entry in flow style, on one line."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in _pairs(entry)) + "}"


def as_json(entry: NewEntry) -> str:
    """An entry as JSON, on one line."""
    told = {k: v for k, v in asdict(entry).items() if k != "comment" and v not in (None, {})}
    return json.dumps(told).replace("##", r"\u0023#")  # as in `scalar`


def unique(entries: Iterable[NewEntry], taken: Collection[str]) -> tuple[list[NewEntry], list[str]]:
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


def _pairs(entry: NewEntry) -> list[tuple[str, str]]:
    pairs = [("name", scalar(entry.name))]
    if entry.profile is not None:
        pairs.append(("profile", scalar(entry.profile)))
    if entry.account_id is not None:
        pairs.append(("account_id", f'"{entry.account_id}"'))
    if entry.sso is not None:
        pairs.append(("sso", _mapping(entry.sso)))
    if entry.assume_role is not None:
        pairs.append(("assume_role", _way(entry.assume_role)))
    if entry.region is not None:
        pairs.append(("region", scalar(entry.region)))
    if entry.read_access is not None:
        pairs.append(("read_access", sequence(entry.read_access)))
    if entry.tags:
        pairs.append(("tags", _mapping(entry.tags)))
    return pairs


def _way(way: Way) -> str:
    return scalar(way) if isinstance(way, str) else _mapping(way)


def _mapping(values: Mapping[str, str | int]) -> str:
    """A YAML mapping, on one line."""
    pairs = (
        f"{scalar(key)}: {scalar(value) if isinstance(value, str) else value}"
        for key, value in values.items()
    )
    return f"{{{', '.join(pairs)}}}"


def _defaults(defaults: Defaults) -> list[str]:
    return [
        *_way_in(defaults),
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


def _way_in(defaults: Defaults) -> list[str]:
    if defaults.sso is not None:
        return [
            "  # The session of the AWS config (`aws sso login --sso-session NAME` logs in), and",
            "  # the permission set to enter each account with.",
            f"  sso: {_mapping(defaults.sso)}",
        ]
    lines = ["  # profile: org-admin  # without one, the AWS SDK's default chain is used"]
    if defaults.profile is not None:
        lines = [
            "  # The AWS profile to take credentials from.",
            f"  profile: {scalar(defaults.profile)}",
        ]
    if defaults.assume_role is not None:
        lines += [
            "  # The role to assume in each account, except in the one that the credentials are",
            "  # already in.",
            f"  assume_role: {_way(defaults.assume_role)}",
        ]
    return lines


def _read_access(defaults: Defaults) -> str:
    if defaults.read_access is None:
        return "# read_access: [everyone]"
    return f"read_access: {sequence(defaults.read_access)}"
