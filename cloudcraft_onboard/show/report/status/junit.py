"""Where the accounts stand, as JUnit XML: one case for each account, failed where it is open."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from cloudcraft_onboard.console.harmless import clean_lines
from cloudcraft_onboard.coverage import advice
from cloudcraft_onboard.coverage.words import OPEN, Standing, State, Status
from cloudcraft_onboard.show import standing, text
from cloudcraft_onboard.show.report.json import time_text


def render(status: Status) -> str:
    """The status as JUnit XML."""
    numbers = {
        "tests": str(len(status.accounts)),
        "failures": str(sum(map(status.count, OPEN))),
        "errors": "0",
        "time": "0.00",
    }
    suites = ET.Element("testsuites", {"name": "onboard", **numbers})
    suite = ET.SubElement(
        suites,
        "testsuite",
        {
            "name": clean_lines(f"onboard status {status.manifest}"),
            "timestamp": time_text(status.checked_at),
            **numbers,
            "skipped": str(status.count(State.DISABLED)),
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("manifest", status.manifest),
        ("organization", str(status.organization).lower()),
        ("roles", str(status.roles).lower()),
        ("coverage", str(status.coverage.share)),
    ):
        ET.SubElement(properties, "property", {"name": name, "value": clean_lines(value)})
    for account in status.accounts:
        _case(suite, status, account)
    ET.SubElement(suite, "system-out").text = clean_lines(standing.headline(status))
    ET.SubElement(suite, "system-err")
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _case(suite: ET.Element, status: Status, account: Standing) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": f"onboard.status.{account.state.word}",
            "name": clean_lines(text.named(account.name, account.account_id)),
            "time": "0.00",
        },
    )
    if account.state is State.DISABLED:
        ET.SubElement(case, "skipped", {"message": "disabled in the manifest"})
    elif account.state in OPEN:
        told = [account.state.meaning, *standing.details(account)]
        told += [command.line for command in advice.closing(status, account.state)]
        failure = ET.SubElement(
            case, "failure", {"type": account.state.word, "message": account.state.meaning}
        )
        failure.text = clean_lines("\n\n".join(told))
