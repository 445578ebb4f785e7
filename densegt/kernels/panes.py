"""Panes of glass: far depth within a frame that lies in one plane."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Bool = NDArray[np.bool_]

# Furniture of the room behind makes jumps too; so many are looked at on the way to the frame.
_HOPS = 4
LEFT, RIGHT, UP, DOWN = 0, 1, 2, 3


class PaneLimits(NamedTuple):
    """What is taken for a pane.

    Attributes:
        relative, absolute_m: a frame is nearer than what is seen in it by more than absolute_m + relative z.
        agree: greatest departure of a side from the frame's plane, relative in inverse depth.
        least_m, widest_m, highest_m: distances between opposite sides of a frame.
    """

    relative: float
    absolute_m: float
    agree: float
    least_m: float
    widest_m: float
    highest_m: float


class JumpEdges(NamedTuple):
    """The near side of the next jump from far to near, from each pixel; -1 = none.

    Attributes:
        left, right: (H,W) int32, columns; up, down: (W,H) int32, rows.
    """

    left: Int32
    right: Int32
    up: Int32
    down: Int32


class Panes(NamedTuple):
    """The panes in an image.

    Attributes:
        inverse_depth: (H,W) float32 1/m on the pane, 0 = no pane.
        frame: (H,W) int32, flat index of the nearest pixel of the frame, -1 = no pane.
        smallest_m: (H,W) float32, the least distance between opposite sides of the frame, 0 = no pane.
    """

    inverse_depth: Float32
    frame: Int32
    smallest_m: Float32


@njit(cache=True, nogil=True)
def next_jump(depth_m: Float32, relative: float, absolute_m: float, step: int, out: Int32) -> None:
    """Write to each pixel the column of the near side of the next jump from far to near along its row; -1 = none.

    Args:
        depth_m: (H,W), 0 = unknown; unknown pixels are passed over.
        step: 1 to look to the right, -1 to the left.
        out: (H,W).
    """
    height_px, width_px = depth_m.shape
    for row in range(height_px):
        jump, ahead, ahead_m = -1, -1, np.float32(0)
        for k in range(width_px):
            col = width_px - 1 - k if step > 0 else k
            z = depth_m[row, col]
            if z > 0:
                if ahead >= 0 and ahead_m < z * (1 - relative) - absolute_m:
                    jump = ahead
                ahead, ahead_m = col, z
            out[row, col] = jump


@njit(cache=True, nogil=True, inline="always")
def _first_nearer(line_m: Float32, jumps: Int32, start: int, limit_m: float) -> int:
    """The near side of the first jump from a pixel on that ends nearer than the limit; -1 = none of the next few."""
    at = jumps[start]
    for _ in range(_HOPS):
        if at < 0 or line_m[at] < limit_m:
            return int(at)
        at = jumps[at]
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def find_panes(
    depth_m: Float32,
    inverse_slope: Float32,
    excluded: Bool,
    focal_px: float,
    jumps: JumpEdges,
    limits: PaneLimits,
    out: Panes,
) -> None:
    """Find pixels that show what lies behind a pane, and the pane's depth there.

    From such a pixel something nearer begins at a jump to two opposite sides and to a third at least. On a plane
    inverse depth is linear in the image: the opposite sides give the pane's, and the planes of the surfels of three
    sides must foretell it. Gaps between legs or trunks fail that, for their surfels face elsewhere. Of the two pairs of
    opposite sides the one that more sides agree with counts.

    Args:
        depth_m: (H,W), 0 = unknown; such pixels are no panes.
        inverse_slope: (H,W,2) d(1/z)/du and d(1/z)/dv of each pixel's surfel, 1/(m px).
        excluded: (H,W), pixels that are no panes whatever surrounds them.
        jumps: of `next_jump`.
        out: (H,W), written everywhere.
    """
    height_px, width_px = depth_m.shape
    columns_m = np.ascontiguousarray(depth_m.T)
    at, near, foretold = np.empty(4, dtype=np.int64), np.empty(4), np.empty(4)
    for row in range(height_px):
        for col in range(width_px):
            out.inverse_depth[row, col], out.frame[row, col], out.smallest_m[row, col] = 0, -1, 0
            z = depth_m[row, col]
            if not z > 0 or excluded[row, col]:
                continue
            limit_m = z * (1 - limits.relative) - limits.absolute_m
            at[LEFT] = _first_nearer(depth_m[row], jumps.left[row], col, limit_m)
            at[RIGHT] = _first_nearer(depth_m[row], jumps.right[row], col, limit_m)
            if at[LEFT] < 0 and at[RIGHT] < 0:
                continue
            at[UP] = _first_nearer(columns_m[col], jumps.up[col], row, limit_m)
            at[DOWN] = _first_nearer(columns_m[col], jumps.down[col], row, limit_m)
            if (at[LEFT] >= 0) + (at[RIGHT] >= 0) + (at[UP] >= 0) + (at[DOWN] >= 0) < 3:
                continue
            for side in range(4):
                foretold[side] = 0
                if at[side] >= 0:
                    r, c = (row, at[side]) if side < UP else (at[side], col)
                    near[side] = 1 / depth_m[r, c]
                    slope = inverse_slope[r, c, 0] * (col - c) + inverse_slope[r, c, 1] * (row - r)
                    foretold[side] = near[side] + slope
            w, most = 0.0, 2
            for a, b, here in ((LEFT, RIGHT, col), (UP, DOWN, row)):
                if at[a] < 0 or at[b] < 0:
                    continue
                between = near[a] + (near[b] - near[a]) * (here - at[a]) / (at[b] - at[a])
                agree = 0
                for side in range(4):
                    agree += abs(foretold[side] - between) <= limits.agree * between
                if agree > most:
                    w, most = between, agree
            if not w * limit_m > 1:
                continue
            fits, smallest_m = True, np.inf
            for a, b, largest_m in ((LEFT, RIGHT, limits.widest_m), (UP, DOWN, limits.highest_m)):
                if at[a] >= 0 and at[b] >= 0:
                    apart_m = (at[b] - at[a]) / (focal_px * w)
                    fits &= limits.least_m <= apart_m <= largest_m
                    smallest_m = min(smallest_m, apart_m)
            if not fits:
                continue
            out.inverse_depth[row, col], out.smallest_m[row, col] = w, smallest_m
            best = width_px + height_px
            for side in range(4):
                r, c = (row, at[side]) if side < UP else (at[side], col)
                if at[side] >= 0 and abs(r - row) + abs(c - col) < best:
                    best = abs(r - row) + abs(c - col)
                    out.frame[row, col] = r * width_px + c


@njit(cache=True, nogil=True, error_model="numpy")
def level_pixels(
    depth_m: Float32, inverse_slope: Float32, K: Float32, up_cam: Float32, cosine: float, out: Bool
) -> None:
    """Write whether each pixel's surfel has a normal nearer to the vertical than this cosine.

    The plane n X = 1 has inverse depth n K^-1 (u, v, 1).

    Args:
        depth_m: (H,W), 0 = unknown; inverse_slope: (H,W,2) d(1/z)/du and d(1/z)/dv, 1/(m px).
        K: (3,3) px; up_cam: (3,) the vertical in cam.
        out: (H,W).
    """
    height_px, width_px = depth_m.shape
    squared = np.float32(cosine**2)
    for row in range(height_px):
        v = np.float32(row) - K[1, 2]
        for col in range(width_px):
            z = depth_m[row, col]
            inverse = np.float32(1) / z if z > 0 else np.float32(0)
            by_col, by_row = inverse_slope[row, col, 0], inverse_slope[row, col, 1]
            ahead = inverse - by_col * (np.float32(col) - K[0, 2]) - by_row * v
            x, y = by_col * K[0, 0], by_row * K[1, 1]
            upwards = x * up_cam[0] + y * up_cam[1] + ahead * up_cam[2]
            out[row, col] = upwards * upwards > squared * (x * x + y * y + ahead * ahead)
