"""The same work on several scenes, one after the other or in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_local(work: Callable[[Item], Result], items: Sequence[Item], *, workers: int) -> Iterator[tuple[Item, Result]]:
    """Yield (item, result) as they are done. `work` reports its own errors in its result.

    Processes are spawned, not forked: numba's threads do not survive a fork.

    Raises:
        ChildProcessError: a worker died (out of memory, killed); what was done before stays.
    """
    if workers <= 1 or len(items) <= 1:
        for item in items:
            yield item, work(item)
        return
    with ProcessPoolExecutor(min(workers, len(items)), mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(work, item): item for item in items}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool:
            raise ChildProcessError("a worker process died, perhaps for want of memory; try fewer --workers") from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
