"""Interpolation between measured pixels of one surface."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class InterpolatedDepth(NamedTuple):
    """Depth of an image and where it comes from.

    Attributes:
        depth_m: (H,W) float32, 0 = unknown.
        surfel: (H,W) int32, index of the surfel it comes from, -1 = none.
        measured: (H,W) bool, a point falls into the pixel.
        between: (H,W) bool, interpolated between two pixels. Other known pixels are covered by a surfel.
        inverse_slope: (H,W,2) float32 1/(m px), derivatives of inverse depth by column and row.
    """

    depth_m: NDArray[np.float32]
    surfel: NDArray[np.int32]
    measured: NDArray[np.bool_]
    between: NDArray[np.bool_]
    inverse_slope: NDArray[np.float32]


@njit(cache=True, nogil=True)
def _steps(known: NDArray[np.float32], steps: NDArray[np.uint16], shift: int, out: NDArray[np.uint16]) -> None:
    """Steps from each pixel of a row to the first known one along a line through a neighbouring row; 0 = none.

    Args:
        known: (W,) depth of the neighbouring row, 0 = unknown; steps: (W,) of it.
        shift: by how many columns the line moves from row to row, -1, 0 or 1.
    """
    width_px = len(out)
    if width_px == 0:
        return
    out[0], out[width_px - 1] = 0, 0
    for col in range(max(-shift, 0), min(width_px, width_px - shift)):
        before = steps[col + shift]
        further = np.uint16(before + np.uint16(1) if before > 0 else 0)
        out[col] = np.uint16(1) if known[col + shift] > 0 else further


@njit(cache=True, nogil=True)
def _steps_along(known: NDArray[np.float32], left: NDArray[np.uint16], right: NDArray[np.uint16]) -> None:
    """Steps from each pixel of a row (W,) to the next known one on its left and on its right; 0 = none."""
    width_px, steps = len(known), 0
    for col in range(width_px):
        left[col] = steps
        steps = 1 if known[col] > 0 else (steps + 1 if steps > 0 else 0)
    steps = 0
    for col in range(width_px - 1, -1, -1):
        right[col] = steps
        steps = 1 if known[col] > 0 else (steps + 1 if steps > 0 else 0)


@njit(cache=True, nogil=True)
def interpolate_between(
    depth_m: NDArray[np.float32], gap_px: NDArray[np.float32], tolerance: float, out: InterpolatedDepth
) -> None:
    """Fill `out` where `depth_m` (H,W) is 0 and two opposite known pixels belong to one surface.

    On a plane inverse depth is linear in the image, so each known pixel predicts its opposite by its slope. The pair is
    one surface if depths agree to within `tolerance` or each predicts the other to within it. A pixel with known ones
    on one side only stays unknown. Pairs are tried along the row, the column and both diagonals; the shortest wins.

    Args:
        depth_m: 0 = unknown; H and W below 65536.
        gap_px: (N,) of each surfel, opposite pixels are at most as far apart as either allows.
        tolerance: relative.
        out: at known pixels surfel and slope; where not filled it is left alone. A filled pixel gets surfel and slope
            of the nearer pixel of its pair.
    """
    height_px, width_px = depth_m.shape
    widest_px = gap_px.max() + np.float32(1) if gap_px.size else np.float32(1)
    # Lines through a pixel: along the row, down the column, down to the right and down to the left.
    step_row, step_col = (0, 1, 1, 1), (1, 0, 1, -1)
    ahead_of = np.zeros((3, height_px, width_px), dtype=np.uint16)
    for row in range(height_px - 2, -1, -1):
        for d in range(3):
            _steps(depth_m[row + 1], ahead_of[d, row + 1], step_col[d + 1], ahead_of[d, row])
    back_of, before = np.zeros((3, width_px), dtype=np.uint16), np.zeros((3, width_px), dtype=np.uint16)
    left, right = np.empty(width_px, dtype=np.uint16), np.empty(width_px, dtype=np.uint16)
    for row in range(height_px):
        if row > 0:
            for d in range(3):
                before[d, :] = back_of[d]
                _steps(depth_m[row - 1], before[d], -step_col[d + 1], back_of[d])
        _steps_along(depth_m[row], left, right)
        for col in range(width_px):
            if depth_m[row, col] > 0:
                continue
            best_gap = widest_px
            for d in range(4):
                ahead = int(right[col]) if d == 0 else int(ahead_of[d - 1, row, col])
                back = int(left[col]) if d == 0 else int(back_of[d - 1, col])
                gap = (ahead + back) * np.float32(1.0 if d < 2 else np.sqrt(2.0))
                if ahead == 0 or back == 0 or gap >= best_gap:
                    continue
                dr, dc = step_row[d], step_col[d]
                r0, c0 = row + ahead * dr, col + ahead * dc
                r1, c1 = row - back * dr, col - back * dc
                if gap >= max(gap_px[out.surfel[r0, c0]], gap_px[out.surfel[r1, c1]]) + 1:
                    continue
                w0, w1 = 1 / depth_m[r0, c0], 1 / depth_m[r1, c1]
                n = ahead + back
                slope0, slope1 = out.inverse_slope[r0, c0], out.inverse_slope[r1, c1]
                from0 = w0 - n * (slope0[0] * dc + slope0[1] * dr)
                from1 = w1 + n * (slope1[0] * dc + slope1[1] * dr)
                near = tolerance * min(w0, w1)
                if abs(w0 - w1) > near and (abs(from0 - w1) > near or abs(from1 - w0) > near):
                    continue
                best_gap = gap
                out.depth_m[row, col] = n / (w0 * back + w1 * ahead)
                out.between[row, col] = True
                r, c = (r0, c0) if ahead <= back else (r1, c1)
                out.surfel[row, col] = out.surfel[r, c]
                out.inverse_slope[row, col, 0] = out.inverse_slope[r, c, 0]
                out.inverse_slope[row, col, 1] = out.inverse_slope[r, c, 1]
