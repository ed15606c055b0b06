"""A page in headless Chromium: looked at, typed into and printed, by the DevTools protocol."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.process import HANG

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",  # commands are read from file 3, answers written to file 4
)
EYES = """
var shown = function () {
  return Array.from(document.querySelectorAll("tbody tr")).filter(function (row) {
    return row.offsetParent !== null;
  }).map(function (row) { return row.cells[0].textContent; });
};
var type = function (text) {
  var search = document.getElementById("search");
  search.value = text;
  search.dispatchEvent(new Event("input"));
};
"""
"""What a person does with a page: reads the names that are shown, and searches."""

_KEYS = {"Tab": 9, "Enter": 13, " ": 32}


class Page:
    """A page, and a person in front of it."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._read = b""
        self._number = 0
        self._session: dict[str, str] = {}

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """What the browser answers to a command; what else it tells is passed over."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            pass
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            more = os.read(self._answers, 1 << 20)
            assert more, "Chromium has ended"
            self._read += more
        message, _, self._read = self._read.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told

    def show(self, text: str, folder: Path, width: int, *, dark: bool = False) -> None:
        """Show the page with this text on a screen of this width, until it is there as a whole."""
        file = folder / "page.html"
        file.write_text(text, encoding="utf-8")
        if not self._session:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            session = self.call("Target.attachToTarget", targetId=target, flatten=True)
            self._session = {"sessionId": session["sessionId"]}
            self.call("Page.enable")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.media("", dark=dark)
        self.call("Page.navigate", url=file.as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def media(self, kind: str, *, dark: bool = False) -> None:
        """What the page is shown on: `print`, or nothing for a screen; and who prefers it dark."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=kind, features=[scheme])

    def told(self, script: str) -> Any:
        """What a script ends with, as JSON has it; it may call the functions of `EYES`."""
        answer = self.call("Runtime.evaluate", expression=EYES + script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press `Tab`, `Enter` or the space bar."""
        typed = {"Enter": "\r", " ": " "}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            stroke = {"type": kind, "key": key, "text": typed, "windowsVirtualKeyCode": _KEYS[key]}
            self.call("Input.dispatchKeyEvent", **stroke)

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write what is on the screen, or the whole page, as PNG."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Chromium, with a profile of its own in `folder`."""
    assert CHROMIUM is not None
    commands, answers = os.pipe(), os.pipe()
    # Out of the way of 3 and 4, which they become.
    read, write = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (commands[0], answers[1]))
    run = f'exec "$@" 3<&{read} 4>&{write}'
    child = subprocess.Popen(
        ["bash", "-c", run, "bash", CHROMIUM, *_FLAGS, f"--user-data-dir={folder / 'profile'}"],
        pass_fds=(read, write),
        stderr=subprocess.DEVNULL,
    )
    for end in (commands[0], answers[1], read, write):
        os.close(end)
    page = Page(commands[1], answers[0])
    try:
        yield page
        page.call("Browser.close")
    finally:
        os.close(commands[1])
        os.close(answers[0])
        child.wait(timeout=HANG)
