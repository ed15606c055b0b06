from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.model import Outcome, Report
from cloudcraft_onboard.show.report import junit
from cloudcraft_onboard.show.told import document
from tests.support import hostile
from tests.support.examples import examples
from tests.support.reports import denied, report, result, typical

# What Jenkins's schema allows (xunit-plugin, junit-10.xsd): children, required, other attributes.
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"testsuite"}, set(), {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file"},
    ),
    "properties": ({"property"}, set(), set()),
    "property": (set(), {"name", "value"}, set()),
    "testcase": (
        {"skipped", "error", "failure", "system-out", "system-err"},
        {"name"},
        {"time", "classname", "group"},
    ),
    "failure": (set(), set(), {"type", "message"}),
    "skipped": (set(), set(), {"type", "message"}),
    "system-out": (set(), set(), set()),
    "system-err": (set(), set(), set()),
}
SUREFIRE_TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")


def parsed(of: Report) -> ET.Element:
    root = ET.fromstring(junit.render(document(of)).encode())
    validate(root)
    return root


def validate(element: ET.Element) -> None:
    children, required, optional = SCHEMA[element.tag]
    assert required <= set(element.attrib) <= required | optional, element.tag
    assert {child.tag for child in element} <= children, element.tag
    if element.tag in ("testsuites", "testsuite"):
        assert SUREFIRE_TIME.fullmatch(element.attrib["time"])
    for child in element:
        validate(child)


def test_accounts_are_test_cases() -> None:
    root = parsed(typical())
    suite = root[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "1", "1")
    assert [case.get("name") for case in suite.iter("testcase")] == [
        "Production", "결제 서비스", "Data 🚀", "Payments", "Legacy",
    ]  # fmt: skip
    assert suite.get("timestamp") == "2026-11-23T10:00:00Z"


def test_a_failure_has_message_hint_and_the_manifests_line() -> None:
    (failure,) = parsed(report(denied("Payments", line=17))).iter("failure")
    assert failure.get("type") == "AccessDenied"
    assert (failure.get("message") or "").startswith("User: arn:aws:iam::")
    assert "let the role's trust policy" in (failure.text or "")
    assert "manifests/org.yaml:17: Payments (222233334444), stage reach" in (failure.text or "")


def test_pending_accounts_are_skipped_with_what_they_wait_for() -> None:
    later = result("A", Outcome.PENDING, notes=("the time budget is used up",))
    skipped = parsed(report(later, result("B", Outcome.PENDING))).iter("skipped")
    assert [case.get("message") for case in skipped] == [
        "the time budget is used up",
        "pending: run the same command again to continue",
    ]


NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@examples(200)
@given(st.text(st.characters(codec="utf-8"), min_size=1) | st.sampled_from(hostile.TEXTS))
def test_any_name_is_there_letter_by_letter(name: str) -> None:
    (case,) = parsed(report(denied(name))).iter("testcase")
    assert case.attrib["name"] == NOT_IN_XML.sub("\ufffd", name)


@given(st.text() | st.sampled_from(hostile.TEXTS))
def test_who_is_shown_the_file_finds_no_command(text: str) -> None:
    failed = denied(text)
    assert failed.error is not None
    failed = replace(failed, error=replace(failed.error, message=text, hint=f"\n{text}"))
    whole = report(failed, result(text, Outcome.PENDING, notes=(text,)))
    assert hostile.steering(junit.render(document(whole))) == []
