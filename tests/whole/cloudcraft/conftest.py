"""Clients whose retries don't wait, and a server that does as it is told."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest
from tenacity import wait_none

from cloudcraft_onboard.cloudcraft import client as client_module
from cloudcraft_onboard.cloudcraft.client import CloudcraftClient
from cloudcraft_onboard.cloudcraft.pace import PaceKeeper
from cloudcraft_onboard.events import Event
from cloudcraft_onboard.model import CloudcraftUsage, RateLimit, Registration
from tests.whole.cloudcraft.raw import RawServer

KEY = "k3y-" + "0123456789abcdef" * 2


class Client(CloudcraftClient):
    """The real client, with what a test looks at beside it."""

    events: list[Event]
    stop: threading.Event
    pace: PaceKeeper

    @property
    def counts(self) -> CloudcraftUsage:
        """What was sent, without the limit under which it was, or what came of it."""
        return dataclasses.replace(self.usage, rate_limit="", registered=None)

    def listed(self) -> tuple[Registration, ...]:
        """The registrations in the list."""
        return self.registrations().registrations


class MakeClient(Protocol):
    def __call__(self, url: str, key: str = KEY, **changes: Any) -> Client: ...


@pytest.fixture
def make_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeClient]:
    """`make_client(url, key, limit=, window=, limits=, timeout=, retries=)`."""
    monkeypatch.setattr(client_module, "BACKOFF", wait_none())
    with ExitStack() as stack:

        def make(url: str, key: str = KEY, **changes: Any) -> Client:
            events: list[Event] = []
            stop = threading.Event()
            pinned = RateLimit(changes.get("limit", 1000), changes.get("window", 0.5))
            pace = PaceKeeper(changes.get("limits", [pinned]), emit=events.append)
            client = Client(
                base_url=url,
                api_key=key,
                pace=pace,
                timeout=changes.get("timeout", 20),
                retries=changes.get("retries", 2),
                emit=events.append,
                stop=stop,
            )
            client.events, client.stop, client.pace = events, stop, pace
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def raw() -> Iterator[RawServer]:
    """A TCP server on loopback that answers as the test says, byte by byte."""
    with RawServer() as server:
        yield server
