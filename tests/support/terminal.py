"""Programs in a pseudo-terminal, seen through a terminal emulator."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Self

import pexpect
import pyte

from tests.support.process import HANG, door


class Tty:
    """A program in a pseudo-terminal, and the screen that a person would see."""

    def __init__(
        self, width: int, height: int, *arguments: str, program: str = "", **environment: str
    ) -> None:
        """`program` or else this Python, with `arguments` and little more than `environment`."""
        self.screen = pyte.HistoryScreen(width, height, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.child = pexpect.spawn(
            program or sys.executable,
            list(arguments),
            env={
                "PATH": os.environ["PATH"],
                "HOME": os.environ["HOME"],
                "TERM": "xterm-256color",
                "PYTHONPATH": str(Path.cwd()),
                "LC_ALL": "C.UTF-8",
                **environment,
            },
            dimensions=(height, width),
            echo=False,
            timeout=HANG,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.child.close(force=True)

    def until(self, text: str) -> None:
        """Take output in until the screen shows `text` and the frame is drawn to its end."""
        for _ in range(400):
            if any(text in line for line in self.lines()):
                return
            try:
                self.read()
            except pexpect.EOF:
                break
        raise AssertionError(f"{text!r} never came: {self.lines()}")

    def read(self) -> None:
        """Take in what comes next."""
        data = self.child.read_nonblocking(65536, timeout=HANG)
        self.raw += data
        self.stream.feed(data)

    def settle(self) -> None:
        """Take in what is there already."""
        try:
            while True:
                data = self.child.read_nonblocking(65536, timeout=0.3)
                self.raw += data
                self.stream.feed(data)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return

    def to_the_end(self) -> int | None:
        """Take in everything until the program ends; its exit code."""
        while True:
            try:
                self.read()
            except pexpect.EOF:
                self.child.close()
                status: int | None = self.child.exitstatus
                return status

    def next(self) -> None:
        """Press Enter."""
        self.child.sendline("")

    def lines(self) -> list[str]:
        """What is on the screen, without the empty cells behind wide characters."""
        return [line.rstrip() for line in self.screen.display]

    def scrollback(self) -> list[str]:
        """What has left the screen at its top."""
        return [
            "".join(line[column].data for column in range(self.screen.columns)).rstrip()
            for line in self.screen.history.top
        ]


def onboard_tty(width: int, height: int, *arguments: str, **environment: str) -> Tty:
    """`onboard ARGUMENTS` from the nursery in a terminal."""
    return Tty(width, height, *arguments, program=door(), **environment)
