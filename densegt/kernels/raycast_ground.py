"""Height of the simulated ground, and its intersection with rays.

The ground is z = height(x, y): two long slopes, four waves, a road along x with a crown, kerbs, and a cross-street.
Its parameters are one vector `g` (26,), written by `simulate.ground.Ground.vector`:
    0, 1 slopes in x and y; 2, 3, 4 centreline amplitude m, wave number rad/m, phase; 5 road half width m;
    6 kerb height m; 7, 8 cross-street's middle x and half width m; 9 crown m;
    10 + 4i.. wave i: amplitude m, kx, ky rad/m, phase.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.raycast_shapes import Ray

Vector = NDArray[np.float64]

ASPHALT, PAVEMENT, GRASS, KERB, MARKING = 0, 1, 2, 3, 4
"""Codes of simulate.materials.Material."""

KERB_RAMP_M = 0.03
"""A kerb's face leans by this much, so that the ground stays a function of (x, y)."""


class Road(NamedTuple):
    """The ground and the lanes painted on it.

    Attributes:
        ground: (26,) see above; lane_m: width of a lane; lanes: in each direction.
    """

    ground: Vector
    lane_m: float
    lanes: int


@njit(cache=True)
def centre(x: float, g: Vector) -> float:
    """The road's middle y at x."""
    y: float = g[2] * (math.sin(g[3] * x + g[4]) - math.sin(g[4]))
    return y


@njit(cache=True)
def base_height(x: float, y: float, g: Vector) -> float:
    """Ground height without kerbs; smooth everywhere."""
    z: float = g[0] * x + g[1] * y
    for i in range(10, 26, 4):
        z += g[i] * math.sin(g[i + 1] * x + g[i + 2] * y + g[i + 3])
    across: float = min(abs(y - centre(x, g)) / g[5], 1.0)
    z += g[9] * (1.0 - across * across)
    return z


@njit(cache=True)
def kerb_height(x: float, y: float, g: Vector, ramp_m: float) -> float:
    """Height of the pavement over the base: 0 on the two roads."""
    main: float = (abs(y - centre(x, g)) - g[5]) / ramp_m
    cross = (abs(x - g[7]) - g[8]) / ramp_m
    up: float = g[6] * min(max(min(main, cross), 0.0), 1.0)
    return up


@njit(cache=True)
def height(x: float, y: float, g: Vector) -> float:
    """Ground height at (x, y)."""
    return base_height(x, y, g) + kerb_height(x, y, g, KERB_RAMP_M)


@njit(cache=True)
def heights(xy: NDArray[np.float64], g: Vector, ramp_m: float, out: NDArray[np.float64]) -> None:
    """Write the ground heights (N,) of points (N,2); kerbs are ramps of `ramp_m`."""
    for i in range(len(xy)):
        out[i] = base_height(xy[i, 0], xy[i, 1], g) + kerb_height(xy[i, 0], xy[i, 1], g, ramp_m)


@njit(cache=True)
def ground_normal(x: float, y: float, g: Vector) -> tuple[float, float, float]:
    """Upward unit normal by central differences over 1 cm."""
    e = 0.005
    a = (height(x - e, y, g) - height(x + e, y, g)) / (2.0 * e)
    b = (height(x, y - e, g) - height(x, y + e, g)) / (2.0 * e)
    n = 1.0 / math.sqrt(a * a + b * b + 1.0)
    return a * n, b * n, n


@njit(cache=True)
def _kerb_ways(x: float, y: float, g: Vector) -> tuple[float, float]:
    """Distance m of (x, y) from the edges of the main road and of the cross-street; negative inside."""
    return abs(y - centre(x, g)) - g[5], abs(x - g[7]) - g[8]


@njit(cache=True)
def closing_rate(dx: float, dy: float, dz: float, g: Vector) -> float:
    """Upper bound of the rate, per metre, at which a ray approaches the ground without kerbs."""
    rate: float = g[0] * dx + g[1] * dy - dz
    for i in range(10, 26, 4):
        rate += abs(g[i] * (g[i + 1] * dx + g[i + 2] * dy))
    rate += 2.0 * g[9] / g[5] * (abs(dy) + abs(g[2] * g[3] * dx))
    return rate


@njit(cache=True)
def ground_hit(ray: Ray, g: Vector, t_max: float) -> float:
    """Distance along a unit ray to the ground, or -1.

    A step is as long as the steepest slope that way allows, but stops short of the next kerb line while low enough to
    meet a kerb; near the ground it is a few decimetres, and the first step that ends below ground is bisected.
    """
    ox, oy, oz, dx, dy, dz = ray
    closing = closing_rate(dx, dy, dz, g)
    sideways = abs(dy) + abs(g[2] * g[3] * dx)  # bounds how fast the way to the road's edge changes
    t, before = 0.0, 0.0
    while t < t_max:
        x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
        gap = z - base_height(x, y, g)
        least = 0.1 + 0.004 * t
        if gap > g[6] + 0.02:
            if closing <= 0.0:
                return -1.0
            before = t
            t += max((gap - g[6]) / closing, 0.01)
            continue
        main, cross = _kerb_ways(x, y, g)
        gap -= g[6] * min(max(min(main, cross) / KERB_RAMP_M, 0.0), 1.0)
        if gap <= 0.0:
            return _bisect(ray, g, before, t)
        to_kerb = min((abs(main) - KERB_RAMP_M) / max(sideways, 1e-9), (abs(cross) - KERB_RAMP_M) / max(abs(dx), 1e-9))
        slope = gap / closing if closing > 0.0 else 1e9
        before = t
        t += max(min(slope, to_kerb), least)
    x, y, z = ox + t_max * dx, oy + t_max * dy, oz + t_max * dz
    if z < height(x, y, g):
        return _bisect(ray, g, before, t_max)
    return -1.0


@njit(cache=True)
def _bisect(ray: Ray, g: Vector, above: float, below: float) -> float:
    ox, oy, oz, dx, dy, dz = ray
    while below - above > 1e-5:
        t = 0.5 * (above + below)
        if oz + t * dz > height(ox + t * dx, oy + t * dy, g):
            above = t
        else:
            below = t
    return 0.5 * (above + below)


@njit(cache=True)
def ground_material(x: float, y: float, road: Road) -> int:
    """Material of the ground at (x, y): marking, kerb, pavement, grass or asphalt."""
    g, lane_m, lanes = road
    d = y - centre(x, g)
    main, cross = abs(d) - g[5], abs(x - g[7]) - g[8]
    if main < 0.0 and cross > 1.0:
        if abs(d) < 0.07 and (lanes > 1 or math.floor(x / 3.0) % 3 != 0):
            return MARKING
        lane = abs(d) / lane_m
        edge = abs(lane - round(lane)) * lane_m
        if round(lane) == lanes and edge < 0.06:
            return MARKING
        if 0 < round(lane) < lanes and edge < 0.06 and math.floor(x / 3.0) % 3 == 0:
            return MARKING
        if 1.0 < cross < 4.0 and math.floor(d / 0.5) % 2 == 0:
            return MARKING  # zebra crossing
    outside = min(main, cross)
    if outside <= 0.0:
        return ASPHALT
    if outside < 0.16:
        return KERB
    return PAVEMENT if main < 3.4 else GRASS
