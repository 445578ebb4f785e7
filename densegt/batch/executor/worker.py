"""A worker process: takes items from a pipe, sends results back, and dies with the process that started it."""

from __future__ import annotations

import os
import threading
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from densegt.batch.executor.attempt import Work, attempt
from densegt.batch.executor.kept_memory import keep_freed_memory

MESSAGE, DONE = "message", "done"


def serve(connection: Connection, work: Work[Any, Any]) -> None:
    """Work on (number, item) pairs until the pipe closes; answers are (MESSAGE or DONE, number, what)."""
    keep_freed_memory()
    items: SimpleQueue[tuple[int, Any]] = SimpleQueue()
    threading.Thread(target=_listen, args=(connection, items), daemon=True).start()
    while True:
        number, item = items.get()

        def report(message: Any, number: int = number) -> None:
            _send(connection, (MESSAGE, number, message))

        _send(connection, (DONE, number, attempt(work, item, report)))


def _listen(connection: Connection, items: SimpleQueue[tuple[int, Any]]) -> None:
    """A thread of its own, so that the end of the other side is noticed in the middle of an item."""
    while True:
        try:
            items.put(connection.recv())
        except (EOFError, OSError):
            os._exit(0)


def _send(connection: Connection, message: Any) -> None:
    try:
        connection.send(message)
    except OSError:
        os._exit(0)
