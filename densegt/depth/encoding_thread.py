"""A thread that encodes images while the next ones are made; they come back in order.

Compression is most of the work of writing, and neither it nor the kernels before it hold Python's lock. HDF5 itself is
not called here: it knows one thread only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Key = TypeVar("Key")
Made = TypeVar("Made")

# Images in memory that wait to be encoded or written. One is at work and one waits: more would only hold memory.
AHEAD = 2


class EncodingThread(Generic[Key, Made]):
    """Does jobs one after the other beside the caller."""

    def __init__(self, ahead: int = AHEAD) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="encode")
        self._waiting: deque[tuple[Key, Future[Made]]] = deque()
        self._ahead = ahead

    def put(self, key: Key, job: Callable[[], Made]) -> Iterator[tuple[Key, Made]]:
        """Begin a job, and give what is due: keys and results in order, so that at most `ahead` jobs are outstanding.

        Raises:
            Exception: what the job whose turn it is has raised.
        """
        self._waiting.append((key, self._pool.submit(job)))
        return self._all_but(self._ahead)

    def rest(self) -> Iterator[tuple[Key, Made]]:
        """All that is outstanding, in order.

        Raises:
            Exception: what the job whose turn it is has raised.
        """
        return self._all_but(0)

    def stop(self) -> None:
        """End the thread; jobs that have not begun are dropped."""
        self._waiting.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _all_but(self, count: int) -> Iterator[tuple[Key, Made]]:
        while len(self._waiting) > count:
            key, job = self._waiting.popleft()
            yield key, job.result()
