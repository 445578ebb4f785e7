"""Blocks of points that may reach into a grid."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.accumulation.surfels import Surfels
from densegt.kernels.carve_beams import ALL_SLABS, CarveRule, Lidars, Passes
from densegt.kernels.frustum import BLOCK_ROWS, block_bounds
from densegt.occupancy.beams import MetSurfels
from densegt.occupancy.hits import part_of_grid
from densegt.occupancy.nearby import blocks_nearby, rows_of_blocks

SHAPE = (20, 20, 4)


def surfels(xyz: np.ndarray, sweep: np.ndarray) -> Surfels:
    n = len(xyz)
    tangents = np.tile(np.float32([[0, 1, 0], [0, 0, 1]]), (n, 1, 1))
    return Surfels(xyz.astype(np.float32), tangents, np.zeros((n, 4), np.float32), np.zeros(n, np.float32), sweep)


def drive(n: int) -> tuple[MetSurfels, np.ndarray]:
    """Walls to the left and the right of a lidar that goes a hundred metres, and a turned grid about its middle."""
    rng = np.random.default_rng(n)
    sweep = np.sort(rng.integers(0, 50, n)).astype(np.int32)
    origin = np.stack([np.arange(50) * 2.0, np.zeros(50), np.ones(50)], axis=1).astype(np.float32)
    xyz = origin[sweep] + rng.uniform(-1, 1, (n, 3)) * (12, 8, 1)
    of = surfels(xyz, sweep)
    bounds = np.empty((-(-n // BLOCK_ROWS), 2, 3), np.float32)
    block_bounds(of.xyz, bounds)
    T, angle = np.eye(4), 0.5
    T[:2, :2] = 2 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    T[2, 2] = 2
    T[:3, 3] = (10, 10, 0) - T[:3, :3] @ (50, 0, 0)
    return MetSurfels(of, bounds, Lidars(origin, np.zeros_like(origin), np.zeros(50))), T


@pytest.mark.parametrize("n", [0, 1, BLOCK_ROWS, 5000])
def test_no_point_is_lost_with_its_block(n: int) -> None:
    met, T = drive(n)
    near = blocks_nearby(met.bounds, T, SHAPE, margin_m=0.0)
    rows = rows_of_blocks(near, BLOCK_ROWS, n)
    at = met.surfels.xyz @ T[:3, :3].T + T[:3, 3]
    inside = np.flatnonzero(((at >= 0) & (at < SHAPE)).all(axis=1))
    assert np.isin(inside, rows).all()
    assert len(rows) == 0 or rows.max() < n
    assert n < 5000 or 0 < near.sum() < 0.8 * len(near)


@pytest.mark.parametrize("n", [0, 1, 5000])
def test_no_beam_is_lost_with_its_block(n: int) -> None:
    met, T = drive(n)
    got, wanted = (Passes(np.zeros(SHAPE, np.uint16), np.zeros(SHAPE, np.uint16)) for _ in range(2))
    rule = CarveRule(0.0, 0.0, 0.1, 0.0, 0.0)
    met.carve(np.arange(50) % 2 == 0, T, rule, got)
    half = np.flatnonzero(met.surfels.sweep % 2 == 0)
    whole = MetSurfels(
        met.surfels.take(half), np.tile(np.float32([[-1e3], [1e3]]), (-(-len(half) // BLOCK_ROWS), 1, 3)), met.lidars
    )
    whole.carve(np.ones(50, np.bool_), T, rule, wanted)
    np.testing.assert_array_equal(got.beams, wanted.beams)
    np.testing.assert_array_equal(got.slabs, wanted.slabs)
    assert n < 5000 or (got.slabs == ALL_SLABS).any()


def test_the_part_of_a_grid_that_surfels_reach() -> None:
    T, sweep = np.diag([2.0, 2, 2, 1]), np.zeros(2, np.int32)
    x, y, z = part_of_grid(surfels(np.array([[3.0, 2, 0], [4, 3, 1]]), sweep), T, SHAPE)
    assert (x.start, x.stop, y.start, y.stop, z.start, z.stop) == (3, 11, 1, 9, 0, 4)
    for outside in (np.array([[90.0, 2, 0]]), np.zeros((0, 3)), np.array([[-90.0, 2, 0]])):
        assert any(part.start == part.stop for part in part_of_grid(surfels(outside, sweep[: len(outside)]), T, SHAPE))
