from __future__ import annotations

import time

from cloudcraft_onboard.events import (
    AccountFinished,
    AccountQueued,
    AccountRetried,
    Event,
    Forecast,
    OperationAwaited,
    PaceWaited,
    RateLimitKnown,
    RequestRetried,
    RunStarted,
    StepStarted,
    Throttled,
)
from cloudcraft_onboard.model import Command, Outcome, RateLimit
from cloudcraft_onboard.show.state import RunState
from tests.support.reports import denied, result


def folded(*events: Event, total: int = 100, now: float = 0.0) -> RunState:
    state = RunState()
    started = RunStarted(command=Command.RUN, manifest="org.yaml", total=total, dry_run=False)
    for event in (started, *events):
        state.fold(event, now)
    return state


def test_a_result_that_is_verified_later_counts_once() -> None:
    provisional = AccountFinished(result=result("Production"), provisional=True)
    state = folded(provisional)
    assert (state.done, state.numbers[Outcome.CREATED], len(state.unverified)) == (1, 1, 1)

    state.fold(AccountFinished(result=result("Production")), 1)
    assert (state.done, state.numbers[Outcome.CREATED], len(state.unverified)) == (1, 1, 0)


def test_a_verification_that_fails_moves_the_count() -> None:
    state = folded(AccountFinished(result=result("Payments"), provisional=True))
    state.fold(AccountFinished(result=denied("Payments")), 1)
    assert (state.done, state.numbers[Outcome.CREATED], state.numbers[Outcome.FAILED]) == (1, 0, 1)
    assert [cause.names for cause in state.causes()] == [("Payments",)]


def test_a_failure_that_turns_out_well_is_forgotten() -> None:
    state = folded(AccountFinished(result=denied("Payments"), provisional=True))
    state.fold(AccountFinished(result=result("Payments")), 1)
    assert list(state.causes()) == []


def test_the_same_cause_in_accounts_of_different_ids_is_one() -> None:
    finished = [AccountFinished(result=denied(f"Team {i}", f"{i:012d}")) for i in range(1, 4)]
    (cause,) = folded(*finished).causes()
    assert cause.names == ("Team 1", "Team 2", "Team 3")
    assert cause.problem.message.endswith(
        "arn:aws:iam::ACCOUNT_ID:role/OrganizationAccountAccessRole"
    )


def test_a_queued_account_is_not_being_worked_on() -> None:
    state = folded(
        StepStarted(name="Production", step="reading the role"), AccountQueued(name="Production")
    )
    assert (list(state.working), list(state.queued)) == ([], ["Production"])
    state.fold(StepStarted(name="Production", step="register"), 1)
    assert (list(state.working), list(state.queued)) == (["Production"], [])


def test_a_retry_is_seen_until_the_next_step() -> None:
    state = folded(
        StepStarted(name="Production", step="register"),
        AccountRetried(name="Production", reason="the role is new", wait=10),
    )
    assert state.working["Production"].retry_at == 10
    state.fold(StepStarted(name="Production", step="register"), 10)
    assert state.working["Production"].retry_at == 0


def test_nothing_is_said_of_the_time_left_while_nothing_is_known() -> None:
    assert folded().time_left(5) is None


def test_the_time_left_knows_the_pace() -> None:
    forecast = Forecast(writes=100, requests=101, seconds=300, limit=20, window=60)
    state = folded(forecast)
    assert state.time_left(100) == 200
    state.fold(Throttled(seconds=60), 100)
    assert state.time_left(100) == 260


def test_the_time_left_follows_the_queue_when_the_forecast_was_too_good() -> None:
    state = folded(Forecast(writes=20, requests=21, seconds=60, limit=20, window=60))
    state.fold(PaceWaited(seconds=14, slots=20, waiting=388), 50)
    assert state.time_left(50) == 14 + 19 * 60


def test_the_time_left_is_no_shorter_than_what_waits() -> None:
    state = folded(
        Forecast(writes=45, requests=46, seconds=60, limit=20, window=60),
        *(AccountQueued(name=f"n{i}", ready_in=10) for i in range(45)),
    )
    assert state.time_left(100) == 2 * 60
    state.fold(StepStarted(name="n0", step="register"), 100)
    state.fold(AccountRetried(name="n0", reason="the role is new", wait=20), 100)
    assert state.time_left(100) == 20 + 2 * 60


def test_a_few_accounts_that_settle_take_no_window() -> None:
    state = folded(
        Forecast(writes=5, requests=6, seconds=0, limit=20, window=60),
        *(AccountQueued(name=f"n{i}", ready_in=10) for i in range(5)),
    )
    left = state.time_left(4)
    assert left is not None
    assert left <= 10


def test_the_time_left_follows_aws_when_that_is_slower() -> None:
    state = folded(StepStarted(name="a", step="assuming role"), total=100)
    for index in range(10):
        state.fold(AccountFinished(result=result(f"n{index}", Outcome.UNCHANGED)), 20)
    assert state.time_left(20) == 180


def test_the_time_left_waits_for_an_operation_only_while_it_goes_on() -> None:
    awaited = OperationAwaited(stack_set="roles", operation_id="op-1", since=None, names=("a",))
    forecast = Forecast(writes=5, requests=6, seconds=0, limit=20, window=60)
    state = folded(forecast, StepStarted(name="a", step="x"), awaited)
    assert state.time_left(30) is None
    for index in range(10):
        state.fold(AccountFinished(result=result(f"n{index}", Outcome.UNCHANGED)), 40)
    assert state.time_left(40) == 40 / 10 * 90
    assert state.time_left(100) is None
    state.fold(AccountFinished(result=result("a", Outcome.CREATED)), 110)
    assert state.time_left(110) is not None


def test_the_time_left_is_no_shorter_than_the_wait_for_a_request() -> None:
    state = folded(
        Forecast(writes=5, requests=6, seconds=0, limit=20, window=60),
        RequestRetried(request="GET", reason="502", wait=40),
    )
    assert state.time_left(10) == 30


def test_folding_ten_thousand_events_is_cheap() -> None:
    events: list[Event] = []
    for index in range(3400):
        name = f"account {index}"
        failed = denied(name, f"{index:012d}")
        end = failed if index % 2 else result(name)
        events += [
            StepStarted(name=name, step="assuming role"),
            AccountQueued(name=name),
            AccountFinished(result=end),
        ]
    began = time.process_time()
    state = folded(*events, total=3400)
    assert state.done == 3400
    # Some 0.2 s here; what grew with the square of the accounts would take minutes.
    assert time.process_time() - began < 10


def test_the_time_left_follows_the_limit_that_was_found_out() -> None:
    limits = (RateLimit(20, 10), RateLimit(20, 60))
    forecast = Forecast(writes=100, requests=101, seconds=50, limit=20, window=10, limits=limits)
    state = folded(forecast, Throttled(seconds=50), RateLimitKnown(limit=20, window=60))
    assert state.time_left(0) == 50 + 5 * 60
