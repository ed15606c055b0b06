"""What enums have that reports and screens show: a word and a symbol."""

from __future__ import annotations

from enum import Enum
from typing import Self


class Worded(Enum):
    """Its members are known by their words."""

    def __init__(self, word: str, symbol: str) -> None:
        self.word = word
        self.symbol = symbol

    @classmethod
    def of(cls, word: str) -> Self:
        """The member that a report calls `word`; `ValueError` for another word."""
        for member in cls:
            if member.word == word:
                return member
        raise ValueError(f"{word!r} is no {cls.__name__}")
