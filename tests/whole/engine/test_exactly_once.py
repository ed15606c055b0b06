"""Registered exactly once, whatever the network does: each fault ends with every account there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support import faults
from tests.support.faults import LISTING, READING_PARAMETERS, REGISTERING
from tests.support.onboarding import existing, hub, rewrite, run
from tests.support.world import MakeWorld, SandboxWorld

N = 4
IDS = [f"20000000000{n}" for n in range(1, N + 1)]

DOUBTFUL = (
    faults.error(500, processed=True, **REGISTERING),
    faults.error(500, processed=False, **REGISTERING),
    faults.error(503, processed=False, **REGISTERING),
    faults.reset(processed=True, **REGISTERING),
    faults.reset(processed=False, **REGISTERING),
    faults.close(processed=True, **REGISTERING),
    faults.close(processed=False, **REGISTERING),
    faults.cut(**REGISTERING),
    faults.empty(**REGISTERING),
    faults.html(502, processed=True, **REGISTERING),
    faults.html(502, processed=False, **REGISTERING),
    faults.html(200, processed=True, **REGISTERING),
    faults.not_json(**REGISTERING),
    faults.without_id(**REGISTERING),
)
HANGS = tuple(faults.hang(60, processed=processed, **REGISTERING) for processed in (True, False))
READING_AT_THE_END: dict[str, Any] = {**LISTING, "skip": 1}
WHILE_VERIFYING = {
    "error 500": faults.error(500, processed=True, **READING_AT_THE_END),
    "reset": faults.reset(processed=True, **READING_AT_THE_END),
    "closed": faults.close(processed=True, **READING_AT_THE_END),
    "hang": faults.hang(60, processed=True, **READING_AT_THE_END),
    "cut body": faults.cut(**READING_AT_THE_END),
    "empty body": faults.empty(**READING_AT_THE_END),
    "HTML 502": faults.html(502, processed=False, **READING_AT_THE_END),
    "not JSON": faults.not_json(**READING_AT_THE_END),
    "429": faults.too_many(1, **READING_AT_THE_END),
}


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(DOUBTFUL, id="all kinds"),
        pytest.param([f for f in DOUBTFUL if f.get("process", True)], id="all processed"),
        pytest.param(HANGS, id="hangs"),
    ],
)
def test_a_doubtful_registration_is_looked_up_and_never_doubled(
    make_world: MakeWorld, kinds: Sequence[dict[str, Any]]
) -> None:
    """One account for each kind of fault, and one that is spared."""
    count = len(kinds) + 1
    world = make_world(existing(count))
    ids = [f"{200000000001 + number}" for number in range(count)]
    world.fault(*({**fault, "account": ids[n]} for n, fault in enumerate(kinds)))
    ended = run(world, timeout=max(map(faults.patience, kinds)))
    assert (ended.code, ended.outcomes) == (0, ["created"] * count)
    assert world.registered == ids
    # One list answers for all doubtful ones; it is the verifying read too, if nothing follows it.
    sent_again = [id_ for id_, posts in _posts(world).items() if posts > 1]
    assert sent_again == [ids[n] for n, f in enumerate(kinds) if not f.get("process", True)]
    assert len(world.requests("POST")) == count + len(sent_again)
    assert len(world.requests("GET", "/aws/account")) == 1 + (2 if sent_again else 1)


def _posts(world: SandboxWorld) -> dict[str, int]:
    """How often each account's registration was sent, by account ID."""
    return dict(sorted(Counter(str(r.account) for r in world.requests("POST")).items()))


@pytest.mark.parametrize("fault", WHILE_VERIFYING.values(), ids=WHILE_VERIFYING)
def test_a_verifying_read_that_fails_is_made_again(
    make_world: MakeWorld, fault: dict[str, Any]
) -> None:
    world = make_world(existing(N), rate_limit="20/1")
    world.fault(fault)
    ended = run(world, timeout=faults.patience(fault))
    assert (ended.code, ended.outcomes) == (0, ["created"] * N)
    assert world.registered == IDS
    assert len(world.requests("POST")) == N


def test_what_a_lost_request_may_have_made_is_left_and_both_ids_are_told(
    make_world: MakeWorld,
) -> None:
    """Processed late: no answer named it, and a likeness is no proof."""
    world = make_world(existing(N))
    world.fault(faults.late(2.5, **REGISTERING))
    # The others hang a little, so that the late one is there when the verifying read is made.
    world.fault(faults.slow(2.0, **REGISTERING, skip=N - 1))
    ended = run(world)
    assert (ended.code, sorted(ended.outcomes)) == (1, ["created"] * (N - 1) + ["pending"])
    assert not world.requests("DELETE")
    pending = next(a for a in ended.report["accounts"] if a["outcome"] == "pending")
    both = [a["id"] for a in world.accounts if pending["account_id"] in a["roleArn"]]
    assert len(both) == 2
    assert all(each in pending["notes"][0] for each in both)


@pytest.mark.parametrize("age", ["older", "newer"])
def test_another_runs_registration_at_the_same_moment_leaves_the_oldest(
    make_world: MakeWorld, age: str
) -> None:
    world = make_world(existing(N))
    world.fault(faults.twin(age, account=IDS[1]))
    ended = run(world)
    assert ended.code == 0
    ours = {a["cloudcraft_id"] for a in ended.report["accounts"]}
    if age == "older":  # ours is the newer one, so it goes
        assert world.registered == IDS
        assert len(world.requests("DELETE")) == 1
    else:  # theirs goes, and that is theirs to do
        assert world.registered == sorted([*IDS, IDS[1]])
        assert not world.requests("DELETE")
        assert "Another run" in ended.account("A001")["notes"][0]
    assert ours <= {account["id"] for account in world.accounts}


def test_registrations_doubled_before_the_run_are_reported_and_not_touched(
    make_world: MakeWorld,
) -> None:
    doubled = '  - {name: D, account_id: "200000000009", tags: {sandbox: doubled}}\n'
    world = make_world(existing(1) + doubled)
    before = world.registered
    ended = run(world)
    assert ended.outcomes == ["created", "unchanged"]
    assert "Registered 2 times before this run" in ended.account("D")["notes"][0]
    assert world.registered == sorted([*before, IDS[0]])
    assert not world.requests("DELETE")


def test_a_429_is_counted_waited_out_and_fails_nobody(make_world: MakeWorld) -> None:
    world = make_world(existing(N), rate_limit="10/2")
    world.fault(faults.too_many(1, **REGISTERING, times=2))
    ended = run(world)
    assert (ended.code, ended.outcomes) == (0, ["created"] * N)
    assert ended.report["cloudcraft"]["throttled"] == 2
    assert world.registered == IDS


def test_a_client_that_shares_the_quota_costs_time_only(make_world: MakeWorld) -> None:
    world = make_world(existing(12), rate_limit="5/1")
    world.fault(faults.burst(4, **REGISTERING, skip=3))
    ended = run(world)
    assert (ended.code, set(ended.outcomes)) == (0, {"created"})
    assert len(world.registered) == len(set(world.registered)) == 12


def test_no_window_ever_holds_more_than_the_limit(make_world: MakeWorld) -> None:
    world = make_world(existing(18), rate_limit="5/1", latency=0.2)
    ended = run(world)
    assert ended.code == 0
    assert world.throttled <= 1  # a busy machine may count one late
    assert world.kept_to(5, 1.0)


def test_a_redirect_is_not_followed_and_said(make_world: MakeWorld) -> None:
    world = make_world(existing(1))
    world.fault(faults.redirect("http://127.0.0.1:1/elsewhere", **REGISTERING))
    ended = run(world)
    assert (ended.code, ended.outcomes) == (1, ["failed"])
    assert "CLOUDCRAFT_BASE_URL" in ended.account("A000")["error"]["hint"]


def test_a_list_that_lags_is_read_once_more(make_world: MakeWorld) -> None:
    world = make_world(existing(2))
    world.fault(faults.lag(60, skip=1))
    ended = run(world)
    assert (ended.code, ended.outcomes) == (0, ["created"] * 2)
    assert len(world.requests("GET", "/aws/account")) == 3


def test_an_account_that_is_never_listed_is_not_called_done(make_world: MakeWorld) -> None:
    world = make_world(existing(2))
    world.fault(faults.lag(600, times=-1))
    ended = run(world)
    assert (ended.code, ended.outcomes) == (1, ["failed"] * 2)
    assert {a["error"]["stage"] for a in ended.report["accounts"]} == {"verify"}


def test_a_verifying_read_that_never_comes_leaves_pending_not_done(make_world: MakeWorld) -> None:
    world = make_world(existing(2))
    world.fault(faults.error(500, processed=False, **LISTING, skip=1, times=-1))
    ended = run(world, retries=0)
    assert (ended.code, ended.outcomes) == (1, ["pending"] * 2)
    assert run_again_finishes(world)


def test_an_answer_that_never_comes_ends_pending_and_the_next_run_finishes(
    make_world: MakeWorld,
) -> None:
    world = make_world(existing(3))
    world.fault(faults.error(503, processed=False, **REGISTERING, times=-1))
    ended = run(world, retries=1)
    assert (ended.code, ended.outcomes) == (1, ["pending"] * 3)
    assert run_again_finishes(world)


def test_reads_at_the_start_are_simply_tried_again(make_world: MakeWorld) -> None:
    world = make_world(existing(1))
    world.fault(
        faults.reset(processed=False, **READING_PARAMETERS),
        faults.html(502, processed=False, **LISTING),
    )
    ended = run(world)
    assert (ended.code, ended.outcomes) == (0, ["created"])
    assert ended.report["cloudcraft"]["retried"] == 2


def test_a_registration_deleted_in_between_is_made_again(make_world: MakeWorld) -> None:
    world = make_world(existing(1))
    assert run(world).code == 0
    rewrite(world, existing(1).replace("A000", "Renamed"))
    world.fault(faults.error(404, "Not found", processed=False, method="PUT"))
    ended = run(world)
    assert (ended.code, ended.outcomes) == (0, ["updated"])
    assert [account["name"] for account in world.accounts] == ["Renamed"]


# --- refusals -----------------------------------------------------------------------------------


def test_a_new_role_gets_time_to_spread(make_world: MakeWorld) -> None:
    world = make_world(hub(2), propagation_seconds=3)
    ended = run(world)
    assert (ended.code, ended.outcomes) == (0, ["created"] * 2)
    assert {account["attempts"] for account in ended.report["accounts"]} == {2}


def test_how_old_a_role_must_be_is_tried_with_one_and_believed_for_the_others(
    make_world: MakeWorld,
) -> None:
    world = make_world(hub(8), propagation_seconds=2.0)
    ended = run(world, settle=None)
    assert (ended.code, set(ended.outcomes)) == (0, {"created"})
    first, *others = world.requests("POST")
    assert len(others) == 7, "nobody was refused"
    assert first.answered_at is not None
    assert all(other.at >= first.answered_at for other in others)


def test_a_refused_try_costs_the_others_nothing(make_world: MakeWorld) -> None:
    world = make_world(hub(4), propagation_seconds=4.0)
    ended = run(world, settle=None)
    assert (ended.code, set(ended.outcomes)) == (0, {"created"})
    assert sorted(a["attempts"] for a in ended.report["accounts"]) == [1, 1, 1, 2]


def test_roles_settle_before_cloudcraft_is_asked(make_world: MakeWorld) -> None:
    world = make_world(hub(2), propagation_seconds=2)
    ended = run(world, settle=2.5)
    assert (ended.code, len(world.requests("POST"))) == (0, 2)


@pytest.mark.parametrize("status", [400, 403, 422])
def test_a_blocked_region_fails_the_account_with_the_way_out(
    make_world: MakeWorld, status: int
) -> None:
    world = make_world(existing(4), refusal_status=status, blocked_regions=("us-east-1",))
    ended = run(world)
    assert (ended.code, ended.outcomes) == (1, ["failed"] * 4)
    error = ended.account("A000")["error"]
    assert (error["stage"], error["code"]) == ("register", f"HTTP{status}")
    assert "Unable to verify AWS account" in error["message"]
    assert "another `region`" in error["hint"]
    assert len(world.requests("POST")) == 4


def test_a_read_only_key_stops_the_run_and_leaves_the_rest_pending(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(existing(40), latency=0.05)
    monkeypatch.setenv("CLOUDCRAFT_API_KEY", world.read_only_key)
    ended = run(world)
    assert ended.code == 1
    assert ended.outcomes.count("failed") == 3
    assert ended.outcomes.count("pending") == 37
    failure = next(a["error"] for a in ended.report["accounts"] if a["error"])
    assert "read-write" in failure["hint"]
    assert world.registered == []


def test_a_key_that_is_revoked_in_the_middle_stops_the_run(make_world: MakeWorld) -> None:
    world = make_world(existing(40), rate_limit="10/1")
    revoked = {"method": "POST", "skip": 12, "times": -1}
    world.fault(faults.error(401, "Unauthorized", processed=False, **revoked))
    ended = run(world)
    assert ended.code == 1
    assert ended.outcomes.count("failed") >= 1
    assert ended.outcomes.count("pending") >= 20
    assert world.registered == sorted(set(world.registered))


def run_again_finishes(world: SandboxWorld) -> bool:
    world.calm()
    ended = run(world)
    return ended.code == 0 and world.registered == sorted(set(world.registered))


@pytest.mark.parametrize("status", [303, 307])
def test_a_redirect_is_final_even_for_a_new_role(make_world: MakeWorld, status: int) -> None:
    world = make_world(hub(1))
    world.fault(faults.redirect("https://elsewhere.invalid/", status, **REGISTERING, times=-1))
    ended = run(world)
    assert (ended.code, ended.outcomes) == (1, ["failed"])
    assert len(world.requests("POST")) == 1
    assert "CLOUDCRAFT_BASE_URL" in ended.report["accounts"][0]["error"]["hint"]
