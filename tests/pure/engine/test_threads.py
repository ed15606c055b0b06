"""Each piece of work ends with one message, also where there is no memory for it."""

from __future__ import annotations

import queue

from cloudcraft_onboard.engine.threads import Threads
from tests.support.process import HANG


def test_work_that_raises_leaves_the_message_that_was_made_before_and_its_thread() -> None:
    inbox: queue.SimpleQueue[str] = queue.SimpleQueue()
    threads = Threads("test", inbox)

    def fail() -> str:
        raise MemoryError

    assert threads.do(fail, otherwise="lost")
    assert inbox.get(timeout=HANG) == "lost"
    assert threads.do(lambda: "done", otherwise="lost")
    assert inbox.get(timeout=HANG) == "done"
    threads.close()
