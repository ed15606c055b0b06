"""JUnit XML: accounts as test cases, so that every CI shows them.

Only what the schema of Jenkins knows (xunit-plugin, junit-10.xsd), the strictest among today's
readers: no `skipped` at `testsuites`, no `file` and `line` at `testcase`.
"""

from __future__ import annotations

from datetime import UTC
from xml.etree import ElementTree as ET

from cloudcraft_onboard.console.harmless import clean_lines
from cloudcraft_onboard.model import Outcome, Report, Result
from cloudcraft_onboard.show import text
from cloudcraft_onboard.show.notes import all_told
from cloudcraft_onboard.show.table import last_line

_SKIPPED = {
    Outcome.PENDING: "pending: run the same command again to continue",
    Outcome.SKIPPED: "disabled in the manifest",
}


def render(report: Report) -> str:
    """The report as JUnit XML."""
    seconds = (report.finished_at - report.started_at).total_seconds()
    numbers = {
        "tests": str(len(report.results)),
        "failures": str(report.count(Outcome.FAILED)),
        "errors": "0",
        "time": f"{seconds:.2f}",
    }
    suites = ET.Element("testsuites", {"name": "onboard", **numbers})
    suite = ET.SubElement(
        suites,
        "testsuite",
        {
            "name": clean_lines(f"onboard {report.command} {report.manifest}"),
            "timestamp": report.started_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **numbers,
            "skipped": str(sum(map(report.count, _SKIPPED))),
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (("manifest", report.manifest), ("dry_run", str(report.dry_run).lower())):
        ET.SubElement(properties, "property", {"name": name, "value": clean_lines(value)})
    for result in report.results:
        _case(suite, report, result)
    ET.SubElement(suite, "system-out").text = clean_lines(last_line(report).plain)
    ET.SubElement(suite, "system-err")
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _case(suite: ET.Element, report: Report, result: Result) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": f"onboard.{report.command}",
            "name": clean_lines(result.name),
            "time": f"{result.seconds:.2f}",
        },
    )
    if result.error is not None:
        problem = result.error
        failure = ET.SubElement(
            case,
            "failure",
            {"type": clean_lines(problem.code), "message": clean_lines(problem.message)},
        )
        where = f"{report.manifest}:{result.line}: {text.title(result)}, stage {problem.stage}"
        failure.text = clean_lines(f"{problem.message}\n\n{problem.hint}\n\n{where}")
    elif result.outcome in _SKIPPED:
        why = "; ".join(all_told(result.notes)) or _SKIPPED[result.outcome]
        ET.SubElement(case, "skipped", {"message": clean_lines(why)})
