"""JUnit XML: accounts as test cases, so that every CI shows them.

Only what the schema of Jenkins knows (xunit-plugin, junit-10.xsd), the strictest among today's
readers: no `skipped` at `testsuites`, no `file` and `line` at `testcase`.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from cloudcraft_onboard.console.harmless import clean_lines
from cloudcraft_onboard.show.document import Document, Failed, Row, Skipped
from cloudcraft_onboard.show.report.shape import time_text


def render(document: Document) -> str:
    """The report as JUnit XML."""
    verdicts = [type(row.verdict) for row in document.rows]
    numbers = {
        "tests": str(len(verdicts)),
        "failures": str(verdicts.count(Failed)),
        "errors": "0",
        "time": f"{document.seconds:.2f}",
    }
    suites = ET.Element("testsuites", {"name": "onboard", **numbers})
    suite = ET.SubElement(
        suites,
        "testsuite",
        {
            "name": clean_lines(f"onboard {document.command} {document.manifest}"),
            "timestamp": time_text(document.started_at),
            **numbers,
            "skipped": str(verdicts.count(Skipped)),
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in document.properties:
        ET.SubElement(properties, "property", {"name": name, "value": clean_lines(value)})
    for row in document.rows:
        _case(suite, document, row)
    told = document.totals if document.by == "outcome" else document.headline
    ET.SubElement(suite, "system-out").text = clean_lines(told)
    ET.SubElement(suite, "system-err")
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _case(suite: ET.Element, document: Document, row: Row) -> None:
    within = f".{row.kind.word}" if document.by == "state" else ""
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": f"onboard.{document.command}{within}",
            "name": clean_lines(row.case),
            "time": f"{row.result.seconds:.2f}",
        },
    )
    match row.verdict:
        case Failed(type=kind, message=message, text=told):
            what = {"type": clean_lines(kind), "message": clean_lines(message)}
            ET.SubElement(case, "failure", what).text = clean_lines(told)
        case Skipped(message=why):
            ET.SubElement(case, "skipped", {"message": clean_lines(why)})
