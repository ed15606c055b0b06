"""What a row of a list says of an account, by the names of its columns or keys. Pure.

Lists differ in where their rows are (`formats.py`), hardly in what they call things: one vocabulary
serves all of them. What has no place in a manifest becomes a tag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.manifest import rules
from cloudcraft_onboard.manifest.source import quoted
from cloudcraft_onboard.manifest.write import Way, clean
from cloudcraft_onboard.model.arn import Arn, account_of, is_arn
from cloudcraft_onboard.sources.columns import (
    Value,
    Word,
    flat,
    is_secret,
    letters,
    looks_like_id,
    pairs_of,
    several,
    text_of,
    word_of,
)
from cloudcraft_onboard.sources.found import Candidate, is_open

_ONE = frozenset(
    {Word.NAME, Word.EMAIL, Word.PROFILE, Word.ROLE, Word.EXTERNAL_ID, Word.SESSION, Word.DURATION}
    | {Word.REGION, Word.REGIONS, Word.OU, Word.PROVIDER}
)
"""What an account has one of."""

_STATES = frozenset(
    {"ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED", "PENDING_ACTIVATION", "PENDING_CREATION"}
)
_AWS = frozenset({"aws", "amazon", "amazonwebservices", "awscloud"})
_DIGITS = 12


@frozen
class ListRow:
    """One row; its place counts from 1. `name` is what the list calls it besides its columns."""

    line: int
    column: int
    values: Mapping[str, Value]
    name: str = ""


@dataclass(kw_only=True)
class Reading:
    """What the rows of a list said: candidates, sentences for the reader, states by account ID."""

    candidates: list[Candidate] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)


Complain = Callable[[int, int, str], None]
"""Takes line, column and what is wrong there."""


def read(rows: Sequence[ListRow], path: str, complain: Complain) -> Reading:
    """What the rows say; each is a candidate, a sentence, or an error."""
    told = Reading()
    lines: dict[str, int] = {}
    secrets: dict[str, int] = {}
    nameless: list[int] = []
    for row in rows:
        reader = _Reader(row, complain)
        candidate = reader.candidate()
        told.said += [f"{path}:{row.line}: {aside}" for aside in reader.asides]
        if candidate is None or candidate.account_id is None:
            continue
        for key in reader.secrets:
            secrets[key] = secrets.get(key, 0) + 1
        nameless += [row.line] if reader.nameless else []
        first = lines.setdefault(candidate.account_id, row.line)
        if first != row.line:
            complain(
                row.line,
                row.column,
                f"account_id: {quoted(candidate.account_id)} is the account of line {first} too",
            )
        if reader.state:
            told.states[candidate.account_id] = reader.state
        if reader.state and reader.state != "ACTIVE":
            told.said.append(
                f"{path}:{row.line}: left out {candidate.name} ({candidate.account_id}): it is"
                f" {reader.state}."
            )
            continue
        told.candidates.append(candidate)
    told.said += [
        f"{path}: left out `{clean(key)}` of {_accounts(count)}: secrets have no place in a"
        " manifest."
        for key, count in secrets.items()
    ]
    if nameless:
        told.said.append(
            f"{path}:{nameless[0]}: left out what has no name of {_accounts(len(nameless))}: a tag"
            " needs one."
        )
    return told


def _accounts(count: int) -> str:
    return f"{count} account{'' if count == 1 else 's'}"


class _Reader:
    """Reads one row."""

    def __init__(self, row: ListRow, complain: Complain) -> None:
        self._row = row
        self._complain = complain
        self._by_word: dict[Word, list[tuple[str, Value]]] = {}
        self._rest: list[tuple[str, Value]] = []
        self.asides: list[str] = []
        self.secrets: list[str] = []
        self.nameless = False
        self.state = ""
        for key, value in flat(row.values):
            self._take(key, value)

    def _take(self, key: str, value: Value) -> None:
        """Sort a value by what it is about; a second one that says something else becomes a tag."""
        word = word_of(key)
        if value in (None, "", [], {}):
            return
        told = self._by_word.setdefault(word, []) if word else []
        if word is Word.CREDENTIALS or (word is None and is_secret(key, value)):
            self.secrets.append(key)
        elif word is None or (word in _ONE and told and told[0][1] != value):
            self._rest.append((key, value))
        else:
            told.append((key, value))

    def candidate(self) -> Candidate | None:
        """The account; None where it is another cloud's, or where something is wrong."""
        provider = self._text(Word.PROVIDER)
        if provider and letters(provider) not in _AWS:
            name = self._text(Word.NAME) or self._text(Word.ID) or self._row.name
            self.asides.append(f"left out {clean(name)}: it is of {clean(provider)}, not of AWS.")
            return None
        account_id = self._account_id()
        if account_id is None:
            return None
        self._take_state()
        self._take_arn(account_id)
        path = tuple(part for part in clean(self._text(Word.OU)).split("/") if part)
        return Candidate(
            name=self._name() or account_id,
            account_id=account_id,
            email=self._text(Word.EMAIL),
            path=path,
            profile=clean(self._text(Word.PROFILE)) or None,
            assume_role=self._way(account_id),
            region=self._region(),
            tags=self._tags(path),
        )

    def _error(self, message: str) -> None:
        self._complain(self._row.line, self._row.column, message)

    def _account_id(self) -> str | None:
        """The ID; an error where it is none."""
        texts = [text_of(value) for _, value in self._by_word.get(Word.ID, [])]
        texts = [text for text in texts if not re.search("[A-Za-z]{2}", text)] or texts[:1]
        found = next((text for text in texts if looks_like_id(text)), next(iter(texts), ""))
        self._rest += [
            (key, value)
            for key, value in self._by_word.get(Word.ID, [])
            if text_of(value) not in (found, self._name())
        ]
        if not found:
            self._error("`account_id` is missing: the 12 digits of an AWS account")
            return None
        if re.fullmatch(r"[0-9]{4}-[0-9]{4}-[0-9]{4}", found):
            return found.replace("-", "")
        if excel := re.fullmatch(r"""(?:="([0-9]{12})"|'([0-9]{12}))""", found):
            return excel[1] or excel[2]
        why = rules.account_id(found)
        if why is None:
            return found
        if re.fullmatch(r"[0-9]\.?[0-9]*[eE]\+?[0-9]+", found):
            why = "is what a spreadsheet made of an account ID; format the column as text"
        elif found.isdecimal() and 9 <= len(found) < _DIGITS:  # noqa: PLR2004 - three zeros at most
            why += (
                f". A spreadsheet takes leading zeros away: is it {found.zfill(_DIGITS)}? Write all"
                " digits, as text"
            )
        self._error(f"account_id: {quoted(found)} {why}")
        return None

    def _name(self) -> str:
        """What it is called; a column `account` may be its name as well as its ID."""
        texts = [text_of(value) for _, value in self._by_word.get(Word.NAME, [])]
        texts += [self._row.name]
        texts += [
            text_of(value)
            for key, value in self._by_word.get(Word.ID, [])
            if letters(key) in ("account", "awsaccount") and re.search("[A-Za-z]", text_of(value))
        ]
        return next((clean(text) for text in texts if clean(text)), "")

    def _take_state(self) -> None:
        """The state in the words of AWS Organizations; a status of another kind is a tag."""
        for key, value in self._by_word.get(Word.STATE, []):
            state = text_of(value).strip().upper().replace(" ", "_")
            if state not in _STATES:
                self._rest.append((key, value))
            elif not self.state or is_open(self.state):
                self.state = state

    def _take_arn(self, account_id: str) -> None:
        """An ARN is a role's, or says the account's ID once more; any other is a tag."""
        for key, value in self._by_word.get(Word.ARN, []):
            if ":role/" in text_of(value):
                self._take(Word.ROLE.value[0], value)
            elif account_id not in text_of(value):
                self._rest.append((key, value))

    def _way(self, account_id: str) -> Way | None:
        """The role to assume; of a chain of roles, the last one is in the account."""
        told = self._by_word.get(Word.ROLE, [])
        roles = [text_of(role).strip() for _, value in told for role in several(value)]
        if not roles:
            return self._more(account_id) or None  # of the role that all others are entered by
        *hops, role = roles
        if hops:
            self.asides.append(
                f"left out {', '.join(map(clean, hops))}: only the last role of a chain is assumed;"
                " configure the others as a profile in the AWS config, and give it as --profile."
            )
        if "/" in role and not is_arn(role):
            role = str(Arn.role("aws", account_id, role.lstrip("/")))
        role = role.replace("{account_id}", account_id)
        why = rules.role(role)
        owner = account_of(role)
        if why is None and owner not in (None, account_id):
            why = f"is in account {owner}, not {account_id}"
        if why:
            self._error(f"role: {quoted(role, 200)} {why}")
        more = self._more(account_id)
        return {"role": role, **more} if more else role

    def _more(self, account_id: str) -> dict[str, str | int]:
        """What `sts:AssumeRole` is told besides the role."""
        found: dict[str, str | int] = {}
        for word, key, rule in (
            (Word.EXTERNAL_ID, "external_id", rules.external_id),
            (Word.SESSION, "session_name", rules.session_name),
        ):
            if text := self._text(word).replace("{account_id}", account_id):
                found[key] = text
                if why := rule(text):
                    self._error(f"{key}: {quoted(text)} {why}")
        if seconds := self._text(Word.DURATION):
            if seconds.isdecimal() and 900 <= int(seconds) <= 43200:  # noqa: PLR2004 - STS's limits
                found["duration"] = int(seconds)
            else:
                self._error(f"duration: {quoted(seconds)} is not 900 to 43200 seconds")
        return found

    def _region(self) -> str | None:
        """The region; of several, the first, and all of them are a tag."""
        if region := self._text(Word.REGION).strip():
            if why := rules.region(region):
                self._error(f"region: {quoted(region)} {why}")
            return region
        for key, value in self._by_word.get(Word.REGIONS, []):
            regions = [text_of(each).strip() for each in several(value)]
            known = [region for region in regions if rules.region(region) is None]
            if regions != known[:1]:
                self._rest.append((key, ",".join(regions)))
            return next(iter(known), None)
        return None

    def _tags(self, path: Sequence[str]) -> dict[str, str]:
        """The tags: the row's own, its OU, and all that has no other place."""
        pairs = [pair for _, value in self._by_word.get(Word.TAGS, []) for pair in pairs_of(value)]
        pairs += [("ou", "/".join(path))] if path else []
        pairs += [(key, text_of(value)) for key, value in self._by_word.get(Word.EMAIL, [])]
        own = [pair for _, value in self._by_word.get(Word.VARS, []) for pair in pairs_of(value)]
        pairs += [(key, text_of(value)) for key, value in self._rest]
        tags: dict[str, str] = {}
        for key, text in (*pairs, *own):
            name, value = clean(key).replace("=", "-"), clean(text)
            if name in tags and tags[name] != value:
                if (key, text) in own:
                    name = f"vars.{name}"
                else:
                    value = f"{tags[name]},{value}"
            if name:
                tags[name] = value
            self.nameless |= bool(value and not name)
        return tags

    def _text(self, word: Word) -> str:
        """The value of a kind, as text."""
        told = self._by_word.get(word, [])
        return text_of(told[0][1]) if told else ""
