"""How many threads kernels use."""

from __future__ import annotations

import numba


def use_threads(count: int) -> None:
    """Let this process's kernels run on `count` threads, or on as many as there are if that is fewer."""
    numba.set_num_threads(max(1, min(count, numba.get_num_threads())))


def thread_count() -> int:
    """How many threads kernels of this process use."""
    count: int = numba.get_num_threads()
    return count
