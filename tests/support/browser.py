"""A page in a real browser, and what a script saw of it there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

from tests.support.process import HANG

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def probed(folder: Path, text: str, probe: str, width: int) -> dict[str, Any]:
    """What `probe` told of the page `text`: it leaves its JSON in `<pre id="told">`."""
    assert CHROMIUM is not None
    page = folder / "report.html"
    page.write_text(text.replace("</body>", f"{probe}</body>"), encoding="utf-8")
    ended = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            f"--user-data-dir={folder / 'profile'}",
            f"--window-size={width},900",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=HANG,
        check=True,
    )
    told = re.search(r'<pre id="told">(.*?)</pre>', ended.stdout, re.DOTALL)
    assert told, ended.stderr[-2000:]
    parsed: dict[str, Any] = json.loads(unescape(told[1]))
    return parsed
