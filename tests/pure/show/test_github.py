from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.errors import ManifestError, ManifestProblem
from cloudcraft_onboard.show import github
from cloudcraft_onboard.show.told import document
from tests.support.reports import denied, report, result, typical


def test_a_failure_is_an_error_on_the_manifests_line() -> None:
    (line,) = github.annotations(report(result("A", line=3), denied("Pay: a, b", line=17)))
    assert line.startswith(
        "::error file=manifests/org.yaml,line=17,title=Pay%3A a%2C b%3A AccessDenied::User: arn:"
    )
    assert "%0Alet the role's trust policy" in line


def test_a_cause_of_many_accounts_is_one_error_with_their_number() -> None:
    failed = [denied(f"Team {n}", f"{n:012d}", line=n + 5) for n in range(263)]
    (line,) = github.annotations(report(*failed))
    assert ",line=5,title=sts%3AAssumeRole denied (reach)%3A 263 accounts::" in line
    assert "Team 0, Team 1" in line
    few = github.annotations(report(*failed[:3]))
    assert [",line=5," in few[0], ",line=6," in few[1], ",line=7," in few[2]] == [True] * 3


def test_each_wrong_place_of_a_manifest_is_an_error() -> None:
    problem = ManifestProblem(
        file="m.yaml", line=4, column=11, message="'prod ' is no region: 100%\nwrite us-east-1"
    )
    assert github.manifest_annotations(ManifestError((problem,))) == [
        "::error file=m.yaml,line=4,col=11::'prod ' is no region: 100%25%0Awrite us-east-1"
    ]


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"), min_size=1))
def test_no_text_starts_another_command(message: str, file: str) -> None:
    told = github.annotation("error", file, 1, 1, message)
    assert len(told.splitlines()) == 1
    parts = re.fullmatch(r"::error file=([^,:\r\n]*),line=1,col=1::([^\r\n]*)", told)
    assert parts is not None
    for part in parts.groups():
        assert re.sub(r"%(25|0A|3A|2C)", "", part).count("%") == 0


def test_a_group_is_folded() -> None:
    log = io.StringIO()
    github.write_group(log, "Plan\n::error::x", "a\nb\n")
    first, *rest = log.getvalue().splitlines()
    assert re.fullmatch(r"::group::Plan%0A.+error::x", first)
    assert rest == ["a", "b", "::endgroup::"]


def test_the_summary_is_appended(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    github.append_summary(str(summary), document(typical()))
    told = summary.read_text(encoding="utf-8")
    assert told.startswith("before\n")
    assert "### ❌ onboard run" in told


def test_a_summary_that_is_too_long_leaves_failures_and_counts(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("x" * (1024 * 1024 - 5_000), encoding="utf-8")
    many = [result(f"account {i} {'x' * 100}") for i in range(5000)]
    github.append_summary(str(summary), document(report(*many, denied("Payments"))))
    told = summary.read_text(encoding="utf-8")
    assert summary.stat().st_size < 1024 * 1024
    assert "Payments" in told
    assert "5,000 created" in told
    assert "<details>" not in told


@pytest.mark.parametrize("used", [1024 * 1024 - 300, 1024 * 1024])
def test_a_summary_that_is_full_already_stays_within_its_limit(tmp_path: Path, used: int) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("x" * used, encoding="utf-8")
    github.append_summary(str(summary), document(typical()))
    assert summary.stat().st_size <= 1024 * 1024
