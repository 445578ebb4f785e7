"""Pixels where a far surface appears through a gap in a near one."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def _lesser(a: NDArray[np.float32], b: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    for i in range(len(out)):
        out[i] = b[i] if b[i] < a[i] else a[i]


@njit(cache=True, nogil=True)
def _least_of(
    depth_m: NDArray[np.float32], count: int, step: int, buffers: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """The least (N,) of `count` depths from each on, `step` places apart, in one of two buffers (N,).

    That of 1, 2, 4, ... in turn; two such windows that overlap make up any other number.
    """
    now, then = depth_m, buffers[0]
    length = 1
    while length < count:
        by = min(length, count - length)
        reach = by * step
        _lesser(now[:-reach], now[reach:], then[:-reach])
        then[-reach:] = now[-reach:]
        now, then = then, buffers[1] if now is depth_m else now
        length += by
    return now


@njit(cache=True, nogil=True)
def enclosed(
    depth_m: NDArray[np.float32],
    radius_px: int,
    relative: float,
    absolute_m: float,
    out: NDArray[np.bool_],
) -> None:
    """Mark pixels with nearer surface on both sides, within `radius_px`, along three of the four lines through them.

    Nearer means by more than `absolute_m + relative z`. A gap between two scan lines on one object is enclosed along
    its columns and both diagonals; background beside an outline is not enclosed along any line.

    Args:
        depth_m: (H,W), infinity = unknown. Unknown pixels are not marked.
        out: (H,W), written everywhere.
    """
    height_px, width_px = depth_m.shape
    out[:] = False
    if radius_px < 1 or out.size == 0:
        return
    # A margin of unknown pixels above, below and between the ends of rows: each line is then one of places in memory.
    # Radii beyond the image's size find no more.
    radius = min(radius_px, max(height_px, width_px))
    width = width_px + radius
    padded = np.full((height_px + 2 * radius + 2, width), np.inf, dtype=np.float32)
    for row in range(height_px):
        for col in range(width_px):
            z = depth_m[row, col]
            padded[radius + 1 + row, col] = z if z < np.inf else np.float32(np.inf)
    flat = padded.ravel()
    buffers = np.full_like(flat, np.inf), np.full_like(flat, np.inf)
    lines = np.zeros((height_px, width_px), dtype=np.uint8)
    for step in (1, width, width + 1, width - 1):
        least = _least_of(flat, radius, step, buffers)
        for row in range(height_px):
            start = (radius + 1 + row) * width
            ahead = least[start + step : start + step + width_px]
            back = least[start - radius * step : start - radius * step + width_px]
            for col in range(width_px):
                limit = depth_m[row, col] * (1 - relative) - absolute_m
                lines[row, col] += (ahead[col] < limit) & (back[col] < limit)
    for row in range(height_px):
        for col in range(width_px):
            out[row, col] = (lines[row, col] >= 3) & (depth_m[row, col] < np.inf)
