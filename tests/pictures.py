"""The README's pictures, made anew by `make pictures`: of a real run on the sandbox.

The live view is what the program draws into a pseudo-terminal, as SVG; the pages are screenshots
by headless Chromium. Light and dark each.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from io import StringIO
from itertools import groupby
from pathlib import Path

import pexpect
import pyte
from PIL import Image
from playwright.sync_api import Page
from pyte.screens import Char
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME, TerminalTheme
from rich.text import Text

from cloudcraft_onboard.manifest.load import load
from cloudcraft_onboard.sandbox.world import start
from tests.support.browser import browser, show
from tests.support.programs import CHROMIUM

PICTURES = Path(__file__).parents[1] / ".github" / "pictures"
ONBOARD = ("-m", "cloudcraft_onboard")
COLUMNS, ROWS = 100, 26
THEMES = {"light": DEFAULT_TERMINAL_THEME, "dark": SVG_EXPORT_THEME}
_NAMES = {"brown": "yellow"}  # pyte's word for it

TEAMS = ("Payments", "Checkout", "Search", "Catalog", "Identity", "Data", "Mobile", "Delivery")
STAGES = ("Production", "Staging", "Development", "Sandbox")
STATES = {3: "denied", 9: "foreign-trust", 14: "onboarded", 15: "onboarded", 20: "drifted"}
WANTED = ("Working on", "x ", "→", "queued", "created", "left", "settle")
"""The live view is drawn at the moment that shows most of these, the later the better."""


def manifest() -> str:
    """A company of some teams, each with its stages."""
    lines = ["version: 1", "defaults:", "  profile: org-admin"]
    lines += ["  assume_role: OrganizationAccountAccessRole", "accounts:"]
    lines.append(
        '  - {name: Management, account_id: "100000000001", tags: {sandbox: management strangers}}'
    )
    places = [(team, stage) for team in TEAMS for stage in STAGES]
    for number, (team, stage) in enumerate(places):
        tags = f"ou: {'Prod' if stage == 'Production' else 'Test'}/{team}"
        if number in STATES:
            tags += f", sandbox: {STATES[number]}"
        account = f"{100000000100 + number}"
        lines.append(f'  - {{name: "{team} {stage}", account_id: "{account}", tags: {{{tags}}}}}')
    return "\n".join([*lines, ""])


def frames(folder: Path, environment: dict[str, str]) -> Iterator[pyte.Screen]:
    """The terminal after each piece of what a run draws into it."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    child = pexpect.spawn(
        sys.executable,
        [*ONBOARD, "run", "org.yaml", "--concurrency", "6", "--report", "report.html"],
        cwd=str(folder),
        env={**environment, "TERM": "xterm-256color", "COLORTERM": ""},
        dimensions=(ROWS, COLUMNS),
        timeout=120,
    )
    while True:
        try:
            stream.feed(child.read_nonblocking(65536))
        except pexpect.EOF:
            break
        yield screen
    child.close()


def painted(screen: pyte.Screen) -> list[Text]:
    """The terminal's lines with their colours, without the empty ones at the end."""
    lines = [
        _line([screen.buffer[row][column] for column in range(COLUMNS)]) for row in range(ROWS)
    ]
    while lines and not lines[-1].plain:
        lines.pop()
    return lines


def _line(cells: list[Char]) -> Text:
    line = Text()
    for (colour, bold), same in groupby(cells, key=lambda cell: (cell.fg, cell.bold)):
        style = Style(color=None if colour == "default" else _NAMES.get(colour, colour), bold=bold)
        line.append("".join(cell.data for cell in same), style)
    line.rstrip()
    return line


def svg(lines: list[Text], title: str, theme: TerminalTheme) -> str:
    """A terminal with these lines, with no font from elsewhere."""
    console = Console(file=StringIO(), record=True, width=COLUMNS, force_terminal=True)
    for line in lines:
        console.print(line)
    drawn = console.export_svg(title=title, theme=theme, unique_id="onboard")
    drawn = re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    drawn = drawn.replace("rgba(255,255,255,0.35)", "rgba(128,128,128,0.35)")  # seen on white, too
    return drawn.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")


def photographed(page: Page, file: Path, picture: Path, *, dark: bool) -> None:
    """A screenshot of a page."""
    show(page, file.read_text(encoding="utf-8"), file.parent, 1000, dark=dark)
    page.screenshot(path=picture, clip={"x": 0, "y": 0, "width": 1000, "height": 700})
    with Image.open(picture) as image:
        image.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(picture, optimize=True)


def main() -> None:
    """Make all of them."""
    PICTURES.mkdir(exist_ok=True)
    if CHROMIUM.path is None:
        sys.exit(f"make pictures needs {CHROMIUM.names[0]} on the PATH")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "org.yaml").write_text(manifest(), encoding="utf-8")
        with start(load(str(folder / "org.yaml")), rate_limit="20/10") as world:
            own = {key: value for key, value in os.environ.items() if key not in world.unset}
            environment = {**own, **world.env}
            view = busiest(folder, environment)
            status = [*ONBOARD, "status", "org.yaml", "--organization", "--report", "status.html"]
            subprocess.run(
                [sys.executable, *status], cwd=folder, env=environment, check=True, timeout=120
            )
        with browser() as page:
            for mode, theme in THEMES.items():
                drawn = svg(view, "onboard run org.yaml", theme)
                (PICTURES / f"run-{mode}.svg").write_text(drawn, encoding="utf-8")
                for name in ("report", "status"):
                    picture = PICTURES / f"{name}-{mode}.png"
                    photographed(page, folder / f"{name}.html", picture, dark=mode == "dark")


def busiest(folder: Path, environment: dict[str, str]) -> list[Text]:
    """The live view at the moment that shows most of what is `WANTED`."""
    best, view = 0, list[Text]()
    for screen in frames(folder, environment):
        shown = "\n".join(screen.display)
        score = sum(word in shown for word in WANTED)
        if "Working on" in shown and score >= best:
            best, view = score, painted(screen)
    return view


if __name__ == "__main__":
    main()
