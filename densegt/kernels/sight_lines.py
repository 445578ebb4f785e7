"""Whether sweeps saw the way from a camera to a point free."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.beam import place_in_beam
from densegt.kernels.beam_lookup import RingLookup, ring_above, ring_lookup
from densegt.kernels.range_images import Margin, RangeImages

Float32 = NDArray[np.float32]

# What is said of a place or of a whole sight line.
FREE, UNCLEAR, BEHIND = 0, 1, 2


class SightRule(NamedTuple):
    """What is asked along a sight line.

    Attributes:
        nearest_m: distance from the camera where it begins.
        absolute_m, relative: it ends this far, or this share, before the point: nearer to it nothing hides it by more.
        step_rad: the directions in which a sweep is asked lie at most this far apart.
        bend: relative departure from a plane up to which three rings see one surface.
        skip: of two rings, one that is farther than 1 - skip of the gap between them is not asked.
    """

    nearest_m: float
    absolute_m: float
    relative: float
    step_rad: float
    bend: float
    skip: float


@njit(cache=True, nogil=True, error_model="numpy")
def sight_lines(
    xyz: Float32,
    eye: Float32,
    own: NDArray[np.int64],
    others: NDArray[np.int64],
    images: RangeImages,
    margin: Margin,
    rule: SightRule,
    state: NDArray[np.uint8],
) -> None:
    """Tell which points a camera surely sees.

    A place on the way is FREE for a sweep if the surface around its direction lies beyond it: all returns of the two
    rings and four columns there, or the plane that three rings see. It is BEHIND if they all, or the plane, lie
    before it. Own sweeps are asked first, the surest counts; where they leave it UNCLEAR, one other that says FREE
    will do. The worst place tells of the point. Beyond the lowest and highest ring that ring alone is asked.

    Args:
        xyz: (N,3) m, points in global minus origin.
        eye: (3,) m, the camera.
        own: sweeps of the points' own moment.
        others: sweeps of other moments, -1 for none.
        margin: of a place from a return.
        state: out (N,), FREE, UNCLEAR or BEHIND.
    """
    rings = ring_lookup(images.ring_elevation)
    place = np.empty(3, dtype=np.float32)
    baseline_m = 0.0
    for s in own:
        baseline_m = max(baseline_m, np.sqrt(np.sum((eye - images.origin[s]) ** 2)))
    for i in range(len(xyz)):
        way = (xyz[i] - eye).astype(np.float64)
        length = np.sqrt(np.sum(way * way))
        end = length - max(rule.absolute_m, rule.relative * length)
        state[i] = FREE if length < np.inf else UNCLEAR
        if not (end > rule.nearest_m and length < np.inf):
            continue
        near, far = 1 / rule.nearest_m, 1 / end
        steps = max(2, int(np.ceil(baseline_m * (near - far) / rule.step_rad)))
        for k in range(steps + 1):
            # In equal steps of inverse distance the direction from the lidar turns evenly.
            part = 1 / (far + (near - far) * k / steps) / length
            for axis in range(3):
                place[axis] = eye[axis] + way[axis] * part
            seen = _surest(place, own, images, rings, margin, rule)
            if seen == UNCLEAR and _surest(place, others, images, rings, margin, rule) == FREE:
                seen = FREE
            state[i] = max(state[i], seen)
            if seen == BEHIND:
                break


@njit(cache=True, nogil=True, error_model="numpy")
def _surest(
    place: Float32,
    sweeps: NDArray[np.int64],
    images: RangeImages,
    rings: RingLookup,
    margin: Margin,
    rule: SightRule,
) -> int:
    """FREE if one of the sweeps says so, else UNCLEAR if one says that, else BEHIND; UNCLEAR where there is none."""
    best = BEHIND + 1
    for s in sweeps:
        if s < 0:
            continue
        n = images.lidar[s]
        x, y, z = place_in_beam(place, images.origin[s], images.velocity[s], images.R_lidar_global[s], images.clock[n])
        if rings.last[n] > 0:
            best = min(best, _seen(x, y, z, images.ranges_m[s], rings, n, margin, rule))
    return UNCLEAR if best > BEHIND else best


@njit(cache=True, nogil=True, error_model="numpy")
def _seen(
    x: float, y: float, z: float, ranges_m: Float32, rings: RingLookup, lidar: int, margin: Margin, rule: SightRule
) -> int:
    """What one sweep (R,C) says of a place in its axes."""
    slopes, top, columns = rings.slope[lidar], rings.last[lidar], ranges_m.shape[1]
    flat = np.sqrt(x * x + y * y)
    distance = np.sqrt(flat * flat + z * z)
    apart = margin.absolute_m + margin.relative * distance
    slope = min(max(z / flat, slopes[0]), slopes[top])
    upper = top if slope >= slopes[top] else ring_above(slope, slopes, rings.above[lidar], rings.per_slope[lidar], top)
    first = int(np.floor((np.arctan2(y, x) + np.pi) * columns / (2 * np.pi) - 0.5)) - 1
    part = (slope - slopes[upper - 1]) / (slopes[upper] - slopes[upper - 1])
    nearest, farthest = np.inf, 0.0
    for ring in (upper - 1, upper):
        if part < rule.skip if ring == upper else part > 1 - rule.skip:
            continue
        near, far = _around(ranges_m[ring], first)
        if far == 0:
            return UNCLEAR
        nearest, farthest = min(nearest, near), max(farthest, far)
    if distance + apart < nearest:
        return FREE
    plane_m = _plane(ranges_m, slopes, upper, top, first, slope, rule.bend) * np.sqrt(1 + slope * slope)
    if plane_m > 0:
        return FREE if distance + apart < plane_m else BEHIND if distance - apart > plane_m else UNCLEAR
    return BEHIND if distance - apart > farthest else UNCLEAR


@njit(cache=True, nogil=True, error_model="numpy")
def _around(ring_m: Float32, first: int) -> tuple[float, float]:
    """The least and the greatest range of four columns (C), infinity and 0 where none has a return."""
    columns, nearest, farthest = len(ring_m), np.inf, 0.0
    for c in range(first, first + 4):
        r = ring_m[c % columns]
        if r > 0:
            nearest, farthest = min(nearest, r), max(farthest, r)
    return nearest, farthest


@njit(cache=True, nogil=True, error_model="numpy")
def _plane(
    ranges_m: Float32,
    slopes: NDArray[np.float64],
    upper: int,
    top: int,
    first: int,
    slope: float,
    bend: float,
) -> float:
    """Horizontal distance in a direction of the plane that three rings see, m; 0 where they see none.

    On a plane inverse horizontal distance is linear in the tangent of elevation.
    """
    for lowest in (upper - 2, upper - 1):
        if lowest < 0 or lowest + 2 > top:
            continue
        a = _per_distance(ranges_m[lowest], slopes[lowest], first, bend)
        b = _per_distance(ranges_m[lowest + 1], slopes[lowest + 1], first, bend)
        c = _per_distance(ranges_m[lowest + 2], slopes[lowest + 2], first, bend)
        if min(a, b, c) <= 0:
            continue
        share = (slopes[lowest + 1] - slopes[lowest]) / (slopes[lowest + 2] - slopes[lowest])
        if abs(a + (c - a) * share - b) > bend * b:
            continue
        low, high = (a, b) if lowest == upper - 1 else (b, c)
        per_m = low + (high - low) * (slope - slopes[upper - 1]) / (slopes[upper] - slopes[upper - 1])
        if per_m > 0:
            return float(1 / per_m)
    return 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _per_distance(ring_m: Float32, slope: float, first: int, bend: float) -> float:
    """Inverse horizontal distance of a ring's four columns, 1/m; 0 where they are not one surface."""
    nearest, farthest = _around(ring_m, first)
    if farthest == 0 or farthest - nearest > max(0.1, 4 * bend * nearest):
        return 0.0
    return float(2 * np.sqrt(1 + slope * slope) / (nearest + farthest))
