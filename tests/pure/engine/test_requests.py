"""The core's own rules, message by message; `tests/simulation` has them all at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import pytest

from cloudcraft_onboard.accounts.account import RoleState, ready_of
from cloudcraft_onboard.accounts.entry import Snapshot
from cloudcraft_onboard.accounts.facts import Failed, HandedBack, Worked
from cloudcraft_onboard.accounts.removal import Removal
from cloudcraft_onboard.engine.budget import Limits
from cloudcraft_onboard.engine.control import GRACE_SECONDS, Control
from cloudcraft_onboard.engine.core import Core
from cloudcraft_onboard.engine.lists import FRESH_SECONDS
from cloudcraft_onboard.engine.messages import (
    Answered,
    Delete,
    Ended,
    GiveBack,
    Job,
    ListRead,
    Message,
    Method,
    Order,
    Post,
    Put,
    ReadList,
    Request,
    Send,
    SlotFree,
    Start,
    WaitForSlot,
    Woken,
    Write,
    job_of,
)
from cloudcraft_onboard.engine.register import Register
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.engine.unregister import Unregister
from cloudcraft_onboard.errors import AccountError, Doubtful, RefusalKind, Refused
from cloudcraft_onboard.model import (
    Account,
    CloudcraftParameters,
    ListReading,
    Outcome,
    RateLimit,
    Registration,
    Result,
    Stage,
)
from cloudcraft_onboard.model.changes import DeleteRole
from cloudcraft_onboard.model.notes import (
    AnotherRunRegistered,
    DoubledInDoubt,
    Errand,
    NeverAnswered,
    NoAnswer,
    NotVerified,
    StillBroughtIn,
    Stop,
)
from cloudcraft_onboard.plan.registration import Listing

NOTHING = Snapshot(
    parameters=CloudcraftParameters(account_id="912185983511", external_id="e"),
    listing=Listing(()),
)
UNVERIFIED = Refused(400, "Unable to verify AWS account", kind=RefusalKind.ROLE)
THROTTLED = AccountError(Stage.ROLE, "Throttling", "too fast", transient=True)


class Slot:
    """A right to send that nobody counts."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def sent(self) -> None: ...

    def arrived(self, at: float) -> None: ...

    def answered(self) -> None: ...

    def unused(self) -> None: ...

    def throttled(self, retry_after: float | None) -> int:
        raise AssertionError(retry_after)


class Pace:
    """Always free, or `free` times in the time that matters."""

    limits = (RateLimit(20, 60.0),)
    limit = 20
    window = 60.0

    def __init__(self, free: int = 20) -> None:
        self.free = free

    def next_in(self) -> float:
        return 0.0

    def free_by(self, when: float) -> int:  # noqa: ARG002 - the same at any time
        return self.free


class Run:
    """A core with as many accounts as wanted, told one message at a time."""

    def __init__(
        self,
        accounts: int = 1,
        *,
        free: int = 20,
        limits: Limits | None = None,
        deadline: float | None = None,
    ) -> None:
        self.accounts = [Account(name=f"a{i}", account_id=f"{i:012}") for i in range(accounts)]
        self.results = Results(self.accounts)
        self.now = 0.0
        self.control = Control(emit=lambda _: None, deadline=deadline, clock=lambda: self.now)
        self.core: Core[Any, Any] = Core(
            Register(apply=True),
            self.results,
            pace=Pace(free),
            control=self.control,
            limits=limits or Limits(),
            settle=0.0,
        )
        self.orders: list[Order[Any]] = self.core.begin(map(job_of, self.accounts), 0.0)

    def tell(self, message: Message[Any], after: float = 0.0) -> list[Order[Any]]:
        self.now += after
        self.orders = self.core.step(message, self.now)
        return self.orders

    def stop(self, kind: Stop, after: float = 0.0) -> None:
        self.now += after
        self.control.stop(kind)
        self.tell(Woken())

    def ready(self, number: int = 0, *, age: float | None = None) -> list[Order[Any]]:
        account = self.accounts[number]
        role = RoleState(
            account_id=account.account_id or "", arn=account.expected_role_arn or "", age=age
        )
        value = ready_of(account, NOTHING, (None, None), role)
        first = self.tell(Worked(name=account.name, value=value))
        return first + self.tell(Ended(names=(account.name,)))

    def sent(self) -> list[Request]:
        """What is sent once a slot is there, or now."""
        requests = [order.request for order in self.orders if isinstance(order, Send)]
        if not requests:
            requests = [o.request for o in self.tell(SlotFree(slot=Slot())) if isinstance(o, Send)]
        return requests

    def post(self, number: int = 0, *, age: float | None = None) -> Post:
        self.ready(number, age=age)
        (request,) = self.sent()
        assert isinstance(request, Post)
        return request

    def accept(self, request: Write, registration: Registration | None = None) -> list[Order[Any]]:
        message = Answered(request=request, registration=registration, seconds=1.0)
        return self.tell(message, 1.0)

    def listed(self, *registrations: Registration, after: float = 1.0) -> list[Order[Any]]:
        """The list is asked for, and answered."""
        request = self.look()
        reading = ListReading(registrations=registrations, asked_at=self.now)
        message = ListRead(request=request, reading=reading, seconds=after)
        return self.tell(message, after)

    def fail(self, request: Write, error: BaseException) -> list[Order[Any]]:
        return self.tell(Answered(request=request, error=error, seconds=1.0), 1.0)

    def wake(self) -> list[Order[Any]]:
        assert self.core.wake_at is not None, "nothing would ever wake it"
        self.now = max(self.now, self.core.wake_at)
        return self.tell(Woken())

    def look(self) -> ReadList:
        """The list that is read, at once or after the wait for it."""
        if not any(isinstance(order, Send) for order in self.orders):
            self.wake()
        (request,) = [order.request for order in self.orders if isinstance(order, Send)]
        assert isinstance(request, ReadList)
        return request

    def result(self, number: int = 0) -> Result:
        return self.results.so_far(self.accounts[number].name)

    def registered(self, number: int = 0, *, ident: str = "r1", at: int = 1) -> Registration:
        account = self.accounts[number]
        return Registration(
            id=ident,
            name=account.name,
            role_arn=account.expected_role_arn or "",
            created_at=f"2026-01-01T00:00:{at:02}+00:00",
        )


def test_an_accepted_request_counts_after_the_last_list() -> None:
    run = Run()
    run.accept(run.post(), run.registered())
    assert not run.results.is_final("a0")
    run.listed(run.registered())
    assert (run.result().outcome, run.core.done) == (Outcome.CREATED, True)


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "not listed"])
def test_a_doubtful_request_is_sent_again_only_where_the_list_lacks_it(listed: bool) -> None:  # noqa: FBT001 - the table's column
    run = Run()
    run.fail(run.post(), Doubtful("no answer"))
    assert not run.sent(), "nothing goes out before the list"
    run.listed(*[run.registered()] if listed else [])
    assert [request.method for request in run.sent()] == ([] if listed else [Method.POST])


def test_one_list_is_enough_for_all_doubts() -> None:
    run = Run(2)
    first, second = run.post(0), run.post(1)
    run.fail(first, Doubtful("no answer"))
    run.fail(second, Doubtful("no answer"))
    run.listed(run.registered(0), run.registered(1, ident="r2"))
    assert run.core.done
    assert [run.result(i).outcome for i in (0, 1)] == [Outcome.CREATED] * 2


def test_a_doubt_that_no_list_can_settle_is_pending() -> None:
    run = Run(limits=Limits(retries=0))
    run.fail(run.post(), Doubtful("no answer"))
    run.listed()
    assert run.result().outcome is Outcome.PENDING
    assert run.result().notes == (NeverAnswered(errand=Errand.REGISTRATION),)


@pytest.mark.parametrize(
    ("age", "outcome"), [(0.0, Outcome.PENDING), (None, Outcome.FAILED)], ids=["young", "old"]
)
def test_a_refusal_is_final_unless_the_role_is_young(age: float | None, outcome: Outcome) -> None:
    run = Run()
    run.fail(run.post(age=age), UNVERIFIED)
    assert run.result().outcome is outcome
    assert run.core.done is (outcome is Outcome.FAILED)


def test_a_young_role_is_refused_four_times_at_most() -> None:
    run = Run()
    request = run.post(age=0.0)
    for _ in range(3):
        run.fail(request, UNVERIFIED)
        run.wake()
        (again,) = run.sent()
        assert isinstance(again, Post)
        request = again
    run.fail(request, UNVERIFIED)
    assert (run.result().outcome, run.result().attempts) == (Outcome.FAILED, 4)


def test_a_revoked_key_ends_the_run() -> None:
    run = Run(2)
    run.fail(run.post(), Refused(401, "unauthorized", kind=RefusalKind.KEY))
    assert run.control.kind is Stop.KEY


def test_the_same_403_for_three_accounts_is_the_key() -> None:
    run = Run(4)
    requests = [run.post(i) for i in range(3)]
    kinds = []
    for request in requests:
        run.fail(request, Refused(403, "no", kind=RefusalKind.FORBIDDEN))
        kinds.append(run.control.kind)
    assert kinds == [None, None, Stop.KEY]


def test_max_failures_ends_the_run() -> None:
    run = Run(2, limits=Limits(max_failures=1))
    run.fail(run.post(), Refused(400, "no"))
    assert run.control.kind is Stop.FAILURES


@pytest.mark.parametrize(("free", "sends"), [(2, True), (1, False)], ids=["two slots", "one slot"])
def test_a_budget_keeps_a_slot_for_the_verifying_read(free: int, sends: bool) -> None:  # noqa: FBT001 - the table's column
    run = Run(free=free, deadline=30.0)
    orders = run.ready()
    assert any(isinstance(order, WaitForSlot) for order in orders) is sends
    assert run.control.kind is (None if sends else Stop.BUDGET)


def test_a_slot_that_comes_after_the_stop_goes_back() -> None:
    run = Run()
    run.ready()
    run.stop(Stop.INTERRUPTED)
    slot = Slot()
    assert GiveBack(slot=slot) in run.tell(SlotFree(slot=slot))


def test_after_an_interrupt_what_is_in_flight_is_waited_for_only_so_long() -> None:
    run = Run()
    run.post()
    run.stop(Stop.INTERRUPTED)
    assert run.core.wake_at == run.now + GRACE_SECONDS
    run.wake()
    run.listed(run.registered(), after=0.1)
    assert (run.result().outcome, run.core.done) == (Outcome.CREATED, True)


def test_a_sent_request_without_an_answer_is_pending_and_says_so() -> None:
    run = Run()
    run.post()
    run.stop(Stop.INTERRUPTED)
    run.wake()
    run.listed(after=0.1)
    assert run.result().outcome is Outcome.PENDING
    assert run.result().notes == (NoAnswer(errand=Errand.REGISTRATION),)


def test_an_answer_that_comes_while_others_are_mended_is_told_though_the_last_list_was_before() -> (
    None
):
    run = Run(2)
    ours, theirs = run.registered(ident="ours", at=2), run.registered(ident="theirs", at=1)
    run.accept(run.post(), ours)
    late = run.post(1)
    run.stop(Stop.INTERRUPTED)
    run.wake()
    run.listed(ours, theirs, run.registered(1, ident="another's"), after=0.1)
    (deletion,) = run.sent()
    assert isinstance(deletion, Delete)
    run.tell(Answered(request=late, registration=run.registered(1, ident="mine", at=2)))
    run.tell(Answered(request=deletion))
    assert run.core.done
    assert run.result(1).cloudcraft_id == "mine"
    assert [type(note) for note in run.result(1).notes] == [NotVerified]


def test_of_two_registrations_the_newer_goes_if_it_is_ours() -> None:
    run = Run()
    ours, theirs = run.registered(ident="ours", at=2), run.registered(ident="theirs", at=1)
    run.accept(run.post(), ours)
    run.listed(ours, theirs)
    (deletion,) = run.sent()
    assert isinstance(deletion, Delete)
    assert deletion.registration == ours
    run.accept(deletion)
    assert (run.result().outcome, run.result().cloudcraft_id) == (Outcome.CREATED, "theirs")


def test_the_newer_registration_of_another_run_is_left_to_it() -> None:
    run = Run()
    ours, theirs = run.registered(ident="ours", at=1), run.registered(ident="theirs", at=2)
    run.accept(run.post(), ours)
    run.listed(ours, theirs)
    assert run.core.done
    assert run.result().notes == (AnotherRunRegistered(id="theirs"),)


def test_a_transient_failure_gets_another_round() -> None:
    run = Run()
    run.tell(Ended(names=("a0",), error=THROTTLED))
    assert not run.core.done
    assert Start(job=job_of(run.accounts[0])) in run.wake()


@pytest.mark.parametrize(
    ("error", "code"),
    [(None, "RuntimeError"), (KeyError("x"), "KeyError"), (MemoryError(), "MemoryError")],
)
def test_a_worker_that_crashes_fails_its_account_alone(
    error: BaseException | None, code: str
) -> None:
    run = Run(2)
    run.tell(Ended(names=("a0",), error=error))
    problem = run.result(0).error
    assert problem is not None
    assert problem.code == code
    assert run.post(1).name == "a1"


def test_a_sender_that_crashes_is_looked_up_before_its_account_fails() -> None:
    run = Run()
    run.fail(run.post(), KeyError("x"))
    run.listed()
    assert run.result().outcome is Outcome.FAILED


def test_what_a_crashed_sender_may_have_registered_beside_others_is_said() -> None:
    run = Run()
    run.fail(run.post(), KeyError("x"))
    theirs = replace(run.registered(ident="theirs"), name="another name")
    run.listed(theirs, run.registered(ident="mine", at=2))
    assert run.result().outcome is Outcome.FAILED
    assert run.result().notes == (DoubledInDoubt(ids=("theirs", "mine")),)


def test_nor_does_a_refusal_hide_what_a_lost_request_may_have_registered() -> None:
    run = Run()
    run.fail(run.post(), Doubtful("the answer was lost"))
    theirs = replace(run.registered(ident="theirs"), name="another name")
    run.listed(theirs, run.registered(ident="mine", at=2))
    (update,) = run.sent()
    assert isinstance(update, Put)
    run.fail(update, Refused(400, "no such region"))
    assert run.result().outcome is Outcome.FAILED
    assert run.result().notes == (DoubledInDoubt(ids=("theirs", "mine")),)


# --- what somebody may have changed since the list --------------------------------------------


def updating(read_at: float, accounts: int = 1) -> tuple[Run, Registration]:
    """A run whose accounts are registered by another name, as the list of that time shows."""
    run = Run(accounts)
    others = [replace(run.registered(number), name="another name") for number in range(accounts)]
    listing = Listing(others, asked_at=read_at)
    run.core = Core(
        Register(apply=True),
        run.results,
        pace=Pace(),
        control=run.control,
        limits=Limits(),
        known=listing,
    )
    run.orders = run.core.begin(map(job_of, run.accounts), 0.0)
    snapshot = replace(NOTHING, listing=listing)
    for account in run.accounts:
        role = RoleState(account_id=account.account_id or "", arn=account.expected_role_arn or "")
        value = ready_of(account, snapshot, (None, None), role)
        run.tell(Worked(name=account.name, value=value))
        run.tell(Ended(names=(account.name,)))
    return run, others[0]


def test_an_update_is_decided_on_a_list_that_is_not_old() -> None:
    run, _ = updating(read_at=0.0)
    run.now = FRESH_SECONDS + 1.0
    assert not run.sent()
    shared = replace(run.registered(), name="another name", read_access=("team",))
    run.listed(shared)
    (put,) = run.sent()
    assert isinstance(put, Put)
    assert put.registration == shared


def test_one_that_somebody_made_as_wanted_meanwhile_needs_no_request() -> None:
    run, _ = updating(read_at=-FRESH_SECONDS - 1.0)
    assert not run.sent()
    run.listed(run.registered())
    assert (run.result().outcome, run.core.done) == (Outcome.UNCHANGED, True)
    assert run.result().changes == ()


def test_a_pace_at_which_every_list_grows_old_does_not_go_round_for_ever() -> None:
    run, other = updating(read_at=-FRESH_SECONDS - 1.0)
    for _ in range(5):
        run.now += FRESH_SECONDS + 10.0
        if requests := run.sent():
            break
        run.listed(other)
    assert [request.method for request in requests] == [Method.PUT]


def test_there_a_list_is_good_for_the_next_request_alone() -> None:
    run, other = updating(read_at=-FRESH_SECONDS - 1.0, accounts=2)
    others = other, replace(run.registered(1), name="another name")
    for _ in range(5):
        run.now += FRESH_SECONDS + 10.0
        if requests := run.sent():
            break
        run.listed(*others)
    (put,) = requests
    assert isinstance(put, Put)
    run.now += FRESH_SECONDS
    run.accept(put)
    assert not any(isinstance(request, Put) for request in run.sent())
    assert isinstance(run.look(), ReadList)


def test_a_list_is_as_old_as_the_request_that_was_answered() -> None:
    run, other = updating(read_at=-FRESH_SECONDS - 1.0)
    assert not run.sent()
    request = run.look()
    run.now += 5 * FRESH_SECONDS  # in vain: throttled, or without an answer
    reading = ListReading(registrations=(other,), asked_at=run.now)
    run.tell(ListRead(request=request, reading=reading, seconds=5 * FRESH_SECONDS + 1.0), 1.0)
    assert [request.method for request in run.sent()] == [Method.PUT]


# --- work time: the same in every row --------------------------------------------------------


def test_work_time_is_that_of_the_jobs_and_the_requests() -> None:
    """Waits don't count, whatever for: a slot, a role to settle, the last list."""
    run = Run()
    run.now = 3.0
    run.ready(age=0.0)
    run.now = 60.0
    (request,) = run.sent()
    assert isinstance(request, Post)
    run.tell(Answered(request=request, registration=run.registered(), seconds=2.0), 2.0)
    run.listed(run.registered(), after=5.0)
    assert (run.result().outcome, run.result().seconds) == (Outcome.CREATED, 5.0)


def test_work_time_sums_up_all_rounds() -> None:
    run = Run()
    ended = Ended(names=("a0",), error=THROTTLED)
    run.tell(ended, 3.0)
    run.wake()
    run.tell(Ended(names=("a0",), error=AccountError(Stage.ROLE, "No", "no")), 1.0)
    assert (run.result().outcome, run.result().seconds) == (Outcome.FAILED, 4.0)


def test_work_time_of_an_account_that_the_interrupt_left_is_said_too() -> None:
    run = Run()
    run.stop(Stop.INTERRUPTED, 2.0)
    while not run.core.done:
        run.wake()
    assert run.result().seconds == run.now > GRACE_SECONDS


def test_accounts_of_a_stack_set_are_measured_from_the_start_of_their_operations() -> None:
    run = Run(3)
    together = ("a0", "a1", "a2")
    run.orders = run.core.begin([Job(names=together, task=None)], 0.0)
    run.ready(0)
    run.tell(Failed(name="a1", error=AccountError(Stage.ROLE, "No", "no")), 2.0)
    run.tell(Ended(names=together, error=AccountError(Stage.ROLE, "No", "no")), 3.0)
    assert [run.result(i).seconds for i in (1, 2)] == [2.0, 5.0]


def test_work_time_of_a_removal_is_that_of_plan_deletion_and_role() -> None:
    run = Run()
    removal = Removal(
        account=run.accounts[0],
        account_id="000000000000",
        registrations=(run.registered(),),
        role_changes=(DeleteRole(),),
        besides=(StillBroughtIn(source="datadog"),),
        seconds=1.0,
    )
    policy = Unregister([removal])
    run.core = Core(policy, run.results, pace=Pace(), control=run.control, limits=Limits())
    run.orders = run.core.begin((), 0.0)
    (request,) = run.sent()
    assert isinstance(request, Delete)
    run.tell(Answered(request=request, seconds=2.0), 2.0)
    run.tell(Worked(name="a0", value=()), 4.0)
    assert (run.result().outcome, run.result().seconds) == (Outcome.REMOVED, 7.0)
    assert run.result().notes == removal.besides, "what stays is said, whatever brought the role"


def test_an_account_that_is_handed_back_starts_once_its_job_has_ended() -> None:
    run = Run()
    (account,) = run.accounts
    orders = run.tell(HandedBack(account=account))
    assert not [order for order in orders if isinstance(order, Start)]
    orders = run.tell(Ended(names=(account.name,)))
    assert [order.job.names for order in orders if isinstance(order, Start)] == [(account.name,)]
    assert not run.results.is_final(account.name)
    assert run.post().name == account.name
