"""How many threads a process may use, settled before it imports anything that starts them."""

from __future__ import annotations

import os

_VARIABLES = (
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)


def cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_limits(threads: int) -> dict[str, str]:
    """Environment that holds numba, BLAS and OpenCV to so many threads, or to fewer where the user says so."""
    return {name: str(min(threads, _given(name) or threads)) for name in _VARIABLES}


def _given(name: str) -> int | None:
    value = os.environ.get(name, "")
    return int(value) if value.isdecimal() and int(value) > 0 else None
