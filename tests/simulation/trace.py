"""A readable account of what happened in a world, line by line."""

from __future__ import annotations

from typing import Any

from cloudcraft_onboard.accounts.facts import Changed, Failed, Worked
from cloudcraft_onboard.engine.messages import (
    Answered,
    Delete,
    Ended,
    GiveBack,
    ListRead,
    Message,
    NotSpawned,
    Order,
    Post,
    Put,
    ReadList,
    Request,
    Send,
    Start,
    Tell,
    WaitForSlot,
)
from tests.simulation.loop import Loop


class Trace:
    """Prints each line as it happens, where that is wanted."""

    def __init__(self, loop: Loop, *, on: bool) -> None:
        self.on = on
        self._loop = loop

    def __call__(self, who: str, what: str) -> None:
        if self.on:
            print(f"{self._loop.now:10.3f}  {who:10}  {what}")


def text(message: Message[Any]) -> str:
    """A message in a few words."""
    about = ""
    match message:
        case Changed():
            about = f"{message.name}: {message.change.action.word}"
        case Worked():
            about = message.name
        case Failed():
            about = f"{message.name}: {message.error}"
        case Ended():
            about = f"{', '.join(message.names)} {_error(message.error)}"
        case Answered() | ListRead():
            about = f"{_request(message.request)} {_error(message.error)}"
        case NotSpawned():
            about = _request(message.request)
    return f"{type(message).__name__} {about}".rstrip()


def order_text(order: Order[Any]) -> str:
    """An order in a few words."""
    kind = type(order).__name__
    match order:
        case Start():
            return f"{kind} {', '.join(order.job.names)}"
        case Send():
            return f"{kind} {_request(order.request)}"
        case WaitForSlot() | GiveBack() | Tell():
            return kind


def _request(request: Request) -> str:
    words = f"{request.method} #{request.number}"
    match request:
        case Post():
            return f"{words} {request.name}"
        case Put() | Delete():
            return f"{words} {request.name} {request.registration.id}"
        case ReadList():
            return words


def _error(error: BaseException | None) -> str:
    return "" if error is None else f"({type(error).__name__}: {error})"
