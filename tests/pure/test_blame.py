"""The table of errors itself: its sentences, and how it tells causes apart."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import NAMES, Facts, Maker
from cloudcraft_onboard.blame.grouping import together
from cloudcraft_onboard.blame.row import Row
from cloudcraft_onboard.blame.service import FALLBACK
from cloudcraft_onboard.blame.table import TABLE, cause_of
from cloudcraft_onboard.blame.words import hint
from cloudcraft_onboard.model import Outcome, Problem, Result, Stage
from cloudcraft_onboard.show.causes import causes

README = Path(__file__).parents[2] / "README.md"
PACKAGE = Path(__file__).parents[2] / "cloudcraft_onboard"
ROWS = (*TABLE, FALLBACK, *ours.ROWS)
COMMANDS = ("run", "plan", "remove", "status", "init")
# Options that a hint may name of the command that shows it; those of others stand in a command.
SLOWER = {"--concurrency", "--retries"}
SOURCE = {"--profile", "--profiles"}
OPTIONS = {
    "init": SOURCE,
    "status": SOURCE | SLOWER | {"--no-roles"},
    "run": SLOWER,
    "plan": SLOWER,
    "remove": SLOWER,
}
# What CloudFormation says of an account always comes with these.
INSTANCE = {"account": "1", "role_name": "cloudcraft", "stack": "s", "region": "us-east-1"}


def least(row: Row) -> Facts:
    """No more facts than the row asks for."""
    given = {name: name.upper() for name in row.needs}
    if row.name.startswith(("instance-", "not-")) or row.name == "instance":
        given |= INSTANCE
    if row in ours.ROWS:
        given |= {"role_name": "cloudcraft", "key": "Mine", "units": "r-ab12", "account": "1"}
        given |= {"region": "us-east-1", "registration": "r1", "offered": "Platform"}
    if row.name == "role-name-taken":
        given["role_name"] = "cloudcraft"
    if row.name in ("config-missing", "leftover-endpoint", "endpoint-without-tls"):
        given["value"] = "/there"
    if row.name == "profile-ignored":
        given["file"] = "config"
    maker = min(row.makers, default=Maker.UNKNOWN)
    return Facts(**given, maker=maker)


SENTENCE = re.compile(r"(onboard |[A-Z`]).*[.?]")


def test_every_row_has_something_to_do_however_little_is_known() -> None:
    told = {row.name: hint(row, least(row)) for row in ROWS}
    assert len(told) > 100
    odd = {name: text for name, text in told.items() if "{" in text or not SENTENCE.fullmatch(text)}
    assert odd == {}


def test_a_hint_names_options_of_its_command_alone() -> None:
    everything = dict.fromkeys(NAMES, "X") | {"maker": Maker.SSO, "external_id": "sent"}
    for row in ROWS:
        for command in filter(None, row.commands or COMMANDS):
            facts = Facts(**{**everything, "command": command})  # type: ignore[arg-type]
            bare = re.sub(r"`[^`]*`", "", hint(row, facts))
            assert set(re.findall(r"--[a-z-]+", bare)) <= OPTIONS[command], (row.name, command)


def test_names_are_unique_and_facts_are_known() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert set(row.by) | set(row.needs) <= set(NAMES)


def problems_without_a_cause(tree: ast.Module) -> Iterator[int]:
    """Lines that make an account's problem, and give it no cause; a pending account needs none."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="AccountError" | "Problem"), keywords=given):
                if "cause" not in {each.arg for each in given}:
                    yield node.lineno


def test_every_problem_has_a_cause_but_for_those_of_saved_reports() -> None:
    (of_saved,) = [
        str(path.relative_to(PACKAGE))
        for path in sorted(PACKAGE.rglob("*.py"))
        for _ in problems_without_a_cause(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert of_saved == "show/report/json.py"


def failed(number: int, problem: Problem) -> Result:
    account_id = str(400000000000 + number)
    return Result(
        name=f"N{number}",
        account_id=account_id,
        profile=f"p{number}",
        region="us-east-1",
        outcome=Outcome.FAILED,
        error=problem,
    )


def problem_of(code: str, message: str, **facts: str) -> Problem:
    cause = cause_of(code, message, Facts(**facts))  # type: ignore[arg-type]
    return Problem(stage=Stage.ROLE, code=code, message=message, hint=cause.hint, cause=cause)


def denied(number: int, role: str) -> Result:
    account_id = str(400000000000 + number)
    principal = f"arn:aws:sts::{account_id}:assumed-role/{role}/me"
    message = f"User: {principal} is not authorized to perform: iam:GetRole on resource: cloudcraft"
    facts = {"account": account_id, "principal": principal, "action": "iam:GetRole"}
    return failed(number, problem_of("AccessDenied", message, **facts))


def test_one_permission_set_over_many_accounts_is_one_cause() -> None:
    some = [denied(n, f"AWSReservedSSO_Admin_{n:016x}") for n in range(59)]
    (cause,) = causes(some)
    assert len(cause.results) == 59
    assert "400000000000" not in f"{cause.problem.message} {cause.problem.hint}"
    assert "PRINCIPAL" in cause.problem.hint


def test_what_is_done_about_it_tells_two_causes_apart() -> None:
    assert len(causes([denied(1, "Admin"), denied(2, "Admin"), denied(3, "Reader")])) == 2
    sessions = [
        failed(n, problem_of("SSOTokenExpired", "expired", maker=Maker.SSO, sso_session=name))
        for n, name in enumerate(("corp", "corp", "other"))
    ]
    assert [len(cause.results) for cause in causes(sessions)] == [2, 1]


def test_another_text_of_the_same_cause_is_no_other_cause() -> None:
    texts = (f"The config profile (p{n}) could not be found." for n in range(3000))
    some = [
        failed(n, problem_of("ProfileNotFound", text, profile=f"p{n}"))
        for n, text in enumerate(texts)
    ]
    (cause,) = causes(some)
    assert cause.problem.message == "The config profile (PROFILE) could not be found."


def test_what_differs_becomes_a_word_and_what_is_shared_stays() -> None:
    row = next(row for row in TABLE if row.name == "assume-role")
    facts = [
        Facts(role=f"arn:aws:iam::{n}:role/Entry", caller="arn:aws:iam::9:user/me") for n in (1, 2)
    ]
    message, told = together(
        "No arn:aws:iam::1:role/Entry", [Cause(row=row, facts=f) for f in facts]
    )
    assert message == "No ROLE_ARN"
    assert "the role ROLE_ARN exists" in told
    assert "arn:aws:iam::9:user/me" in told


# --- the README's part of it ----------------------------------------------------------------------

TOLD = {
    "`AccessDenied` on `sts:AssumeRole`": (
        "assume-role",
        ("trust policy", "external ID", "closed"),
    ),
    "`AccessDenied` on `iam:CreateRole`": ("denied", ("`onboard permissions MANIFEST`",)),
    "credentials have expired": (
        "web-identity-expired",
        ("new web identity token", "`permissions: id-token: write`"),
    ),
    "a profile": ("profile-ignored", ("line",)),
    "AWS could not be reached": ("leftover-endpoint", ("sandbox that has ended",)),
    "`MfaRequired`": ("mfa", ("`aws sts get-caller-identity --profile NAME`",)),
}


@pytest.mark.parametrize("seen", TOLD)
def test_the_readme_says_what_the_table_says(seen: str) -> None:
    guide = README.read_text(encoding="utf-8").partition("## Troubleshooting")[2]
    line = next(line for line in guide.splitlines() if line.startswith(f"| {seen}"))
    name, words = TOLD[seen]
    row = next(row for row in TABLE if row.name == name)
    told = hint(
        row, Facts(profile="NAME", line="3", file="F", ignored="I", leftover="V", value="U")
    )
    told += hint(row, Facts(external_id="sent"))
    for word in words:
        assert word in line
        assert word in told or word.removeprefix("new ") in told, told
