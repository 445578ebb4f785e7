"""Closing of pinholes: holes of a few pixels in one plane."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.upsample import DepthLayers

# Sums of a plane's fit to the rim, with w for inverse depth: count, u, v, uu, uv, vv, w, uw, vw.
_SUMS = 9
# What is known of an unknown pixel: nothing yet, of a hole too large, of a hole that stays, of one that is closed.
_UNSEEN, _LARGE, _STAYS, _CLOSED = 0, 1, 2, 3


@njit(cache=True, nogil=True, error_model="numpy")
def _plane(s: NDArray[np.float64]) -> tuple[float, float, float]:
    """Inverse depth at the origin and its slopes by u and v, fitted to the sums; level where they leave it open."""
    n, u, v, w = s[0], s[1] / s[0], s[2] / s[0], s[6] / s[0]
    uu, uv, vv = s[3] / n - u * u, s[4] / n - u * v, s[5] / n - v * v
    uw, vw = s[7] / n - u * w, s[8] / n - v * w
    det = uu * vv - uv * uv
    if not det > 1e-3:
        return w, 0.0, 0.0
    by_u, by_v = (vv * uw - uv * vw) / det, (uu * vw - uv * uw) / det
    return w - by_u * u - by_v * v, by_u, by_v


@njit(cache=True, nogil=True)
def _hole(depth_m: NDArray[np.float32], state: NDArray[np.uint8], row: int, col: int, out: NDArray[np.int64]) -> int:
    """Write the flat indices of the hole around an unknown pixel to `out` in order; their number, 0 for a large one.

    Pixels of a large hole, one of more pixels than `out` has, are marked as far as they were found.
    """
    height_px, width_px = depth_m.shape
    most, count, done, large = len(out), 1, 0, False
    out[0] = row * width_px + col
    state[row, col] = _STAYS
    while done < count and not large:
        r, c = out[done] // width_px, out[done] % width_px
        done += 1
        for k in range(4):
            y, x = r + (k == 0) - (k == 1), c + (k == 2) - (k == 3)
            if y < 0 or x < 0 or y >= height_px or x >= width_px or depth_m[y, x] > 0:
                continue
            if state[y, x] == _UNSEEN and count < most:
                out[count] = y * width_px + x
                state[y, x] = _STAYS
                count += 1
            elif state[y, x] in (_UNSEEN, _LARGE):
                large = True
    if large:
        for k in range(count):
            state[out[k] // width_px, out[k] % width_px] = _LARGE
        return 0
    for k in range(1, count):
        here, j = out[k], k
        while j > 0 and out[j - 1] > here:
            out[j] = out[j - 1]
            j -= 1
        out[j] = here
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _close(hole: NDArray[np.int64], tolerance: float, surface: int, state: NDArray[np.uint8], out: DepthLayers) -> None:
    """Fill a hole whose rim lies in one plane, with negative depth, so that it is no rim of another one."""
    height_px, width_px = out.depth_m.shape
    first_row, first_col = hole[0] // width_px, hole[0] % width_px
    s = np.zeros(_SUMS)
    confidence, age = np.float32(np.inf), np.float32(0)
    at, by_u, by_v = 0.0, 0.0, 0.0
    # The rim is walked twice: to fit the plane, and to measure the departures.
    for walk in range(2):
        for flat in hole:
            row, col = flat // width_px, flat % width_px
            for r in range(max(row - 1, 0), min(row + 2, height_px)):
                for c in range(max(col - 1, 0), min(col + 2, width_px)):
                    z = out.depth_m[r, c]
                    if not z > 0:
                        continue
                    u, v, w = float(c - first_col), float(r - first_row), 1.0 / z
                    if walk == 0:
                        s[0] += 1
                        s[1] += u
                        s[2] += v
                        s[3] += u * u
                        s[4] += u * v
                        s[5] += v * v
                        s[6] += w
                        s[7] += u * w
                        s[8] += v * w
                        confidence = min(confidence, out.confidence[r, c])
                        age = out.age_s[r, c]
                    elif not abs(at + by_u * u + by_v * v - w) <= tolerance * w:
                        return
        if walk == 0:
            if s[0] < 3:
                return
            at, by_u, by_v = _plane(s)
    for flat in hole:
        row, col = flat // width_px, flat % width_px
        w = at + by_u * (col - first_col) + by_v * (row - first_row)
        if w > 0:
            out.depth_m[row, col] = -(1 / w)
            out.source[row, col], out.confidence[row, col], out.age_s[row, col] = surface, confidence, age
            state[row, col] = _CLOSED


@njit(cache=True, nogil=True, error_model="numpy")
def close_pinholes(max_area: int, tolerance: float, surface: int, out: DepthLayers) -> None:
    """Fill holes of at most `max_area` pixels whose rim, the known pixels that touch them, lies in one plane.

    A hole is unknown pixels that touch one another by a side. Inverse depth of the rim must depart from the plane
    fitted to it by no more than `tolerance`, relative. The hole gets the plane's depth, the rim's least confidence and
    the age of one of its pixels.

    Args:
        surface: the source of filled pixels.
        out: (H,W), known where depth is above 0.
    """
    if max_area == 0:
        return
    height_px, width_px = out.depth_m.shape
    state = np.zeros((height_px, width_px), dtype=np.uint8)
    found = np.empty(max_area, dtype=np.int64)
    for row in range(height_px):
        for col in range(width_px):
            if out.depth_m[row, col] > 0 or state[row, col] != _UNSEEN:
                continue
            # Beside a pixel of a large hole no walk is needed, which is most of them.
            if (col > 0 and state[row, col - 1] == _LARGE) or (row > 0 and state[row - 1, col] == _LARGE):
                state[row, col] = _LARGE
                continue
            count = _hole(out.depth_m, state, row, col, found)
            if count:
                _close(found[:count], tolerance, surface, state, out)
    for row in range(height_px):
        for col in range(width_px):
            if state[row, col] == _CLOSED:
                out.depth_m[row, col] = -out.depth_m[row, col]
