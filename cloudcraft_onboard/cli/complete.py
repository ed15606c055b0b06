"""Shell completion of account names, IDs and tags, from the manifest that stands on the line."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from cloudcraft_onboard.errors import OnboardError


def patterns(context: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """What `--only` and `--exclude` take, each with a word about it; nothing without a manifest."""
    from cloudcraft_onboard.manifest.load import load  # noqa: PLC0415 - loads pydantic

    # While a line is being completed, arguments before an unfinished option are still in `args`.
    path = context.params.get("manifest") or next(iter(context.args), None)
    if not isinstance(path, str):
        return
    try:
        accounts = load(path).accounts
    except OnboardError:
        return
    words = {f"{key}={value}": "tag" for a in accounts for key, value in a.tags.items()}
    words |= {a.account_id: a.name for a in accounts if a.account_id}
    words |= {a.name: a.account_id or a.profile or "" for a in accounts}
    yield from ((word, about) for word, about in words.items() if word.startswith(incomplete))
