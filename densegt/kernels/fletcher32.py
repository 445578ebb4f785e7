"""HDF5's checksum of a chunk."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# So many 16-bit words can be added up before 32 bits may run over.
_BATCH = 360


@njit(cache=True, nogil=True)
def fletcher32(data: NDArray[np.uint8]) -> int:
    """Fletcher's checksum of bytes (N,) as HDF5 takes it: 16-bit words, high byte first, an odd last byte as high.

    Sums are folded, not reduced modulo 65535, so that 0 and 65535 stay apart; hence the batches are part of it.
    """
    low = np.uint32(0)
    high = np.uint32(0)
    words = len(data) // 2
    start = 0
    while start < words:
        for k in range(start, min(start + _BATCH, words)):
            low += np.uint32(data[2 * k]) << np.uint32(8) | np.uint32(data[2 * k + 1])
            high += low
        low = (low & np.uint32(0xFFFF)) + (low >> np.uint32(16))
        high = (high & np.uint32(0xFFFF)) + (high >> np.uint32(16))
        start += _BATCH
    if len(data) % 2:
        low += np.uint32(data[-1]) << np.uint32(8)
        high += low
        low = (low & np.uint32(0xFFFF)) + (low >> np.uint32(16))
        high = (high & np.uint32(0xFFFF)) + (high >> np.uint32(16))
    low = (low & np.uint32(0xFFFF)) + (low >> np.uint32(16))
    high = (high & np.uint32(0xFFFF)) + (high >> np.uint32(16))
    return int(high << np.uint32(16) | low)
