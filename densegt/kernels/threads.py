"""Number of threads of kernels."""

from __future__ import annotations

import numba


def use_threads(count: int) -> None:
    """Let this process's kernels run on at most `count` threads."""
    numba.set_num_threads(max(1, min(count, numba.get_num_threads())))


def thread_count() -> int:
    """How many threads kernels of this process use."""
    count: int = numba.get_num_threads()
    return count
