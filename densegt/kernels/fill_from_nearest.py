"""Depth of unknown pixels from the nearest measured ones above, below, left and right."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.nearest_measured import FIFTHS_PER_PX, NOWHERE, NearestKeys

# The bits of a key that hold row and column.
_WHERE = 0xFFFFFFFF


class FilledDepth(NamedTuple):
    """A filled image, (H,W) float32.

    Attributes:
        inverse: 1/m, 0 = unknown.
        spread: 1/m, standard deviation of the averaged pixels, 0 where not averaged.
        reach_px: geodesic distance to the nearest measured pixel used, 0 where measured.
    """

    inverse: NDArray[np.float32]
    spread: NDArray[np.float32]
    reach_px: NDArray[np.float32]


@njit(cache=True, nogil=True)
def fill_from_nearest(
    inverse: NDArray[np.float32],
    slope_across: NDArray[np.float32],
    keys: NearestKeys,
    open_sky: NDArray[np.bool_],
    same: float,
    predicted: float,
    out: FilledDepth,
) -> None:
    """Fill `out`: measured pixels unchanged, unknown ones interpolated, extrapolated or averaged.

    Inverse depth is linear across the image of a plane, so pixels above and below on one surface are interpolated
    linearly. They are on one surface if they agree to within `same`, or if the slope between one of them and the
    measured pixel beyond it predicts the other to within `predicted` (relative). Otherwise an outline lies between:
    they and the pixels left and right are averaged with weight inverse depth / distance^3, the geodesic distance of
    `nearest_measured`. Below the lowest measured pixel the surface continues along its slope, as ground does; above the
    highest it keeps its depth, as walls do; but if a pixel beside is less than half as far, these are averaged too.

    Args:
        inverse: (H,W) 1/m, measured where > 0.
        slope_across: (H,W) of `slopes_across`.
        open_sky: (H,W); unknown pixels there stay unknown.
    """
    above, below, left, right = keys
    filled, spread, reach_px = out
    height_px, width_px = inverse.shape
    same32, predicted32 = np.float32(same), np.float32(predicted)
    last_up = last_down = -1
    row_up = col_up = row_down = col_down = 0
    own_up = slope_up = own_down = slope_down = np.float32(0)
    together = compared = False
    for row in range(height_px):
        for col in range(width_px):
            filled[row, col] = spread[row, col] = reach_px[row, col] = 0
            if inverse[row, col] > 0:
                filled[row, col] = inverse[row, col]
                continue
            if open_sky[row, col]:
                continue
            up, down = above[row, col], below[row, col]
            if up < NOWHERE and down < NOWHERE:
                reach_px[row, col] = _distance_px(min(up, down))
                # Mostly the same two as of the pixel before.
                if up & _WHERE != last_up:
                    last_up = up & _WHERE
                    row_up, col_up = _first(up), _second(up)
                    own_up, slope_up = inverse[row_up, col_up], slope_across[row_up, col_up]
                    compared = False
                if down & _WHERE != last_down:
                    last_down = down & _WHERE
                    row_down, col_down = _first(down), _second(down)
                    own_down, slope_down = inverse[row_down, col_down], slope_across[row_down, col_down]
                    compared = False
                if not compared:
                    together = _one_surface(inverse, above, below, up, down, same32, predicted32)
                    compared = True
                w_up = _carried(own_up, slope_up, col - col_up)
                w_down = _carried(own_down, slope_down, col - col_down)
                if together:
                    to_up, to_down = row - row_up, row_down - row
                    filled[row, col] = (w_up * to_down + w_down * to_up) / np.float32(to_up + to_down)
                    continue
            elif up < NOWHERE or down < NOWHERE:
                only = min(up, down)
                r, c = _first(only), _second(only)
                w = _carried(inverse[r, c], slope_across[r, c], col - c)
                if up < NOWHERE:
                    w = _carried_down(inverse, above, r, c, row, w)
                if 2 * (min(left[col, row], right[col, row]) >> 32) >= only >> 32:
                    filled[row, col] = w
                    reach_px[row, col] = _distance_px(only)
                    continue
                w_up = w_down = w
            else:
                w_up = w_down = np.float32(0)
            nearest = min(min(up, down), min(left[col, row], right[col, row]))
            if nearest >= NOWHERE:
                continue
            reach_px[row, col] = _distance_px(nearest)
            at_left, at_right = left[col, row], right[col, row]
            w_left = inverse[_second(at_left), _first(at_left)] if at_left < NOWHERE else np.float32(0)
            w_right = inverse[_second(at_right), _first(at_right)] if at_right < NOWHERE else np.float32(0)
            by_up, by_down = _weight(up, w_up), _weight(down, w_down)
            by_left, by_right = _weight(at_left, w_left), _weight(at_right, w_right)
            total = by_up + by_down + by_left + by_right
            mean = (by_up * w_up + by_down * w_down + by_left * w_left + by_right * w_right) / total
            square = by_up * (w_up - mean) ** 2 + by_down * (w_down - mean) ** 2
            square += by_left * (w_left - mean) ** 2 + by_right * (w_right - mean) ** 2
            filled[row, col] = mean
            spread[row, col] = np.sqrt(square / total)


@njit(cache=True, nogil=True, inline="always")
def _first(key: int) -> int:
    """Row of the image that the key was made in."""
    return (key >> 16) & 0xFFFF


@njit(cache=True, nogil=True, inline="always")
def _second(key: int) -> int:
    """Column of the image that the key was made in."""
    return key & 0xFFFF


@njit(cache=True, nogil=True, inline="always")
def _distance_px(key: int) -> np.float32:
    return np.float32(key >> 32) * np.float32(1 / FIFTHS_PER_PX)


@njit(cache=True, nogil=True, inline="always")
def _weight(key: int, inverse: np.float32) -> np.float32:
    if key >= NOWHERE:
        return np.float32(0)
    d = _distance_px(key)
    return inverse / (d * d * d)


@njit(cache=True, nogil=True, inline="always")
def _carried(inverse: np.float32, slope: np.float32, cols: int) -> np.float32:
    """Inverse depth extrapolated by columns, between half and one and a half times the pixel's own."""
    return max(np.float32(0.5) * inverse, min(np.float32(1.5) * inverse, inverse + slope * np.float32(cols)))


@njit(cache=True, nogil=True)
def _one_surface(inverse, above, below, up, down, same, predicted):  # type: ignore[no-untyped-def]
    """Whether the measured pixels of two keys, one above the other, belong to one surface."""
    r0, c0, r1, c1 = _first(up), _second(up), _first(down), _second(down)
    w_up, w_down = inverse[r0, c0], inverse[r1, c1]
    smaller = min(w_up, w_down)
    if abs(w_up - w_down) <= same * smaller:
        return True
    if r0 > 0 and above[r0 - 1, c0] < NOWHERE:
        key = above[r0 - 1, c0]
        slope = (w_up - inverse[_first(key), _second(key)]) / np.float32(r0 - _first(key))
        if abs(w_up + slope * np.float32(r1 - r0) - w_down) <= predicted * smaller:
            return True
    if r1 + 1 < inverse.shape[0] and below[r1 + 1, c1] < NOWHERE:
        key = below[r1 + 1, c1]
        slope = (inverse[_first(key), _second(key)] - w_down) / np.float32(_first(key) - r1)
        if abs(w_down - slope * np.float32(r1 - r0) - w_up) <= predicted * smaller:
            return True
    return False


@njit(cache=True, nogil=True, inline="always")
def _carried_down(inverse, above, r, c, row, w):  # type: ignore[no-untyped-def]
    """Inverse depth extrapolated to a row below the lowest measured pixel, `w` if it has no slope downwards."""
    if r == 0 or above[r - 1, c] >= NOWHERE:
        return w
    key = above[r - 1, c]
    step = inverse[r, c] - inverse[_first(key), _second(key)]
    rows = r - _first(key)
    if step <= 0 or step >= np.float32(0.35) * inverse[r, c]:
        return w
    onward = min(row - r, 8 * rows)
    return min(np.float32(3) * w, w + step / np.float32(rows) * np.float32(onward))
