"""What a report can be of, and the document that every view of it lays out."""

from __future__ import annotations

from cloudcraft_onboard.coverage.words import Status
from cloudcraft_onboard.model import Report
from cloudcraft_onboard.show import outcomes, standing
from cloudcraft_onboard.show.document import Document

Told = Report | Status
"""A run, plan or removal, or where the accounts stand."""


def document(told: Told, *, each: bool = False) -> Document:
    """The report as people read it. `each`: nothing is told together that differs in an ID."""
    if isinstance(told, Status):
        return standing.document(told)
    return outcomes.document(told, each=each)
