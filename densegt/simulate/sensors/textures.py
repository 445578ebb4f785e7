"""Procedural textures: noise, bricks, slabs, cracks and patches, by material and place on the surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.kernels.tiled_noise import tiled_noise
from densegt.simulate.meshes.material import Material, table

Float32 = NDArray[np.float32]

_SIDE = 256
_NOISE = np.random.default_rng(7).random((_SIDE, _SIDE)).astype(np.float32)


def value_noise(u: Float32, v: Float32) -> Float32:
    """Smooth noise in 0..1 with one knot per unit."""
    out = np.empty(len(u), dtype=np.float32)
    tiled_noise(np.ascontiguousarray(u, np.float32), np.ascontiguousarray(v, np.float32), _NOISE, out)
    return out


def textured(colour: Float32, material: NDArray[np.uint8], uv: Float32, footprint_m: Float32) -> Float32:
    """Colours (N,3) with their material's texture; detail finer than a pixel's footprint (N,) m fades."""
    u, v = uv[:, 0], uv[:, 1]
    fine = value_noise(u * 23.0, v * 23.0) - 0.5
    middling = value_noise(u * 3.1 + 7, v * 3.1) - 0.5
    coarse = value_noise(u * 0.35, v * 0.35 + 3) - 0.5
    sharp = 1 / (1 + (footprint_m * 23.0) ** 2)
    soft = 1 / (1 + (footprint_m * 3.1) ** 2)
    grain, patch = table("grain")[material], table("patch")[material]
    tone = 1 + 2.2 * grain * (fine * sharp + 0.8 * middling * soft) + 2.4 * patch * coarse
    out = colour * tone[:, None]
    for code, pattern in (
        (Material.BRICK, _bricks),
        (Material.PAVEMENT, _slabs),
        (Material.ASPHALT, _worn),
        (Material.ROOF, _tiles),
    ):
        at = np.flatnonzero(material == code)
        if len(at):
            clear = 1 / (1 + (footprint_m[at] * 14.0) ** 2)
            out[at] *= pattern(u[at], v[at], clear)[:, None]
    return out


def _joints(u: Float32, v: Float32, width: float, height: float, gap: float) -> tuple[NDArray[np.bool_], Float32]:
    """Where joints of a running bond lie, and a random tone of each stone."""
    row = np.floor(v / height)
    shifted = u / width + 0.5 * (row % 2)
    column = np.floor(shifted)
    joint = (shifted - column < gap / width) | (v / height - row < gap / height)
    tone = _NOISE[column.astype(np.int64) & (_SIDE - 1), row.astype(np.int64) & (_SIDE - 1)]
    return joint, tone


def _bricks(u: Float32, v: Float32, soft: Float32) -> Float32:
    joint, tone = _joints(u, v, 0.24, 0.075, 0.012)
    out: Float32 = 1 + soft * (np.where(joint, 0.45, (tone - 0.5) * 0.5)).astype(np.float32)
    return out


def _slabs(u: Float32, v: Float32, soft: Float32) -> Float32:
    joint, tone = _joints(u, v, 0.6, 0.4, 0.015)
    out: Float32 = 1 + soft * np.where(joint, -0.4, (tone - 0.5) * 0.16).astype(np.float32)
    return out


def _tiles(u: Float32, v: Float32, soft: Float32) -> Float32:
    joint, tone = _joints(u, v, 0.25, 0.32, 0.03)
    out: Float32 = 1 + soft * np.where(joint, -0.5, (tone - 0.5) * 0.4).astype(np.float32)
    return out


def _worn(u: Float32, v: Float32, soft: Float32) -> Float32:
    """Repaired patches, cracks, oil between the wheels, manholes."""
    cell = _NOISE[np.floor(u / 11).astype(np.int64) & (_SIDE - 1), np.floor(v / 2.3).astype(np.int64) & (_SIDE - 1)]
    tone = np.where(cell > 0.88, 0.72, np.where(cell < 0.08, 1.22, 1.0)).astype(np.float32)
    crack = np.abs(value_noise(u * 0.5 + 0.7 * value_noise(u * 2, v * 2), v * 0.5) - 0.5) < 0.006
    tone -= 0.35 * crack * soft
    x, y = u % 23.0 - 11.5, np.abs(v) % 5.1 - 2.5
    tone = np.where(x * x + y * y < 0.09, 0.6, tone)
    out: Float32 = tone
    return out
