"""Whatever Cloudcraft and AWS answer: the run ends, each account is reported, nothing leaks.

Generated answers of the real servers in the sandbox: any status, any headers, any body, also when
the request was processed. What a run may not do then is the same each time (`check`).
"""

from __future__ import annotations

import json
import os
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cloudcraft_onboard.errors import CannotStart
from tests.support import hostile
from tests.support.aws_proxy import AwsProxy
from tests.support.onboarding import existing, hub, run
from tests.support.world import MakeWorld, SandboxWorld

ACCOUNTS = 3
FUZZ = settings(
    max_examples=int(os.environ.get("EXAMPLES", "12")),
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
STATUSES = [
    200,
    200,
    200,
    201,
    204,
    303,
    307,
    400,
    401,
    403,
    404,
    409,
    422,
    429,
    500,
    502,
    503,
    599,
]

TEXT = st.sampled_from([*hostile.TEXTS, "", "..", ".", "a/b", "%2e%2e", "\ud800", "0", "x" * 300])
SCALAR = TEXT | st.none() | st.booleans() | st.integers(-3, 10**30) | st.just(float("nan"))
ODD = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


def mostly(value: Any) -> st.SearchStrategy[Any]:
    """What is documented, more often than not."""
    return st.sampled_from([value] * 4) | ODD


ARNS = [f"arn:aws:iam::{200000000001 + n}:role/cloudcraft" for n in range(ACCOUNTS)]
ENTRY = st.fixed_dictionaries(
    {
        "id": mostly("fe3e5b29-a0e8-41ca-91e2-02a0441b1d33"),
        "name": mostly("A000"),
        "roleArn": st.sampled_from(ARNS) | ODD,
        "externalId": mostly("4414aef4-1f35-4bbc-9b7a-5d5a1b7c0e2f"),
    },
    optional={
        "readAccess": ODD,
        "writeAccess": ODD,
        "createdAt": mostly("2026-01-01T00:00:00Z"),
        "source": mostly("aws"),
    },
)
PARAMETERS = st.fixed_dictionaries(
    {"accountId": mostly("912185983511"), "externalId": mostly("4414aef4")}
)
DATA = (
    ODD
    | ENTRY
    | PARAMETERS
    | st.fixed_dictionaries({"accounts": st.lists(ENTRY, max_size=3) | ODD})
    | st.fixed_dictionaries({"error": ODD})
)
BODY = (
    DATA.map(json.dumps)
    | DATA.map(json.dumps).map(lambda text: text[: len(text) // 2])
    | st.sampled_from(["", "<html>nginx</html>", "[" * 5000, "1" + "0" * 5000, '{"accounts":{}}'])
)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "Content-Encoding", "Content-Type", "Location", "Link", "Age"]),
    st.sampled_from(["0", "1", "-1", "x", "9" * 30, "gzip", "text/html", "/aws/account", "\u00ff"]),
    max_size=2,
)


WHERE = [("GET", "account$"), ("GET", "Parameters$"), ("POST", ""), ("", "")]


@st.composite
def faults(draw: st.DrawFn) -> dict[str, Any]:
    """One answer to some of the requests."""
    status = draw(st.sampled_from(STATUSES))
    answer: Any = {"status": status, "headers": draw(HEADERS), "body": draw(BODY)}
    where = draw(
        st.sampled_from([("GET", "account$"), ("GET", "Parameters$"), ("POST", ""), ("", "")])
    )
    return {
        "method": where[0],
        "path": where[1],
        "times": draw(st.sampled_from([1, 1, 2, -1])),
        "skip": draw(st.sampled_from([0, 0, 1, 2])),
        # What was refused was not processed: a server that says the contrary cannot be believed.
        "process": draw(st.booleans()) if status >= 500 or status < 300 else False,
        "answer": draw(st.sampled_from(["reset", "close", "cut", *[answer] * 9])),
    }


def check(world: SandboxWorld, shown: str, report: dict[str, Any] | None) -> None:
    """What holds whatever was answered."""
    told = json.dumps(report) + shown
    assert "Traceback" not in told
    assert "bug in onboard. Please" not in told
    assert world.api_key not in told
    if report is not None:
        names = [account["name"] for account in report["accounts"]]
        assert names == [f"A{n:03d}" for n in range(len(names))]
        assert len(names) == ACCOUNTS
    for account in range(200000000001, 200000000001 + ACCOUNTS):
        nobody_sends_blindly(world, str(account))


def nobody_sends_blindly(world: SandboxWorld, account: str) -> None:
    """A POST is repeated after a refusal, or after a look at the list."""
    requests = [
        r for r in world.requests() if r.path == "/aws/account" and r.account in {"", account}
    ]
    posts = [index for index, r in enumerate(requests) if r.method == "POST"]
    for first, second in pairwise(posts):
        refused = requests[first].status is not None and 400 <= (requests[first].status or 0) < 500
        assert refused or second - first > 1, [(r.method, r.status) for r in requests]


@FUZZ
@given(wanted=st.lists(faults(), min_size=1, max_size=3))
def test_whatever_cloudcraft_answers(
    make_world: MakeWorld, capfd: pytest.CaptureFixture[str], wanted: list[dict[str, Any]]
) -> None:
    world = make_world(existing(ACCOUNTS))
    world.fault(*wanted)
    report = None
    try:
        ended = run(world, retries=1, timeout=1.0, time_budget=2.0)
    except CannotStart as error:
        shown = f"{error.message} {error.hint}"
        assert {r.method for r in world.requests()} == {"GET"}
    else:
        shown, report = "", ended.report
        assert ended.code in {0, 1}
        assert ended.code == int(not set(ended.outcomes) <= {"created", "updated", "unchanged"})
    out, err = capfd.readouterr()
    check(world, shown + out + err, report)


ACTIONS = [
    "GetCallerIdentity",
    "AssumeRole",
    "GetRole",
    "CreateRole",
    "ListAttachedRolePolicies",
    "AttachRolePolicy",
]
XML = TEXT.map(lambda text: "".join(c for c in text if c.isprintable()).replace("<", "&lt;"))


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    """One answer of AWS's to some calls of an action."""
    action = draw(st.sampled_from(ACTIONS))
    arn = draw(st.sampled_from(["arn:aws:iam::300000000001:role/cloudcraft", "x"]) | XML)
    date = draw(st.sampled_from(["2026-01-01T00:00:00Z", "soon", "9" * 30]))
    trust = draw(st.sampled_from(["%7B%7D", "%5B%5D", "1", "%7B", "null"]) | XML)
    role = (
        f"<Role><Arn>{arn}</Arn><Path>/</Path><CreateDate>{date}</CreateDate>"
        f"<AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument>"
        "<MaxSessionDuration>3600</MaxSessionDuration></Role>"
    )
    parts = [
        f"<Arn>{arn}</Arn>",
        "<UserId>x</UserId><Account>1</Account>",
        f"<AssumedRoleUser><Arn>{arn}</Arn></AssumedRoleUser>",
        f"<Credentials><AccessKeyId>x</AccessKeyId><Expiration>{date}</Expiration></Credentials>",
        role,
        "<IsTruncated>true</IsTruncated>",
        "<Marker>m</Marker>",
        "<AttachedPolicies><member><PolicyName>x</PolicyName></member></AttachedPolicies>",
        "<AttachedPolicies/>",
    ]
    inside = "".join(draw(st.lists(st.sampled_from(parts), max_size=4)))
    good = f"<{action}Response><{action}Result>{inside}</{action}Result></{action}Response>"
    body = draw(st.sampled_from([good] * 6 + [good[:-9], "", "{}", "<html>", "\x00", "<a/>"]))
    kind = draw(st.sampled_from(["raw"] * 6 + ["error", "drop", "lost"]))
    return {
        "action": action,
        "kind": kind,
        "status": draw(st.sampled_from([200, 200, 200, 204, 301, 400, 403, 500, 503])),
        "code": draw(
            st.sampled_from(["Throttling", "AccessDenied", "", "x" * 300, "NoSuchEntity"])
        ),
        "message": draw(XML),
        "body": body.encode(),
        "times": draw(st.sampled_from([1, 2, 10**9])),
    }


@FUZZ
@given(wanted=st.lists(answers(), min_size=1, max_size=3))
def test_whatever_aws_answers(
    make_world: MakeWorld,
    aws_proxy: AwsProxy,
    capfd: pytest.CaptureFixture[str],
    wanted: list[dict[str, Any]],
) -> None:
    world = make_world(hub(ACCOUNTS))
    aws_proxy.calm()
    for one in wanted:
        aws_proxy.trouble(one.pop("action"), **one)
    report = None
    try:
        ended = run(world, retries=0, timeout=2.0, time_budget=3.0)
    except CannotStart as error:
        shown = f"{error.message} {error.hint}"
        assert {r.method for r in world.requests()} <= {"GET"}
    else:
        shown, report = "", ended.report
        assert ended.code in {0, 1}
    out, err = capfd.readouterr()
    check(world, shown + out + err, report)
    assert os.environ["CLOUDCRAFT_API_KEY"] not in out + err
