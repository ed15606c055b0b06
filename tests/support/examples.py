"""How many examples hypothesis tries."""

from __future__ import annotations

from hypothesis import settings


def examples(count: int) -> settings:
    """So many where others get 100; each profile has its share of them."""
    return settings(max_examples=max(1, count * settings().max_examples // 100))
