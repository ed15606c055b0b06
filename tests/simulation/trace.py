"""A readable account of what happened in a world, line by line."""

from __future__ import annotations

from cloudcraft_onboard.accounts.facts import Changed, Failed, Worked
from cloudcraft_onboard.engine.messages import (
    Answered,
    End,
    Ended,
    GiveBack,
    Message,
    NotSpawned,
    Order,
    Request,
    Send,
    Start,
    Stopped,
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


def text(message: Message) -> str:
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
            about = f"{', '.join(message.job.names)} {_error(message.error)}"
        case Answered():
            about = f"{_request(message.request)} {_error(message.error)}"
        case NotSpawned():
            about = _request(message.request)
        case Stopped():
            about = message.kind.value
    return f"{type(message).__name__} {about}".rstrip()


def order_text(order: Order) -> str:
    """An order in a few words."""
    kind = type(order).__name__
    match order:
        case Start():
            return f"{kind} {', '.join(order.job.names)}"
        case Send():
            return f"{kind} {_request(order.request)}"
        case End():
            return f"{kind}: {order.reason}"
        case WaitForSlot() | GiveBack() | Tell():
            return kind


def _request(request: Request) -> str:
    about = request.registration.id if request.registration else ""
    return " ".join(filter(None, (request.method, f"#{request.number}", request.name, about)))


def _error(error: BaseException | None) -> str:
    return "" if error is None else f"({type(error).__name__}: {error})"
