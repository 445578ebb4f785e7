"""Colour of camera rays: procedural textures by material, sun, sky and haze."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from densegt.kernels.hashing import lattice, value_noise
from densegt.kernels.raycast import GROUND_PART, NO_PART, Hits, Surfaces
from densegt.kernels.raycast_ground import ASPHALT, KERB, MARKING, PAVEMENT, Road, ground_material
from densegt.kernels.raycast_shapes import REVEAL, ROOF, WALL, WINDOW, facade_axis, pane_is_glass

Array = NDArray[np.float64]
BUILDING_WALL, FOLIAGE, BARK, PAINT, DARK_PAINT, CAR_GLASS, CLOTH = 5, 7, 8, 10, 11, 12, 14
"""Codes of simulate.materials.Material."""


@njit(cache=True)
def _ground_colour(material: int, x: float, y: float) -> tuple[float, float, float]:
    fine = value_noise(x * 23.0, y * 23.0, 0.0, 1) - 0.5
    coarse = value_noise(x * 0.9, y * 0.9, 0.0, 2) - 0.5
    medium = value_noise(x * 4.0, y * 4.0, 0.0, 3) - 0.5
    if material == ASPHALT:
        k = 0.24 + 0.09 * fine + 0.06 * coarse + 0.05 * medium
        return k, k, 1.03 * k
    if material == MARKING:
        k = 0.78 + 0.12 * fine + 0.15 * medium
        return k, k, 0.96 * k
    if material == KERB:
        joint = 0.7 if (x + y) % 1.0 < 0.03 else 1.0
        k = (0.52 + 0.1 * fine + 0.08 * medium) * joint
        return k, k, 0.97 * k
    if material == PAVEMENT:
        joint = 0.72 if (x % 0.6 < 0.02 or y % 0.6 < 0.02) else 1.0
        tile = lattice(math.floor(x / 0.6), math.floor(y / 0.6), 0, 4) - 0.5
        k = (0.42 + 0.07 * fine + 0.08 * tile + 0.06 * coarse) * joint
        return k, 0.97 * k, 0.92 * k
    k = 0.8 + 0.7 * fine + 0.5 * medium + 0.5 * coarse
    return 0.17 * k, 0.26 * k, 0.09 * k


@njit(cache=True)
def _wall_colour(
    base: Array, detail: int, p: NDArray[np.float32], param: Array, seed: int
) -> tuple[float, float, float]:
    style = lattice(seed, 1, 2, 3)
    axis = facade_axis(p, param)
    s, h = p[1 - axis], p[2]
    grain = value_noise(s * 9.0, h * 9.0, 0.0, seed) - 0.5
    stain = value_noise(s * 0.5, h * 0.35, 0.0, seed + 1) - 0.5
    k = 1.0 + 0.16 * grain + 0.35 * stain
    if detail == WINDOW:
        if pane_is_glass(p, param, seed):
            k = 0.10 + 0.25 * value_noise(s * 0.7, h * 0.9, 0.0, seed + 2)
            return 0.7 * k, 0.85 * k, k
        k = 0.62 + 0.25 * (math.floor(h * 14.0) % 2) + 0.1 * grain
        return 0.95 * k, 0.92 * k, 0.85 * k
    if detail == REVEAL:
        k = 0.85
    elif detail == ROOF:
        k = 0.45 + 0.2 * grain
    elif style < 0.5:  # bricks
        row = math.floor(h / 0.15)
        along = s / 0.45 + 0.5 * (row % 2)
        if h / 0.15 - row < 0.1 or along % 1.0 < 0.04:
            k *= 1.35
        else:
            k *= 0.85 + 0.3 * lattice(math.floor(along), row, axis, seed)
    if detail == WALL and h < 0.7:
        k *= 0.7
    return base[0] * k, base[1] * k, base[2] * k


@njit(cache=True)
def _thing_colour(material: int, base: Array, x: float, y: float, z: float, seed: int) -> tuple[float, float, float]:
    k = 1.0
    if material == FOLIAGE:
        k = 0.55 + 0.9 * value_noise(x * 14.0, y * 14.0, z * 14.0, seed)
    elif material == BARK:
        k = 0.65 + 0.7 * value_noise(x * 12.0, y * 12.0, z * 4.0, seed)
    elif material == CLOTH:
        k = 0.75 + 0.5 * value_noise(x * 16.0, y * 16.0, z * 16.0, seed)
        if lattice(seed, 5, 5, 5) < 0.35 and math.floor(z * 14.0) % 2 == 0:
            k *= 0.6
    elif material in (PAINT, DARK_PAINT):
        k = 0.93 + 0.14 * value_noise(x * 3.0, y * 3.0, z * 6.0, seed)
        if abs(x % 1.1 - 0.5) < 0.012 or abs(z - 0.45) < 0.015:
            k *= 0.55  # seams of doors and bumpers
    elif material == CAR_GLASS and abs(x % 1.1 - 0.5) < 0.04:
        k = 0.4
    else:
        k = 0.9 + 0.2 * value_noise(x * 7.0, y * 7.0, z * 7.0, seed)
    return base[0] * k, base[1] * k, base[2] * k


@njit(cache=True)
def _sky(up: float, x: float, y: float) -> tuple[float, float, float]:
    k = min(max(up, 0.0), 1.0) ** 0.5
    cloud = 0.0
    if up > 0.02:
        cloud = max(value_noise(2.5 * x / up, 2.5 * y / up, 0.0, 9) - 0.45, 0.0) * 0.9 * min(1.0, up * 5.0)
    return 0.86 - 0.46 * k + cloud, 0.90 - 0.30 * k + 0.7 * cloud, 0.95 - 0.08 * k + 0.2 * cloud


@njit(parallel=True, cache=True)
def shade(
    hits: Hits,
    surfaces: Surfaces,
    param: Array,
    part_object: NDArray[np.uint16],
    directions: Array,
    sunlit: NDArray[np.float32],
    sun: Array,
    road: Road,
    out: NDArray[np.uint8],
) -> None:
    """Fill `out` (R,3) with the colour, red green blue, of each camera ray.

    Args:
        param: (N,9) of each shape; part_object: (P,) object id of each part.
        directions: (R,3) unit vectors in world; sunlit: (R,) share of sunlight in 0..1; sun: (3,) unit vector to it.
    """
    material, colour = surfaces.material, surfaces.colour
    for i in prange(len(out)):
        d = directions[i]
        haze_r, haze_g, haze_b = _sky(max(d[2], 0.0), d[0], d[1])
        if hits.part[i] == NO_PART:
            r, g, b = haze_r, haze_g, haze_b
        else:
            n, p = hits.normal[i], hits.local[i]
            gloss = 0.0
            if hits.part[i] == GROUND_PART:
                r, g, b = _ground_colour(ground_material(p[0], p[1], road), p[0], p[1])
            else:
                shape = hits.shape[i]
                seed = 17 + int(part_object[hits.part[i]]) * 31
                if material[shape] == BUILDING_WALL:
                    r, g, b = _wall_colour(colour[shape], hits.detail[i], p, param[shape], shape)
                    gloss = 0.5 if hits.detail[i] == WINDOW else 0.0
                else:
                    r, g, b = _thing_colour(material[shape], colour[shape], p[0], p[1], p[2], seed)
                    if material[shape] == CAR_GLASS:
                        gloss = 0.45
                    elif material[shape] == PAINT or material[shape] == DARK_PAINT:
                        gloss = 0.12
            lambert = max(n[0] * sun[0] + n[1] * sun[1] + n[2] * sun[2], 0.0) * sunlit[i]
            light = 0.38 + 0.22 * n[2] + 0.85 * lambert
            r, g, b = r * light * 1.02, g * light, b * light * 0.98
            if gloss > 0.0:
                into = d[0] * n[0] + d[1] * n[1] + d[2] * n[2]
                ux, uy, uz = d[0] - 2 * into * n[0], d[1] - 2 * into * n[1], d[2] - 2 * into * n[2]
                fresnel = gloss * (0.35 + 0.65 * (1.0 - min(abs(into), 1.0)) ** 3)
                sr, sg, sb = _sky(uz, ux, uy) if uz > 0.0 else (0.3, 0.3, 0.3)
                shine = max(ux * sun[0] + uy * sun[1] + uz * sun[2], 0.0) ** 60 * sunlit[i]
                r, g, b = (
                    r + fresnel * (sr - r) + gloss * shine,
                    g + fresnel * (sg - g) + gloss * shine,
                    b + fresnel * (sb - b) + gloss * shine,
                )
            fade = math.exp(-hits.range_m[i] / 320.0)
            r, g, b = fade * r + (1 - fade) * haze_r, fade * g + (1 - fade) * haze_g, fade * b + (1 - fade) * haze_b
        out[i, 0] = _byte(r)
        out[i, 1] = _byte(g)
        out[i, 2] = _byte(b)


@njit(cache=True)
def _byte(linear: float) -> int:
    return int(255.0 * min(max(linear, 0.0), 1.0) ** 0.75 + 0.5)
