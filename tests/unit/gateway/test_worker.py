import threading
from collections import deque
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import worker
from gateway.worker import Worker


class Taken(deque):
    """A queue that another thread changes while it is iterated."""

    def __iter__(self) -> Any:
        through = super().__iter__()
        self.rotate()
        self.append(self.popleft())
        return through


@pytest.fixture
def turning(monkeypatch: pytest.MonkeyPatch) -> Worker:
    """A worker that runs its loop and serves no requests."""
    monkeypatch.setattr(worker.wasyncore, "poll2", lambda *_: None)
    made = Worker.__new__(Worker)
    made.tmp, made._loop, made._first_in_line = SimpleNamespace(notify=lambda: None), {}, None
    return made


@pytest.mark.parametrize("queue", [Taken("abc"), Taken("a"), deque()], ids=["three", "one", "none"])
def test_a_turn_is_made_while_threads_take_what_waits(turning: Worker, queue: Any) -> None:
    turning._threads = SimpleNamespace(queue=queue)
    turning._turn()
    assert turning._first_in_line == (queue[0] if queue else None)


def test_turns_are_made_beside_threads_that_take_and_give(turning: Worker) -> None:
    queue, ended = deque(range(5)), threading.Event()
    turning._threads = SimpleNamespace(queue=queue)

    def take_and_give() -> None:
        while not ended.is_set():
            queue.append(1)
            queue.popleft()

    busy = [threading.Thread(target=take_and_give) for _ in range(2)]
    for thread in busy:
        thread.start()
    deadline = monotonic() + 1
    try:
        while monotonic() < deadline:
            turning._turn()
    finally:
        ended.set()
        for thread in busy:
            thread.join()
