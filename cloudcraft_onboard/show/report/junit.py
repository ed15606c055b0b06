"""JUnit XML: accounts as test cases, so that every CI shows them.

Only what the schema of Jenkins knows (xunit-plugin, junit-10.xsd), the strictest among today's
readers: no `skipped` at `testsuites`, no `file` and `line` at `testcase`. Texts are in it letter by
letter, as far as XML has the letters; references keep a terminal or a runner that is shown the file
from finding a command in it.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from cloudcraft_onboard.console.harmless import COMMAND
from cloudcraft_onboard.show.document import AccountRow, Document, FailedCase, SkippedCase
from cloudcraft_onboard.show.report.shape import time_text

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(document: Document) -> str:
    """The report as JUnit XML."""
    verdicts = [type(row.verdict) for row in document.rows]
    numbers = {
        "tests": str(len(verdicts)),
        "failures": str(verdicts.count(FailedCase)),
        "errors": "0",
        "time": f"{document.seconds:.2f}",
    }
    suites = ET.Element("testsuites", {"name": "onboard", **numbers})
    suite = ET.SubElement(
        suites,
        "testsuite",
        {
            "name": _letters(f"onboard {document.command} {document.manifest}"),
            "timestamp": time_text(document.started_at),
            **numbers,
            "skipped": str(verdicts.count(SkippedCase)),
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in document.properties:
        ET.SubElement(properties, "property", {"name": name, "value": _letters(value)})
    for row in document.rows:
        _case(suite, document, row)
    told = document.totals if document.by == "outcome" else document.headline
    ET.SubElement(suite, "system-out").text = _letters(told)
    ET.SubElement(suite, "system-err")
    ET.indent(suites)
    text = _referenced(ET.tostring(suites, encoding="unicode"))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _case(suite: ET.Element, document: Document, row: AccountRow) -> None:
    within = f".{row.kind.word}" if document.by == "state" else ""
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": f"onboard.{document.command}{within}",
            "name": _letters(row.case),
            "time": f"{row.result.seconds:.2f}",
        },
    )
    match row.verdict:
        case FailedCase(type=kind, message=message, text=told):
            what = {"type": _letters(kind), "message": _letters(message)}
            ET.SubElement(case, "failure", what).text = _letters(told)
        case SkippedCase(message=why):
            ET.SubElement(case, "skipped", {"message": _letters(why)})


def _letters(text: str) -> str:
    """`text` without what no XML can hold."""
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _referenced(xml: str) -> str:
    """The same document, with references for what could steer who shows it."""
    told = "".join(c if c.isprintable() or c == "\n" else f"&#{ord(c)};" for c in xml)
    return COMMAND.sub(_defused, told)


def _defused(found: re.Match[str]) -> str:
    whole = found[0]
    return f"{whole[:-1]}&#{ord(whole[-1])};"
