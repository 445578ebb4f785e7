"""Closing of pinholes: holes of a few pixels in one plane."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.upsample import DepthLayers

# Sums of a plane's fit to the rim, with w for inverse depth: count, u, v, uu, uv, vv, w, uw, vw.
_SUMS = 9


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


@njit(cache=True, nogil=True, error_model="numpy")
def close_pinholes(
    label: NDArray[np.int32], area: NDArray[np.int32], max_area: int, tolerance: float, surface: int, out: DepthLayers
) -> None:
    """Fill holes of at most `max_area` pixels whose rim, the known pixels that touch them, lies in one plane.

    Inverse depth of the rim must depart from the plane fitted to it by no more than `tolerance`, relative. The hole
    gets the plane's depth, the rim's least confidence and the age of one of its pixels.

    Args:
        label: (H,W), number of each hole's pixels (4-connected), 0 = known.
        area: (holes + 1,) px.
        surface: the source of filled pixels.
        out: (H,W), known where depth is above 0.
    """
    height_px, width_px = label.shape
    holes = len(area)
    sums = np.zeros((holes, _SUMS))
    origin = np.full((holes, 2), -1, dtype=np.int64)
    confidence, age = np.full(holes, np.inf, dtype=np.float32), np.zeros(holes, dtype=np.float32)
    fits = np.zeros(holes, dtype=np.bool_)
    planes = np.zeros((holes, 3))
    # The rim is walked twice: to fit the plane, and to measure the departures.
    for walk in range(2):
        for row in range(height_px):
            for col in range(width_px):
                k = label[row, col]
                if k == 0 or area[k] > max_area:
                    continue
                if origin[k, 0] < 0:
                    origin[k, 0], origin[k, 1] = row, col
                for r in range(max(row - 1, 0), min(row + 2, height_px)):
                    for c in range(max(col - 1, 0), min(col + 2, width_px)):
                        z = out.depth_m[r, c]
                        if not z > 0:
                            continue
                        u, v, w = float(c - origin[k, 1]), float(r - origin[k, 0]), 1.0 / z
                        if walk == 0:
                            s = sums[k]
                            s[0] += 1
                            s[1] += u
                            s[2] += v
                            s[3] += u * u
                            s[4] += u * v
                            s[5] += v * v
                            s[6] += w
                            s[7] += u * w
                            s[8] += v * w
                            confidence[k] = min(confidence[k], out.confidence[r, c])
                            age[k] = out.age_s[r, c]
                        else:
                            at, by_u, by_v = planes[k]
                            fits[k] &= abs(at + by_u * u + by_v * v - w) <= tolerance * w
        if walk == 0:
            for k in range(holes):
                if sums[k, 0] >= 3:
                    planes[k] = _plane(sums[k])
                    fits[k] = True
    for row in range(height_px):
        for col in range(width_px):
            k = label[row, col]
            if k == 0 or not fits[k]:
                continue
            w = planes[k, 0] + planes[k, 1] * (col - origin[k, 1]) + planes[k, 2] * (row - origin[k, 0])
            if w > 0:
                out.depth_m[row, col] = 1 / w
                out.source[row, col], out.confidence[row, col], out.age_s[row, col] = surface, confidence[k], age[k]
