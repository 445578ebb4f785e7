"""Work on threads of one process, its results in the order of its items.

Kernels, and numpy and OpenCV on large arrays, do not hold Python's lock, so threads run beside one another. What each
item gives depends on nothing else, so the number of threads changes no result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Generator[Result, None, None]:
    """The result of each item, in order; no more are begun than threads, and one for each that waits to be taken.

    One thread is the caller's own. Closing the iterator drops what has not begun and waits for what has.

    Raises:
        Exception: what the first of the items has raised, when its turn comes.
    """
    if threads == 1:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="scene")
    waiting: deque[Future[Result]] = deque()
    rest = iter(items)
    try:
        waiting.extend(pool.submit(work, item) for item in islice(rest, threads + 1))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(work, item) for item in islice(rest, 1))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
