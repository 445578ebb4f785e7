"""Voxels: beams through them, surfels and triangles in them, rays up to a blocked one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from densegt.kernels.carve_beams import Beams, CarveRule, Lidars, Passes, carve_beams
from densegt.kernels.march_rays import march_rays
from densegt.kernels.splat_voxels import Patches, splat_voxels
from densegt.kernels.voxelise_triangles import VoxelSurface, voxelise_triangles

from ..twins import twin_of

SHAPE = (7, 5, 4)
RULE = CarveRule(0.25, 3.0, 0.1, 0.002, 0.0)


class Met(NamedTuple):
    """Beams (N), each of a sweep of its own."""

    beams: Beams
    lidars: Lidars


def met(start: np.ndarray, end: np.ndarray, normal: np.ndarray) -> Met:
    """Beams from places (N,3) to others, that met surfaces of these normals (N,3)."""
    n, rng = len(start), np.random.default_rng(5)
    first = np.cross(normal, rng.normal(size=(n, 3)))
    tangents = np.stack([first, np.cross(normal, first)], axis=1)
    tangents /= np.linalg.norm(tangents, axis=2, keepdims=True)
    xyz, origin, directions = (np.float32(part) for part in (end, start, tangents))
    return Met(
        Beams(xyz, directions, np.zeros(n, np.float32), np.arange(n, dtype=np.int32)),
        Lidars(origin, np.zeros((n, 3), np.float32), np.zeros(n)),
    )


def random_beams(seed: int, n: int) -> Met:
    rng = np.random.default_rng(seed)
    start, end, normal = rng.uniform(-3, 9, (n, 3)), rng.uniform(-3, 9, (n, 3)), rng.normal(size=(n, 3))
    beams, lidars = met(start, end, normal)
    lidars.velocity[:], beams.time_s[:] = rng.normal(size=(n, 3)), rng.uniform(-0.5, 0.5, n)
    return Met(beams, lidars._replace(stamp_s=rng.uniform(-0.5, 0.5, n)))


def carved(kernel, of: Met, rule: CarveRule = RULE, T: np.ndarray | None = None) -> Passes:
    passes = Passes(np.zeros(SHAPE, np.uint16), np.zeros(SHAPE, np.uint16))
    kernel(of.beams, np.arange(len(of.beams.xyz)), of.lidars, np.eye(4) if T is None else T, rule, passes)
    return passes


def along_x(*rows: tuple[float, float, float, float], normal: tuple[float, float, float] = (1, 0, 0)) -> Met:
    """Beams at (y, z) from one x to another."""
    start, end = (np.array([[row[k], *row[2:]] for row in rows]) for k in range(2))
    return met(start, end, np.tile(np.float64(normal), (len(rows), 1)))


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 1), (2, 300)])
@pytest.mark.parametrize("thinned", [0.0, 6.0])
def test_carving_equals_twin(seed: int, n: int, thinned: float) -> None:
    of, T = random_beams(seed, n), np.eye(4)
    T[:3, :3], T[:3, 3] = 0.8 * np.linalg.qr(np.random.default_rng(9).normal(size=(3, 3)))[0], (1.0, 2.0, 0.5)
    rule = RULE._replace(thinned=thinned)
    got, wanted = carved(carve_beams, of, rule, T), carved(twin_of(carve_beams), of, rule, T)
    np.testing.assert_array_equal(got.beams, wanted.beams)
    np.testing.assert_array_equal(got.slabs, wanted.slabs)
    assert got.beams.any() or n < 2


def test_near_the_lidar_fewer_beams_are_followed() -> None:
    many = along_x(*[(0.0, 9.0, 2.5, 1.5)] * 1000)
    passed = carved(carve_beams, many, RULE._replace(thinned=5.0)).beams[:, 2, 1]
    # The share of those followed grows with the way, up to all.
    np.testing.assert_allclose(passed[:5] / 1000, np.clip((np.arange(5) + 0.75) / 5, 0, 1), atol=0.02)
    assert passed[5:].tolist() == [1000, 1000]


def test_beams_that_are_none_and_beams_on_borders() -> None:
    of = met(np.full((6, 3), -1.0), np.full((6, 3), 9.0), np.tile([1.0, 0, 0], (6, 1)))
    start, end = of.lidars.origin, of.beams.xyz
    start[0], end[1] = np.nan, np.inf
    end[2] = start[2]
    start[3], end[3] = (0, 0, 0), (9, 0, 0)  # along an edge of the grid
    start[4], end[4] = (0.5, -1, 0.5), (0.5, -3, 0.5)  # away from it
    start[5], end[5] = (-2, 1, 0.5), (9, 1, 0.5)  # on a border between voxels
    passes = carved(carve_beams, of)
    assert passes.beams[:, 0, 0].sum() == 7
    assert passes.beams[:, 1, 0].sum() == 7
    assert passes.beams.sum() == 14


def test_a_surface_without_a_normal_keeps_beams_off_its_reach() -> None:
    of = along_x((0.0, 5.5, 2.5, 1.5))
    of.beams.tangents[:, 1] = of.beams.tangents[:, 0]
    assert carved(carve_beams, of).beams[:, 2, 1].tolist() == [1, 1, 0, 0, 0, 0, 0]


def test_a_beam_stops_short_of_the_surface_it_met() -> None:
    # A wall across the way at x = 5.5: its own voxel is not passed, the one before is.
    assert carved(carve_beams, along_x((0.0, 5.5, 2.5, 1.5))).beams[:, 2, 1].tolist() == [1, 1, 1, 1, 1, 0, 0]
    # 0.05 beyond the border the wall may be noise of the voxel before.
    assert carved(carve_beams, along_x((0.0, 5.05, 2.5, 1.5))).beams[:, 2, 1].tolist() == [1, 1, 1, 1, 0, 0, 0]
    # A floor along which the beam skims is taken to go on for three voxels.
    floor = carved(carve_beams, along_x((0.0, 5.5, 2.5, 1.5), normal=(0, 0, 1)))
    assert floor.beams[:, 2, 1].tolist() == [1, 1, 0, 0, 0, 0, 0]


def test_slabs_tell_where_beams_passed() -> None:
    passes = carved(carve_beams, along_x((-1, 8, 2.1, 1.1), (-1, 8, 2.6, 1.9)))
    assert passes.beams[3, 2, 1] == 2
    assert f"{passes.slabs[3, 2, 1]:012b}" == "100101011111"  # z: first and last; y: first and third; x: all
    wide = carved(carve_beams, along_x((-1, 8, 2.24, 1.1)), RULE._replace(spread=0.01))
    assert f"{wide.slabs[3, 2, 1]:012b}" == "000100111111"


def test_counts_end_at_their_greatest() -> None:
    passes = Passes(np.full(SHAPE, 65534, np.uint16), np.zeros(SHAPE, np.uint16))
    of = along_x(*[(-1, 8, 2.5, 1.5)] * 3)
    carve_beams(of.beams, np.arange(3), of.lidars, np.eye(4), RULE, passes)
    assert (passes.beams[:, 2, 1] == 65535).all()


def random_patches(seed: int, n: int) -> Patches:
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(n, 3, 3)))[0][:, :2]
    half = rng.uniform(0, 1.5, (n, 4))
    half[::5] = 0
    return Patches(*(part.astype(np.float32) for part in (rng.uniform(-1, 4, (n, 3)), basis, half)))


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 1), (2, 250)])
def test_splatting_equals_twin(seed: int, n: int) -> None:
    patches, T = random_patches(seed, n), np.eye(4)
    T[:3, :3], T[:3, 3] = 2.0 * np.linalg.qr(np.random.default_rng(9).normal(size=(3, 3)))[0], (1.0, 2.0, 0.5)
    if n > 2:
        patches.xyz[0] = np.nan
    rows = np.arange(n)[: n - n // 4].astype(np.int64)
    got, wanted = np.zeros(SHAPE, np.uint16), np.zeros(SHAPE, np.uint16)
    splat_voxels(patches, rows, T, 0.5, got)
    twin_of(splat_voxels)(patches, rows, T, 0.5, wanted)
    # A place within rounding of a border may lie on either side of it.
    assert np.abs(got.astype(int) - wanted).sum() <= 1
    assert got.any() or n < 2


def test_a_patch_counts_once_in_each_of_its_voxels() -> None:
    tangents = np.float32([[[1, 0, 0], [0, 1, 0]]])
    patch = Patches(np.float32([[3.5, 2.5, 1.5]]), tangents, np.float32([[1, 1, 0, 0]]))
    hits = np.zeros(SHAPE, np.uint16)
    for _ in range(2):
        splat_voxels(patch, np.zeros(1, np.int64), np.eye(4), 0.5, hits)
    assert hits[:, 2, 1].tolist() == [0, 0, 2, 2, 2, 0, 0]
    assert hits.sum() == 6


@pytest.mark.parametrize("seed", range(3))
def test_marching_equals_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(200, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    start, reach = rng.uniform(-2, 8, 3), rng.uniform(0, 12, 200)
    blocked = rng.random(SHAPE) < 0.2
    (seen, met), (seen_twin, met_twin) = ((np.zeros(SHAPE, np.uint8), np.empty(200)) for _ in range(2))
    march_rays(start, directions, reach, blocked, seen, met)
    twin_of(march_rays)(start, directions, reach, blocked, seen_twin, met_twin)
    np.testing.assert_array_equal(seen, seen_twin)
    np.testing.assert_allclose(met, met_twin, atol=1e-9)
    assert seen.any()


def test_a_ray_ends_in_the_first_blocked_voxel() -> None:
    blocked = np.zeros(SHAPE, np.bool_)
    blocked[4, 2, 1] = blocked[6, 2, 1] = True
    seen, met = np.zeros(SHAPE, np.uint8), np.empty(3)
    directions = np.array([[1.0, 0, 0], [-1.0, 0, 0], [np.nan, 0, 0]])
    march_rays(np.array([-1.0, 2.5, 1.5]), directions, np.full(3, 99.0), blocked, seen, met)
    assert met.tolist() == [5.0, np.inf, np.inf]
    assert seen[:, 2, 1].tolist() == [1, 1, 1, 1, 1, 0, 0]


def surface() -> VoxelSurface:
    return VoxelSurface(np.zeros(SHAPE, np.float32), np.full(SHAPE, -1, np.int32), np.zeros(SHAPE, np.float32))


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 1), (2, 40)])
def test_triangles_equal_twin(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-1, 6, (n, 1, 3)) + rng.normal(size=(n, 3, 3))
    owner = (np.arange(n) % 3).astype(np.int32)
    got, wanted = surface(), surface()
    voxelise_triangles(corners, owner, 0.1, got)
    twin_of(voxelise_triangles)(corners, owner, 0.1, wanted)
    np.testing.assert_allclose(got.area, wanted.area, atol=0.03)
    clear = wanted.lead > 0.05
    np.testing.assert_array_equal(got.owner[clear], wanted.owner[clear])
    assert clear.any() or n < 2


def test_the_area_of_a_floor() -> None:
    floor = np.array([[[0, 0, 1.2], [7, 0, 1.2], [7, 5, 1.2]], [[0, 0, 1.2], [7, 5, 1.2], [0, 5, 1.2]]], np.float64)
    got = surface()
    voxelise_triangles(floor, np.array([4, 4], np.int32), 0.05, got)
    np.testing.assert_allclose(got.area[:, :, 1], 1.0, atol=0.06)
    assert got.area.sum() == pytest.approx(35, abs=0.01)
    assert (got.owner[:, :, 1] == 4).all()
    assert not got.area[:, :, [0, 2, 3]].any()
