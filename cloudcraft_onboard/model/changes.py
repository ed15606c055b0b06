"""What is done to an account: one kind of write, and one write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Action(Enum):
    """One kind of write, with its word (README, The JSON report) and the symbol of a plan."""

    CREATE_ROLE = ("create-role", "+")
    UPDATE_TRUST = ("update-trust", "~")
    ATTACH_POLICY = ("attach-policy", "+")
    PUT_POLICY = ("put-policy", "~")
    UPDATE_ROLE = ("update-role", "~")
    TAG_ROLE = ("tag-role", "~")
    REGISTER = ("register", "+")
    UPDATE_REGISTRATION = ("update-registration", "~")
    DELETE_REGISTRATION = ("delete-registration", "-")
    DETACH_POLICY = ("detach-policy", "-")
    DELETE_ROLE = ("delete-role", "-")

    def __init__(self, word: str, symbol: str) -> None:
        self.word = word
        self.symbol = symbol

    @classmethod
    def of(cls, word: str) -> Action:
        """The action that a report calls `word`; `ValueError` for another word."""
        for action in cls:
            if action.word == word:
                return action
        raise ValueError(f"{word!r} is not an action")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One write that is planned or was made.

    `subject` names what is written where the action alone doesn't: a policy's ARN or inline name.
    `reason` is a clause for people: "external ID differs". `before` and `after` hold what there is
    to show of it as plain data that JSON can hold, part by part, never a secret.
    """

    action: Action
    reason: str
    subject: str = ""
    before: Mapping[str, Any] | None = field(default=None, hash=False)
    after: Mapping[str, Any] | None = field(default=None, hash=False)
