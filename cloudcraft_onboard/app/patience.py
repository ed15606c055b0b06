"""Words for whoever waits: how far something has come, now and then, while it takes long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_FIRST_WORD, _EACH_WORD = 3.0, 10.0  # seconds


@contextmanager
def patience(say: Callable[[str], None]) -> Iterator[Callable[[object], None]]:
    """Say, while the work inside takes long, what it is at.

    It yields what takes a text, or an object whose text is current whenever it is asked for.
    """
    current: list[object] = [""]
    ended = threading.Event()

    def tell() -> None:
        pause = _FIRST_WORD
        while not ended.wait(pause):
            pause = _EACH_WORD
            if told := str(current[-1]):
                say(told)

    threading.Thread(target=tell, name="patience", daemon=True).start()
    try:
        yield current.append
    finally:
        ended.set()
