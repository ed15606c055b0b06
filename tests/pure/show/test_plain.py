from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

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
    RunFinished,
    RunStarted,
    Said,
    StepStarted,
    Stopping,
    Throttled,
)
from cloudcraft_onboard.model import Command, Outcome, RateLimit
from cloudcraft_onboard.show.plain import Plain
from cloudcraft_onboard.show.progress import Live
from cloudcraft_onboard.show.state import RunState
from cloudcraft_onboard.show.views import View, choose_display
from tests.support.reports import denied, report, result


class Screenless:
    """A plain view with a clock that is set by hand."""

    def __init__(self, verbosity: int = 0, total: int = 12) -> None:
        self.now = 0.0
        self.stream = io.StringIO()
        self.view = View(Plain(self.stream, verbosity), clock=lambda: self.now)
        self.tell(RunStarted(command=Command.RUN, manifest="org.yaml", total=total, dry_run=False))

    def tell(self, *events: Event) -> None:
        for event in events:
            self.view.handle(event)

    def tick(self, now: float) -> None:
        self.now = now
        self.view.tick(now)

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


def test_one_line_for_each_finished_account() -> None:
    plain = Screenless()
    plain.tell(
        StepStarted(name="Production", step="assuming role"),
        AccountQueued(name="Production"),
        AccountFinished(result=result("Production"), provisional=True),
        AccountFinished(result=result("Data", Outcome.UNCHANGED, seconds=0.9)),
        AccountFinished(result=denied("Payments")),
        AccountFinished(result=denied("Billing", "333333333333")),
    )
    hint = (
        "let the role's trust policy name the profile's identity, "
        "or set assume_role to a role that does"
    )
    done = "create-role, attach-policy, register"
    message = (
        "sts:AssumeRole denied (reach): User: arn:aws:iam::999988887777:user/ops is not "
        "authorized to perform: "
        "sts:AssumeRole on resource: arn:aws:iam::{}:role/OrganizationAccountAccessRole"
    )
    again = "sts:AssumeRole denied (reach), as above"
    assert plain.lines == [
        "onboard run org.yaml: 12 accounts",
        f"[ 1/12] + created   Production (111122223333)  {done}  2.3 s  to be verified at the end",
        "[ 2/12] = unchanged Data (111122223333)  0.9 s",
        f"[ 3/12] x failed    Payments (222233334444)  {message.format('222233334444')}  0.4 s",
        f"    → {hint}",
        f"[ 4/12] x failed    Billing (333333333333)  {again}  0.4 s",
    ]


def test_a_verified_account_gets_no_second_line_but_for_another_end() -> None:
    plain = Screenless(total=2)
    plain.tell(
        AccountFinished(result=result("A"), provisional=True),
        AccountFinished(result=result("B"), provisional=True),
        AccountFinished(result=result("A")),
        AccountFinished(result=denied("B")),
    )
    assert [line[:18] for line in plain.lines if line.startswith("[")] == [
        "[1/2] + created   ",
        "[2/2] + created   ",
        "[2/2] x failed    ",
    ]


def test_a_heartbeat_about_once_a_minute_of_silence() -> None:
    plain = Screenless(total=1000)
    plain.tell(Forecast(writes=900, requests=901, seconds=2700, limit=20, window=60))
    plain.tell(StepStarted(name="A", step="assuming role"), AccountQueued(name="B"))
    plain.tick(59)
    assert plain.lines[1:] == ["up to 900 registrations: about 46 min at 20 a minute"]
    plain.tell(PaceWaited(seconds=14, slots=20, waiting=1))
    plain.tick(60)
    plain.tick(61)
    plain.tick(119)
    told = (
        "still working: 0 of 1,000 done, 1 being worked on"
        " · next 20 requests to Cloudcraft in 13 s · 1 queued · about 44 min left"
    )
    assert plain.lines[2:] == [told]
    plain.tick(120)
    assert len(plain.lines) == 4


BEGUN = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
STUCK = OperationAwaited(stack_set="roles", operation_id="op-1", since=BEGUN, names=("A", "B"))
NAMED = "waiting for operation op-1 on the stack set roles, in progress since 2026-05-01 12:30 UTC"


def test_an_operation_that_is_stuck_is_named_every_minute_whatever_else_goes_on() -> None:
    plain = Screenless(total=40)
    plain.tell(Forecast(writes=2, requests=3, seconds=0, limit=20, window=60))
    plain.tell(StepStarted(name="A", step="stack instance running"), STUCK)
    for second in range(1, 181):
        plain.tick(second)
        if second % 20 == 0 and second < 120:
            plain.tell(AccountFinished(result=result(f"n{second}", Outcome.CREATED)))
    named = [line for line in plain.lines if NAMED in line]
    assert len(named) == 3
    assert not [line for line in named[2:] if "left" in line]
    plain.tell(AccountFinished(result=result("A", Outcome.CREATED)))
    plain.tick(260)
    assert NAMED not in plain.lines[-1]


def test_nobody_knows_how_long_an_operation_takes() -> None:
    plain = Screenless(total=2)
    plain.tell(Forecast(writes=2, requests=3, seconds=0, limit=20, window=60))
    plain.tell(StepStarted(name="A", step="x"), StepStarted(name="B", step="x"), STUCK)
    plain.tick(60)
    assert plain.lines[-1] == f"still working: 0 of 2 done, 2 being worked on · {NAMED}"


def test_which_limit_holds_is_said_once_it_is_known() -> None:
    plain = Screenless(total=900)
    limits = (RateLimit(20, 10), RateLimit(20, 60))
    plain.tell(
        Forecast(writes=900, requests=901, seconds=450, limit=20, window=10, limits=limits),
        Throttled(seconds=50),
        RateLimitKnown(limit=20, window=60),
    )
    times = "about 8 min at 20 per 10 s, 46 min if Cloudcraft allows 20 a minute"
    assert plain.lines[1:] == [
        f"up to 900 registrations: {times}",
        "Cloudcraft allows 20 a minute: about 46 min to go",
    ]


@pytest.mark.parametrize(("verbosity", "writes"), [(-1, 137), (0, 0)])
def test_no_forecast_where_nobody_wants_it_or_nothing_is_written(
    verbosity: int, writes: int
) -> None:
    plain = Screenless(verbosity)
    before = plain.lines
    plain.tell(Forecast(writes=writes, requests=writes, seconds=360, limit=20, window=60))
    assert plain.lines == before


def test_no_heartbeat_before_or_after_a_run() -> None:
    stream = io.StringIO()
    view = View(Plain(stream), clock=lambda: 0.0)
    view.tick(1000)
    view.close()
    view.tick(2000)
    assert stream.getvalue() == ""


def test_retries_and_waits_are_for_the_verbose() -> None:
    events: tuple[Event, ...] = (
        AccountRetried(name="Production", reason="the role is new", wait=10),
        RequestRetried(request="POST /aws/account", reason="HTTP 503", wait=2),
        Throttled(seconds=60),
    )
    plain = Screenless(1)
    plain.tell(*events)
    assert plain.lines[1:] == [
        "Production: trying again in 10 s: the role is new",
        "trying again in 2 s: POST /aws/account: HTTP 503",
        "Cloudcraft says slow down (429): continuing in 1 min 00 s",
    ]
    calm = Screenless(0)
    calm.tell(Forecast(writes=0, requests=0, seconds=0, limit=20, window=60), *events)
    assert len(calm.lines) == 1


@pytest.mark.parametrize(("verbosity", "lines"), [(0, 2), (-1, 0)])
def test_retries_of_the_first_reads_are_no_silence(verbosity: int, lines: int) -> None:
    plain = Screenless(verbosity)
    plain.tell(RequestRetried(request="GET /aws/account", reason="connection refused", wait=2))
    assert len(plain.lines) == lines
    if lines:
        assert plain.lines[-1] == "trying again in 2 s: GET /aws/account: connection refused"


def test_a_hint_that_differs_in_its_account_only_is_said_once() -> None:
    plain = Screenless(total=3)
    for index in range(3):
        account_id = f"{index:012d}"
        one = denied(f"Team {index}", account_id)
        assert one.error is not None
        hint = f"Check the role arn:aws:iam::{account_id}:role/Admin of '{one.name}'."
        plain.tell(AccountFinished(result=replace(one, error=replace(one.error, hint=hint))))
    assert sum("→" in line for line in plain.lines) == 1


def test_quiet_tells_a_cause_once_and_how_many_accounts_have_it() -> None:
    plain = Screenless(-1, total=300)
    failed = [denied(f"Team {index}", f"{index:012d}") for index in range(263)]
    plain.tell(*(AccountFinished(result=one) for one in failed))
    assert len(plain.lines) == 2
    plain.tell(RunFinished(report=report(*failed)))
    assert plain.lines[2:] == ["x sts:AssumeRole denied (reach): 263 accounts in all"]


def test_verbose_tells_each_message() -> None:
    plain = Screenless(1, total=2)
    plain.tell(*(AccountFinished(result=denied(f"T{n}", f"{n:012d}")) for n in range(2)))
    assert sum("is not authorized" in line for line in plain.lines) == 2


def test_disabled_accounts_are_not_counted_as_work() -> None:
    plain = Screenless(total=0)
    plain.tell(
        RunStarted(command=Command.RUN, manifest="o.yaml", total=13, dry_run=False, skipped=1),
        AccountFinished(result=result("Production")),
    )
    assert plain.lines[1] == "onboard run o.yaml: 13 accounts (1 disabled)"
    assert plain.lines[2].startswith("[ 1/12] + created")


def test_a_removal_tells_how_long_it_takes_where_it_asks() -> None:
    plain = Screenless()
    started = RunStarted(command=Command.REMOVE, manifest="o.yaml", total=2, dry_run=False)
    plain.tell(started, Forecast(writes=90, requests=91, seconds=300, limit=20, window=60))
    assert not any("deletion" in line for line in plain.lines)


def test_quiet_leaves_failures_and_why_a_run_stops() -> None:
    plain = Screenless(-1)
    plain.tell(
        AccountFinished(result=result("Production")),
        AccountFinished(result=denied("Payments")),
        Said(text="10 failures: nothing new is started"),
        Stopping(reason="--max-failures 10"),
    )
    plain.tick(500)
    assert [line[:43] for line in plain.lines] == [
        "[ 2/12] x failed    Payments (222233334444)",
        "    → let the role's trust policy name the ",
        "10 failures: nothing new is started",
        "stopping: --max-failures 10",
    ]


def test_names_cannot_steer_the_log() -> None:
    plain = Screenless()
    plain.tell(AccountFinished(result=result("a\x1b[2J\n::error::b")))
    assert "\x1b" not in plain.stream.getvalue()
    assert len(plain.lines) == 2


class Remembering:
    """A way of showing that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.done: list[int] = []

    def show(self, event: Event, told: str, state: RunState, now: float) -> None:  # noqa: ARG002
        self.told.append(told)
        self.done.append(state.done)

    def tick(self, state: RunState, now: float) -> None: ...

    def close(self) -> None: ...


def test_all_ways_of_showing_a_run_are_told_the_same_of_one_state() -> None:
    displays = Remembering(), Remembering()
    view = View(*displays, clock=lambda: 0.0)
    forecast = Forecast(writes=9, requests=10, seconds=0, limit=20, window=60)
    for event in (
        RunStarted(command=Command.RUN, manifest="o.yaml", total=2, dry_run=False),
        forecast,
        forecast,
        AccountFinished(result=result("A")),
        AccountRetried(name="B", reason="the role is new", wait=10),
        STUCK,
        Stopping(reason="Ctrl-C"),
    ):
        view.handle(event)
    assert displays[0].told == [
        "onboard run o.yaml: 2 accounts",
        "up to 9 registrations: less than a minute",
        "",  # a second forecast only counts
        "",
        "B: trying again in 10 s: the role is new",
        NAMED,
        "stopping: Ctrl-C",
    ]
    assert displays[1].told == displays[0].told
    assert displays[0].done == displays[1].done == [0, 0, 0, 1, 1, 1, 1]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_live_view_is_for_terminals_that_can_draw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert isinstance(choose_display(Terminal()), Live)
    assert isinstance(choose_display(io.StringIO()), Plain)
    assert isinstance(choose_display(Terminal(), verbosity=-1), Plain)
    assert isinstance(choose_display(Terminal(), verbosity=1), Plain)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(choose_display(Terminal()), Plain)
