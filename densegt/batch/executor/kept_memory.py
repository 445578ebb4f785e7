"""Memory that a process has freed stays with it, for the next image needs as much again.

By itself glibc hands larger arrays back to the system, and gets them anew page by page, each cleared: a seventh of the
time of rendering. Arrays of a whole scene are larger than what is kept, and go back as ever.
"""

from __future__ import annotations

import ctypes
import sys

# glibc's numbers of these settings; it knows no threshold above 32 MB.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_KEPT, _KEPT = 32 << 20, 512 << 20


def keep_freed_memory() -> bool:
    """Settle it for this process; False where the C library is another."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    mallopt.argtypes, mallopt.restype = (ctypes.c_int, ctypes.c_int), ctypes.c_int
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT) and mallopt(_TRIM_THRESHOLD, _KEPT))
