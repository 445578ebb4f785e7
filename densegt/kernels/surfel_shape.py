"""Tangents and extent of the surfel of each return of a sweep."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

NOISE_M = 0.1
SMALL_M = 0.3
# Least cosine for neighbours that are not linked.
STRAIGHT = 0.97
# Returns along one beam are collinear without a surface: the slope limit of neighbours that are not linked.
FLATTEST = 15.0
_HOPS = 12


@njit(cache=True, nogil=True, inline="always")
def _apart(xyz: NDArray[np.float32], i: int, j: int) -> float:
    """Distance between two returns."""
    dx, dy, dz = xyz[i, 0] - xyz[j, 0], xyz[i, 1] - xyz[j, 1], xyz[i, 2] - xyz[j, 2]
    return float(np.sqrt(dx * dx + dy * dy + dz * dz))


@njit(cache=True, nogil=True, inline="always")
def _straight(xyz: NDArray[np.float32], i: int, j: int, k: int) -> float:
    """Cosine of the turn at j on the way from i to k."""
    ax, ay, az = xyz[j, 0] - xyz[i, 0], xyz[j, 1] - xyz[i, 1], xyz[j, 2] - xyz[i, 2]
    bx, by, bz = xyz[k, 0] - xyz[j, 0], xyz[k, 1] - xyz[j, 1], xyz[k, 2] - xyz[j, 2]
    lengths = np.sqrt((ax * ax + ay * ay + az * az) * (bx * bx + by * by + bz * bz))
    return float((ax * bx + ay * by + az * bz) / (lengths + 1e-9))


@njit(cache=True, nogil=True, inline="always")
def linked(range_a: float, range_b: float, step_rad: float, max_slope: float) -> bool:
    """Whether two neighbouring returns may lie on one surface, seen at no more than `max_slope`."""
    return abs(range_a - range_b) < NOISE_M + max_slope * step_rad * min(range_a, range_b)


@njit(cache=True, nogil=True)
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
    """The last of the linked neighbours from i on until `baseline_m` away; -1 if none is linked."""
    j, reached = neighbours[i, side], -1
    last = i
    for _ in range(_HOPS):
        if j < 0 or not linked(range_m[last], range_m[j], step_rad, max_slope):
            break
        reached = j
        if _apart(xyz, i, j) >= baseline_m:
            break
        last, j = j, neighbours[j, side]
    return reached


@njit(cache=True, nogil=True)
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
    """Cosine of the bend of the surface from i to one side; 0 where it bends by more than allowed or ends.

    `end` is the result of `reach_along`. Without a link, as on ground at a grazing angle, the next two neighbours are
    taken.
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
    cosine = _straight(xyz, i, first, second)
    return cosine if cosine >= least else 0.0


@njit(cache=True, nogil=True)
def surfel_shape(
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
    """Fill the two tangents and four reaches of each return's surfel.

    Along each axis (the ring, and across the rings) linked neighbours are followed to both sides until `baseline_m`
    away, so that range noise does not tilt the tangent. If both sides are collinear the surfel reaches half-way to its
    neighbours on both. At a corner it takes the side that continues straight. Ground at a grazing angle is not linked,
    since its rings are metres apart, but its neighbours are collinear. A side without surface has no reach, so that
    surfels end at outlines.

    Args:
        xyz: (N,3) m in lidar.
        neighbours: (N,4) rows left, right, up, down; -1 = none.
        step_rad: (4,) typical angle to each neighbour.
        max_slope: greatest difference in range of linked neighbours, in gaps between the beams.
        max_half_m: greatest reach.
        min_cosine: of collinear returns.
        tangents: out (N,2,3), unit vectors to the left along the ring and up across the rings.
        half_m: out (N,4), reach left, right, up, down; 0 = no surface.
        mixed: out (N,), returns between a near and a far surface, of a beam that met both (mixed pixels).
    """
    n = len(xyz)
    range_m = np.empty(n, dtype=np.float32)
    for i in range(n):
        x, y, z = xyz[i, 0], xyz[i, 1], xyz[i, 2]
        range_m[i] = np.sqrt(x * x + y * y + z * z)
    for i in range(n):
        for axis in range(2):
            step = step_rad[2 * axis]
            a = reach_along(i, 2 * axis, xyz, range_m, neighbours, step, max_slope, baseline_m)
            b = reach_along(i, 2 * axis + 1, xyz, range_m, neighbours, step, max_slope, baseline_m)
            use_a, use_b = False, False
            near_a, near_b = neighbours[i, 2 * axis], neighbours[i, 2 * axis + 1]
            if a >= 0 and b >= 0 and _straight(xyz, a, i, b) >= min_cosine:
                use_a, use_b = True, True
            elif (
                near_a >= 0
                and near_b >= 0
                and linked(range_m[i], range_m[near_a], step, FLATTEST)
                and linked(range_m[i], range_m[near_b], step, FLATTEST)
                and _straight(xyz, near_a, i, near_b) >= STRAIGHT
            ):
                a, b = near_a, near_b
                use_a, use_b = True, True
            else:
                on_a = goes_on(i, a, 2 * axis, xyz, range_m, neighbours, step, max_slope, baseline_m, min_cosine)
                on_b = goes_on(i, b, 2 * axis + 1, xyz, range_m, neighbours, step, max_slope, baseline_m, min_cosine)
                use_a = on_a > 0 and on_a >= on_b
                use_b = on_b > 0 and not use_a
                if not use_a and not use_b:
                    # No straight continuation: the end of a surface, or a small round body, whose chords stay near it.
                    use_a = a >= 0 and (b < 0 or _apart(xyz, a, i) < SMALL_M)
                    use_b = b >= 0 and (a < 0 or _apart(xyz, b, i) < SMALL_M)
                else:
                    a = a if a >= 0 else near_a
                    b = b if b >= 0 else near_b
            ahead, back = a if use_a else i, b if use_b else i
            length = _apart(xyz, ahead, back)
            for side in range(2):
                k = 2 * axis + side
                half_m[i, k] = 0.0
                if (use_a if side == 0 else use_b) and length > 1e-4:
                    half_m[i, k] = min(0.55 * _apart(xyz, neighbours[i, k], i), max_half_m)
            per_length = np.float32(1 / length) if length > 1e-4 else np.float32(0)
            for c in range(3):
                tangents[i, axis, c] = (xyz[ahead, c] - xyz[back, c]) * per_length
        left, right = neighbours[i, 0], neighbours[i, 1]
        mixed[i] = False
        if left >= 0 and right >= 0 and half_m[i, 0] + half_m[i, 1] == 0:
            nearer, farther = min(range_m[left], range_m[right]), max(range_m[left], range_m[right])
            mixed[i] = nearer + 0.3 < range_m[i] < farther - 0.3
        _settle_tangents(xyz[i], tangents[i], half_m[i])


@njit(cache=True, nogil=True)
def _settle_tangents(p: NDArray[np.float32], tangents: NDArray[np.float32], half_m: NDArray[np.float32]) -> None:
    """Set a tangent facing the lidar on an axis without surface; tangents that nearly agree lose their reach."""
    a, e = tangents[0], tangents[1]
    if a[0] == 0 and a[1] == 0 and a[2] == 0:
        horizontal = np.sqrt(p[0] * p[0] + p[1] * p[1]) + np.float32(1e-6)
        a[0], a[1], a[2] = -p[1] / horizontal, p[0] / horizontal, 0.0
    # Unit vectors, or none at all: their product is the cosine.
    if (e[0] == 0 and e[1] == 0 and e[2] == 0) or abs(a[0] * e[0] + a[1] * e[1] + a[2] * e[2]) > 0.5:
        half_m[2], half_m[3] = 0.0, 0.0
        x, y, z = p[1] * a[2] - p[2] * a[1], p[2] * a[0] - p[0] * a[2], p[0] * a[1] - p[1] * a[0]
        length = np.sqrt(x * x + y * y + z * z) + np.float32(1e-9)
        e[0], e[1], e[2] = x / length, y / length, z / length
