"""Where the accounts stand, as files: the suffix chooses the format."""

from __future__ import annotations

from cloudcraft_onboard.show.report.status import csv, html, json, junit, markdown

FORMATS = {
    ".json": json.render,
    ".md": markdown.render,
    ".html": html.render,
    ".xml": junit.render,
    ".csv": csv.render,
}
