"""What there is to say of an event, in one sentence: each way of showing a run says the same.

Names and reasons come as they are; who shows them makes them harmless.
"""

from __future__ import annotations

from cloudcraft_onboard.events import (
    AccountRetried,
    Event,
    Forecast,
    OperationAwaited,
    PaceWaited,
    RateLimitKnown,
    RequestRetried,
    RunStarted,
    Said,
    Stopping,
    Throttled,
)
from cloudcraft_onboard.model import Command, RateLimit
from cloudcraft_onboard.show import text
from cloudcraft_onboard.show.state import RunState


def sentence(event: Event, state: RunState, now: float) -> str:  # noqa: PLR0911 - one an event
    """What happened, or what it is waited for now; empty where there is nothing to say."""
    match event:
        case RunStarted():
            return _opening(event)
        case Forecast():
            return _expected(event, state)
        case RateLimitKnown():
            return _limit_known(state, now)
        case RequestRetried() | Throttled() | PaceWaited():
            return waiting(state, now)
        case OperationAwaited():
            return _operation(event)
        case AccountRetried():
            return f"{event.name}: trying again in {text.countdown(event.wait)}: {event.reason}"
        case Said():
            return event.text
        case Stopping():
            return f"stopping: {event.reason}"
        case _:
            return ""


def _opening(event: RunStarted) -> str:
    called = f"{text.called(event.command, dry_run=event.dry_run)} {event.manifest}"
    if not event.total:
        return called
    aside = f" ({text.number(event.skipped)} disabled)" if event.skipped else ""
    return f"{called}: {text.counted(event.total, 'account')}{aside}"


def operations(state: RunState) -> list[str]:
    """The operations on stack sets that accounts wait for."""
    return [_operation(each) for each in state.awaited()]


def _operation(event: OperationAwaited) -> str:
    """What is waited for, and since when."""
    which = f"operation {event.operation_id} on the stack set {text.clean(event.stack_set)}"
    since = f", in progress since {text.moment(event.since)}" if event.since else ""
    return f"waiting for {which}{since}"


def waiting(state: RunState, now: float) -> str:
    """What everybody is waiting for, so that it does not look like a hang; empty if nobody is."""
    queued = f" · {text.number(len(state.queued))} queued" if state.queued else ""
    if state.throttled_until > now:
        wait = text.countdown(state.throttled_until - now)
        return f"Cloudcraft says slow down (429): continuing in {wait}{queued}"
    if state.request_retry_at > now:
        wait = text.countdown(state.request_retry_at - now)
        return f"trying again in {wait}: {text.clean(state.request_retry)}{queued}"
    if state.slots_at > now:
        wait = text.countdown(state.slots_at - now)
        requests = text.counted(state.slots, "request")
        return f"next {requests} to Cloudcraft in {wait}{queued}"
    if state.queued:
        many = f"{text.counted(len(state.queued), 'account')} queued for Cloudcraft"
        ready = min(state.queued.values()) - now
        return f"{many}, new roles settle for {text.countdown(ready)}" if ready > 0 else many
    return ""


def _expected(event: Forecast, state: RunState) -> str:
    """How long the requests will take at most, by each limit that may hold; said once.

    What `remove` plans before it asks has said it already.
    """
    if state.forecasts > 1 or state.command is Command.REMOVE or state.planned or not event.writes:
        return ""
    return text.forecast(
        {"registration": event.writes},
        reads=event.requests - event.writes,
        limits=event.limits or (RateLimit(event.limit, event.window),),
        up_to=True,
    )


def _limit_known(state: RunState, now: float) -> str:
    """Which limit holds, once that is found out: `Cloudcraft allows 20 a minute: ...`."""
    told = f"Cloudcraft allows {text.rate(RateLimit(state.limit, state.window))}"
    left = state.time_left(now)
    return f"{told}: about {text.about(left)} to go" if left else told
