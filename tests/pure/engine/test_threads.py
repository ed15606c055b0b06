"""Each piece of work ends with one message, also where there is no memory for it."""

from __future__ import annotations

import queue
from typing import Any

from cloudcraft_onboard.engine.driver import Threads
from cloudcraft_onboard.engine.messages import Message, Woken
from tests.support.process import HANG


class Crowded(queue.SimpleQueue[Message]):
    """An inbox that finds no memory for a message at first."""

    refusals = 2

    def put(self, item: Message, *rest: Any) -> None:
        if self.refusals:
            self.refusals -= 1
            raise MemoryError
        super().put(item, *rest)


def test_work_that_raises_leaves_the_message_that_was_made_before_and_its_thread() -> None:
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threads = Threads("test", inbox)
    lost, done = Woken(), Woken()

    def fail(_: Any) -> Message:
        raise MemoryError

    assert threads.do(fail, 1, otherwise=lost)
    assert inbox.get(timeout=HANG) is lost
    assert threads.do(lambda: done, otherwise=lost)
    assert inbox.get(timeout=HANG) is done
    threads.close()


def test_a_message_waits_until_there_is_memory_for_it() -> None:
    inbox = Crowded()
    threads = Threads("test", inbox)
    done = Woken()
    assert threads.do(lambda: done, otherwise=Woken())
    assert inbox.get(timeout=HANG) is done
    assert inbox.refusals == 0
    threads.close()
