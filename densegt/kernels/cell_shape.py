"""The patch of surface that each return of a sweep stands for."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

NOISE_M = 0.1
SMALL_M = 0.3
# Neighbours that are not linked must lie straighter to be one surface.
STRAIGHT = 0.97
# Three returns along one beam are straight as well, and no surface; flatter than 1 in 15 nothing is told from that.
FLATTEST = 15.0
_HOPS = 12


@njit(cache=True, inline="always")
def _norm(v: NDArray[np.float32]) -> float:
    return float(np.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]))


@njit(cache=True, inline="always")
def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float((a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / (_norm(a) * _norm(b) + 1e-9))


@njit(cache=True, inline="always")
def linked(range_a: float, range_b: float, step_rad: float, max_slope: float) -> bool:
    """Whether two neighbouring returns may lie on one surface that is not seen too flat."""
    return abs(range_a - range_b) < NOISE_M + max_slope * step_rad * min(range_a, range_b)


@njit(cache=True)
def reach_along(
    i: int,
    side: int,
    xyz: NDArray[np.float32],
    range_m: NDArray[np.float32],
    neighbours: NDArray[np.int32],
    step_rad: float,
    max_slope: float,
    baseline_m: float,
) -> int:
    """Follow linked neighbours from i until `baseline_m` away; the last one reached, or -1 if none is linked."""
    j, reached = neighbours[i, side], -1
    last = i
    for _ in range(_HOPS):
        if j < 0 or not linked(range_m[last], range_m[j], step_rad, max_slope):
            break
        reached = j
        if _norm(xyz[j] - xyz[i]) >= baseline_m:
            break
        last, j = j, neighbours[j, side]
    return reached


@njit(cache=True)
def goes_on(
    i: int,
    end: int,
    side: int,
    xyz: NDArray[np.float32],
    range_m: NDArray[np.float32],
    neighbours: NDArray[np.int32],
    step_rad: float,
    max_slope: float,
    baseline_m: float,
    min_cosine: float,
) -> float:
    """How straight the surface goes on from i to one side, as a cosine; 0 where it bends or ends.

    `end` is what `reach_along` gave. Without a link it may still be ground at a grazing angle: then the next two
    neighbours themselves must lie straight.
    """
    first, least = end, min_cosine
    if end >= 0:
        second = reach_along(end, side, xyz, range_m, neighbours, step_rad, max_slope, baseline_m)
    else:
        first, least = neighbours[i, side], STRAIGHT
        second = -1
        if first >= 0 and linked(range_m[i], range_m[first], step_rad, FLATTEST):
            second = neighbours[first, side]
            if second >= 0 and not linked(range_m[first], range_m[second], step_rad, FLATTEST):
                second = -1
    if second < 0:
        return 0.0
    cosine = _cosine(xyz[first] - xyz[i], xyz[second] - xyz[first])
    return cosine if cosine >= least else 0.0


@njit(cache=True, nogil=True)
def cell_shape(
    xyz: NDArray[np.float32],
    neighbours: NDArray[np.int32],
    step_rad: NDArray[np.float32],
    max_slope: float,
    max_half_m: float,
    baseline_m: float,
    min_cosine: float,
    tangents: NDArray[np.float32],
    half_m: NDArray[np.float32],
    mixed: NDArray[np.bool_],
) -> None:
    """Fill the two tangents and four reaches of each return's patch.

    Along each axis (the ring, and across the rings) the surface is followed to both sides over linked neighbours until
    `baseline_m` away, so that range noise does not turn the tangent. Where both sides lie on one straight line the
    patch reaches half-way to its neighbours on both. At a corner it keeps to the side that itself goes on straight,
    so that it does not cut the corner. Ground at a grazing angle is not linked, since its rings lie metres apart, but
    its neighbours lie on a straight line. A side without surface has no reach: patches never stick out over an outline.

    Args:
        xyz: (N,3) m from the lidar.
        neighbours: (N,4) rows left, right, up, down; -1 for none.
        step_rad: (4,) usual angle to each neighbour.
        max_slope: ranges of linked neighbours differ by less than this times the gap between the beams.
        max_half_m: no patch reaches farther than this.
        min_cosine: what counts as straight.
        tangents: out (N,2,3), unit vectors to the left along the ring and up across the rings.
        half_m: out (N,4), reach left, right, up, down; 0 where there is no surface.
        mixed: out (N,), a return in the air between a near and a far surface, from a beam that met both.
    """
    n = len(xyz)
    range_m = np.empty(n, dtype=np.float32)
    for i in range(n):
        range_m[i] = _norm(xyz[i])
    for i in range(n):
        p = xyz[i]
        for axis in range(2):
            step = step_rad[2 * axis]
            a = reach_along(i, 2 * axis, xyz, range_m, neighbours, step, max_slope, baseline_m)
            b = reach_along(i, 2 * axis + 1, xyz, range_m, neighbours, step, max_slope, baseline_m)
            use_a, use_b = False, False
            near_a, near_b = neighbours[i, 2 * axis], neighbours[i, 2 * axis + 1]
            if a >= 0 and b >= 0 and _cosine(xyz[a] - p, p - xyz[b]) >= min_cosine:
                use_a, use_b = True, True
            elif (
                near_a >= 0
                and near_b >= 0
                and linked(range_m[i], range_m[near_a], step, FLATTEST)
                and linked(range_m[i], range_m[near_b], step, FLATTEST)
                and _cosine(xyz[near_a] - p, p - xyz[near_b]) >= STRAIGHT
            ):
                a, b = near_a, near_b
                use_a, use_b = True, True
            else:
                on_a = goes_on(i, a, 2 * axis, xyz, range_m, neighbours, step, max_slope, baseline_m, min_cosine)
                on_b = goes_on(i, b, 2 * axis + 1, xyz, range_m, neighbours, step, max_slope, baseline_m, min_cosine)
                use_a = on_a > 0 and on_a >= on_b
                use_b = on_b > 0 and not use_a
                if not use_a and not use_b:
                    # Nothing goes on straight: the end of a surface, or a small round body, whose chords stay near it.
                    use_a = a >= 0 and (b < 0 or _norm(xyz[a] - p) < SMALL_M)
                    use_b = b >= 0 and (a < 0 or _norm(xyz[b] - p) < SMALL_M)
                else:
                    a = a if a >= 0 else near_a
                    b = b if b >= 0 else near_b
            along = (xyz[a] if use_a else p) - (xyz[b] if use_b else p)
            length = _norm(along)
            for side in range(2):
                k = 2 * axis + side
                half_m[i, k] = 0.0
                if (use_a if side == 0 else use_b) and length > 1e-4:
                    half_m[i, k] = min(0.55 * _norm(xyz[neighbours[i, k]] - p), max_half_m)
            if length > 1e-4:
                tangents[i, axis] = along / np.float32(length)
            else:
                tangents[i, axis] = 0.0
        left, right = neighbours[i, 0], neighbours[i, 1]
        mixed[i] = False
        if left >= 0 and right >= 0 and half_m[i, 0] + half_m[i, 1] == 0:
            nearer, farther = min(range_m[left], range_m[right]), max(range_m[left], range_m[right])
            mixed[i] = nearer + 0.3 < range_m[i] < farther - 0.3
        _settle_tangents(p, tangents[i], half_m[i])


@njit(cache=True)
def _settle_tangents(p: NDArray[np.float32], tangents: NDArray[np.float32], half_m: NDArray[np.float32]) -> None:
    """Give an axis without surface a tangent facing the lidar, and take the reach from tangents that nearly agree."""
    if _norm(tangents[0]) == 0:
        horizontal = np.sqrt(p[0] * p[0] + p[1] * p[1]) + np.float32(1e-6)
        tangents[0, 0], tangents[0, 1], tangents[0, 2] = -p[1] / horizontal, p[0] / horizontal, 0.0
    if _norm(tangents[1]) == 0 or abs(_cosine(tangents[0], tangents[1])) > 0.5:
        half_m[2:] = 0.0
        t = tangents[0]
        up = np.array([p[1] * t[2] - p[2] * t[1], p[2] * t[0] - p[0] * t[2], p[0] * t[1] - p[1] * t[0]])
        length = np.sqrt((up * up).sum()) + 1e-9
        for k in range(3):
            tangents[1, k] = up[k] / length
