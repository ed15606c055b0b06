from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.events import (
    AccountFinished,
    AccountQueued,
    AccountRetried,
    Forecast,
    PaceWaited,
    RequestRetried,
    RunStarted,
    StepStarted,
    Stopping,
    Throttled,
)
from cloudcraft_onboard.model import Command, Outcome, Problem, Stage
from cloudcraft_onboard.show import screen
from cloudcraft_onboard.show.state import RunState
from tests.support.examples import examples
from tests.support.reports import denied, result


def started(total: int, *, command: Command = Command.RUN) -> RunState:
    state = RunState()
    state.fold(
        RunStarted(command=command, manifest="manifests/org.yaml", total=total, dry_run=False), 0
    )
    return state


def lines(state: RunState, now: float, width: int = 72, height: int = 24) -> list[str]:
    return [line.plain.rstrip() for line in screen.render(state, now, width, height)]


def test_a_run_that_has_just_started() -> None:
    assert lines(started(5), 0.5) == [
        "onboard run  manifests/org.yaml                                    0:00",
        "░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0/5  0%",
        "nothing finished yet",
    ]


def test_five_accounts() -> None:
    state = started(5)
    state.fold(StepStarted(name="Production", step="assuming role"), 1)
    state.fold(StepStarted(name="결제 서비스", step="create-role"), 2)
    state.fold(StepStarted(name="Data 🚀", step="register"), 3)
    state.fold(AccountRetried(name="Data 🚀", reason="the role is new", wait=10), 4)
    state.fold(AccountFinished(result=denied("Payments")), 5)
    assert lines(state, 6.2) == [
        "onboard run  manifests/org.yaml                                    0:06",
        "██████░░░░░░░░░░░░░░░░░░░░░░░░░░  1/5  20%",
        "x 1 failed",
        "",
        "x sts:AssumeRole denied (reach), Payments (222233334444): User:",
        "  arn:aws:iam::999988887777:user/ops is not authorized to perform: …",
        "  → let the role's trust policy name the profile's identity, or set as…",
        "",
        "Working on 3 accounts",
        "  Production   assuming role                                       0:05",
        "  결제 서비스  create-role                                         0:04",
        "  Data 🚀      retrying in 8 s: the role is new                    0:03",
    ]


def big() -> RunState:
    """1,000 accounts in the middle: AWS is done but for 20, Cloudcraft's pace is the rest."""
    state = started(1000)
    state.fold(Forecast(writes=900, requests=901, seconds=2700, limit=20, window=60), 2)
    for index in range(20):
        state.fold(StepStarted(name=f"Team {index}", step="assuming role"), 3)
    for index in range(400):
        state.fold(AccountFinished(result=result(f"done {index}"), provisional=True), 10)
    for index in range(388):
        state.fold(AccountQueued(name=f"queued {index}"), 10)
    for index in range(3):
        state.fold(AccountFinished(result=denied(f"bad {index}", f"{index:012d}")), 10)
    for index in range(7):
        state.fold(AccountFinished(result=result(f"same {index}", Outcome.UNCHANGED)), 10)
    state.fold(PaceWaited(seconds=14, slots=20, waiting=388), 10)
    return state


def test_a_thousand_accounts_in_sixty_columns_and_fifteen_rows() -> None:
    assert lines(big(), 10.5, 60, 15) == [
        "onboard run  manifests/org.yaml                        0:10",
        "█████████░░░░░░░░░░░░░░░  410/1,000  41%  about 45 min left",
        "+ 400 created  = 7 unchanged  x 3 failed",
        "next 20 requests to Cloudcraft in 14 s · 388 queued",
        "400 accounts registered, to be verified at the end",
        "",
        "x sts:AssumeRole denied (reach), 3 accounts: User:",
        "  arn:aws:iam::999988887777:user/ops is not authorized to …",
        "  → let the role's trust policy name the profile's identit…",
        "",
        "Working on 20 accounts",
        "  Team 0   assuming role                               0:07",
        "  Team 1   assuming role                               0:07",
        "  Team 2   assuming role                               0:07",
        "  … and 17 more",
    ]


def test_five_rows_have_what_matters_most() -> None:
    state = big()
    state.fold(Stopping(reason="Ctrl-C: what is in flight is finished"), 11)
    assert lines(state, 11, 60, 5) == [
        "█████████░░░░░░░░░░░░░░░  410/1,000  41%  about 45 min left",
        "+ 400 created  = 7 unchanged  x 3 failed",
        "! stopping: Ctrl-C: what is in flight is finished",
        "next 20 requests to Cloudcraft in 13 s · 388 queued",
        "400 accounts registered, to be verified at the end",
    ]


def test_many_causes_end_in_a_line_that_counts_the_rest() -> None:
    state = started(100)
    for index in range(40):
        cause = Problem(stage=Stage.ROLE, code=f"Code{index // 2}", message="No.", hint="Mend it.")
        state.fold(AccountFinished(result=denied(f"Team {index}", error=cause)), 1)
    assert lines(state, 2, 80, 9)[3:] == [
        "",
        "x Code0 (role), 2 accounts: No.",
        "  → Mend it.",
        "x Code1 (role), 2 accounts: No.",
        "  → Mend it.",
        "x 18 more causes, 36 accounts",
    ]


def with_causes(number: int) -> RunState:
    state = started(5000)
    for index in range(number):
        cause = Problem(stage=Stage.ROLE, code=f"Code{index}", message="No.", hint="Mend it.")
        state.fold(AccountFinished(result=denied(f"Team {index}", error=cause)), 1)
    return state


def test_a_frame_costs_what_fits_and_not_what_there_is() -> None:
    few, many = with_causes(30), with_causes(3000)
    assert lines(many, 2, 80, 24)[-1] == "x 2,991 more causes, 2,991 accounts"

    def cost(state: RunState) -> float:
        began = time.process_time()
        for _ in range(30):
            screen.render(state, 2, 80, 24)
        return time.process_time() - began

    cost(few)
    # Twice here, for the counting of the rest; a hundred times where each is laid out.
    assert cost(many) < 10 * cost(few)


def test_a_throttle_is_told_as_one() -> None:
    state = started(10)
    state.fold(AccountQueued(name="Production"), 1)
    state.fold(Throttled(seconds=60), 1)
    assert lines(state, 2)[3] == "Cloudcraft says slow down (429): continuing in 59 s · 1 queued"


def test_new_roles_that_settle_are_no_hang() -> None:
    state = started(10)
    state.fold(AccountQueued(name="Production", ready_in=10), 1)
    assert lines(state, 2)[3] == "1 account queued for Cloudcraft, new roles settle for 9 s"
    assert lines(state, 11)[3] == "1 account queued for Cloudcraft"


def test_a_retry_whose_turn_has_not_come_is_told() -> None:
    state = started(10)
    state.fold(StepStarted(name="Production", step="register"), 1)
    state.fold(AccountRetried(name="Production", reason="the role is new", wait=5), 2)
    assert "retrying in 5 s: the role is new" in lines(state, 2)[-1]
    assert "to be retried: the role is new" in lines(state, 7)[-1]


def test_accounts_that_wait_for_the_same_reason_are_one_line() -> None:
    state = started(50)
    for index in range(25):
        state.fold(StepStarted(name=f"Team {index}", step="register"), 1)
        wait = 5 + index
        state.fold(AccountRetried(name=f"Team {index}", reason="the role is new", wait=wait), 2)
    state.fold(StepStarted(name="Odd", step="assuming role"), 2)
    assert lines(state, 3)[4:7] == [
        "Working on 26 accounts",
        "  25 accounts, next try in 4 s: the role is new",
        "  Odd      assuming role                                           0:01",
    ]


def test_a_request_that_is_sent_again_is_told() -> None:
    state = started(10)
    state.fold(RequestRetried(request="POST /aws/account", reason="HTTP 503", wait=4), 1)
    assert lines(state, 2)[3] == "trying again in 3 s: POST /aws/account: HTTP 503"


def test_the_last_read_is_told() -> None:
    state = started(1)
    state.fold(AccountFinished(result=result("Production"), provisional=True), 1)
    assert lines(state, 2)[1].endswith("1/1  100%  verifying")


def test_a_plan_counts_what_is_to_do() -> None:
    state = started(2, command=Command.PLAN)
    state.fold(AccountFinished(result=result("Production")), 1)
    assert lines(state, 2)[2] == "+ 1 to create"


def test_the_region_keeps_its_height_while_accounts_come_and_go() -> None:
    state = started(10)
    for name in ("A", "B", "C"):
        state.fold(StepStarted(name=name, step="assuming role"), 1)
    before = len(lines(state, 2))
    state.fold(AccountQueued(name="B"), 2)
    assert len(screen.render(state, 3, 80, 24)) == before + 1  # the queue has its own line


@examples(60)
@given(
    width=st.integers(60, 200),
    height=st.integers(3, 60),
    name=st.text(min_size=1, max_size=60),
    working=st.integers(0, 40),
    failing=st.integers(0, 40),
)
def test_whatever_happens_fits(
    width: int, height: int, name: str, working: int, failing: int
) -> None:
    state = started(5000)
    for index in range(working):
        state.fold(StepStarted(name=f"{name} {index}", step=name), 1)
    for index in range(failing):
        problem = denied(f"{name} {index}")
        state.fold(AccountFinished(result=problem), 1)
    state.fold(Stopping(reason=name), 2)
    drawn = screen.render(state, 3, width, height)
    assert len(drawn) <= height
    assert all(line.cell_len < width and "\n" not in line.plain for line in drawn)
