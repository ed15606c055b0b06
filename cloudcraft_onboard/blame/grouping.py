"""One cause in many places: what is the same in all of them, and words where they differ."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import common, differing
from cloudcraft_onboard.blame.words import hint


def together(message: str, causes: Sequence[Cause]) -> tuple[str, str]:
    """The first one's message, and the hint, made to hold for all causes, which have one key."""
    first, general = causes[0].facts, common(cause.facts for cause in causes)
    for value, word in differing(first, general).items():
        message = re.sub(rf"(?<![\w-]){re.escape(value)}(?![\w-])", word, message)
    return message, hint(causes[0].row, general)
