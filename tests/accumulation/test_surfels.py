"""Surfels of a scanned plane, corner, pole, outline: where the answer is known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.accumulation.surfels import shape_surfels

from ..scans import (
    AZIMUTH,
    CONFIG,
    DOWN,
    GROUND,
    LEFT,
    LIDAR_HEIGHT_M,
    RIGHT,
    RING_GAP,
    RINGS,
    STEP,
    UP,
    drawn,
    ends_of,
    facing_wall,
    nearest_of,
    plane,
    scan,
)

# Intensities, none of a retroreflector.
DIM = np.full(100_000, 10.0, dtype=np.float32)


# --- planes ---


@pytest.mark.parametrize("x", [4.0, 10.0, 17.0])
def test_facing_wall_has_exact_normals_and_reaches(x: float) -> None:
    elevation = np.arange(-4, 5) * RING_GAP
    xyz, ring = scan(facing_wall(x), AZIMUTH, elevation)
    tangents, half_m, mixed, _ = shape_surfels(xyz, ring, DIM[: len(xyz)], CONFIG)
    assert not mixed.any()
    # Both tangents lie in the wall, so the normal is the wall's.
    np.testing.assert_allclose(tangents[:, :, 0], 0, atol=1e-4)
    normal = np.cross(tangents[:, 0], tangents[:, 1])
    np.testing.assert_allclose(
        normal / np.linalg.norm(normal, axis=1)[:, None], np.tile([1, 0, 0], (len(xyz), 1)), atol=1e-3
    )
    # 0.55 of the way to each neighbour, none where the scan ends; a scan is a grid in azimuth and elevation.
    grid = xyz.reshape(len(elevation), len(AZIMUTH), 3).astype(float)
    wanted = np.zeros((*grid.shape[:2], 4))
    sideways = 0.55 * np.linalg.norm(np.diff(grid, axis=1), axis=2)
    upwards = 0.55 * np.linalg.norm(np.diff(grid, axis=0), axis=2)
    wanted[:, :-1, LEFT] = wanted[:, 1:, RIGHT] = sideways
    wanted[:-1, :, UP] = wanted[1:, :, DOWN] = upwards
    np.testing.assert_allclose(half_m, np.minimum(wanted, CONFIG.max_half_m).reshape(-1, 4), atol=1e-4)


def test_slanted_wall_has_exact_normals_up_to_where_it_is_seen_too_flat() -> None:
    """At 60 degrees from facing, a step of the beam changes the range by 1.7 times the gap, below max_slope 2."""
    normal = np.array([0.5, np.sqrt(0.75), 0])
    xyz, ring = scan(plane(normal.tolist(), 5.0), AZIMUTH[40:], np.arange(-4, 5) * RING_GAP)
    tangents, half_m, _, _ = shape_surfels(xyz, ring, DIM[: len(xyz)], CONFIG)
    assert drawn(half_m).all()
    np.testing.assert_allclose(tangents @ normal, 0, atol=2e-4)


def test_ground_is_flat_up_to_where_its_rings_end() -> None:
    below = RINGS[:21]
    xyz, ring = scan(GROUND, AZIMUTH, below)
    tangents, half_m, mixed, _ = shape_surfels(xyz, ring, DIM[: len(xyz)], CONFIG)
    assert not mixed.any()
    # Rings of far ground lie metres apart and are not linked, yet surfels lie flat and reach both ways.
    assert np.linalg.norm(xyz, axis=1).max() > 25
    inner = (ring > 0) & (ring < len(below) - 1)
    np.testing.assert_allclose(tangents[inner][:, :, 2], 0, atol=1e-5)
    assert (half_m[inner][:, [UP, DOWN]] > 0).all()
    along = np.abs(np.arctan2(xyz[:, 1], xyz[:, 0])) < AZIMUTH[-2]
    assert (half_m[along][:, [LEFT, RIGHT]] > 0).all()
    assert half_m.max() <= np.float32(CONFIG.max_half_m)


# --- corners, outlines, poles ---


@pytest.mark.parametrize("x", [6.0, 8.3, 10.0, 12.7, 16.0])
def test_no_patch_cuts_the_corner_of_wall_and_ground(x: float) -> None:
    """Every corner of every surfel lies on the wall or on the ground, which form a right angle.

    The lone ring of ground before the wall is taken for straight with the wall's lowest while the bend is below
    acos(0.97) = 14 degrees; half of it turns the surfel, which reaches 0.4 m: 5 cm at most.
    """
    xyz, ring = scan(nearest_of(facing_wall(x), GROUND), AZIMUTH, RINGS[:29])
    tangents, half_m, mixed, _ = shape_surfels(xyz, ring, DIM[: len(xyz)], CONFIG)
    assert not mixed.any()
    visible = drawn(half_m)
    assert visible.mean() > 0.95
    corners = ends_of(xyz, tangents, half_m)[visible]
    off_wall, off_ground = np.abs(corners[..., 0] - x), np.abs(corners[..., 2] + LIDAR_HEIGHT_M)
    assert np.minimum(off_wall, off_ground).max() < 0.05
    # And none goes through the wall or into the ground.
    assert corners[..., 0].max() < x + 0.05
    assert corners[..., 2].min() > -LIDAR_HEIGHT_M - 0.05


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_no_patch_cuts_the_corner_of_two_walls(side: float) -> None:
    """Walls at 45 degrees to the beams, an inner and an outer corner: a bend of 90 degrees is kept sharp."""
    r = np.sqrt(0.5)
    walls = [plane([r, r * y, 0], 8.0 * r) for y in (1, -1)]
    pick = np.min if side > 0 else np.max
    xyz, ring = scan(lambda d: pick([w(d) for w in walls], axis=0), AZIMUTH, np.arange(-4, 5) * RING_GAP)
    tangents, half_m, mixed, _ = shape_surfels(xyz, ring, DIM[: len(xyz)], CONFIG)
    assert drawn(half_m).mean() > 0.95
    assert not mixed.any()
    corners = ends_of(xyz, tangents, half_m)[drawn(half_m)]
    # The beam that meets the edge itself may lie on either wall; all else lies on its own.
    off = np.abs((corners[..., 0] + side * np.abs(corners[..., 1])) * r - 8.0 * r)
    assert off.max() < 0.01


def plate(x: float, azimuth_lo: float, azimuth_hi: float):
    """A facing plate between two azimuths."""

    def range_of(d: np.ndarray) -> np.ndarray:
        azimuth = np.arctan2(d[:, 1], d[:, 0])
        return np.where((azimuth >= azimuth_lo) & (azimuth <= azimuth_hi), facing_wall(x)(d), np.inf)

    return range_of


def test_patches_end_at_an_outline_on_both_surfaces() -> None:
    """A plate before a wall: its surfels end where its measured points end, the wall's beside its shadow."""
    edge = 10.5 * STEP
    xyz, ring = scan(nearest_of(plate(7.0, -edge, edge), facing_wall(20.0)), AZIMUTH, np.arange(-4, 5) * RING_GAP)
    tangents, half_m, mixed, _ = shape_surfels(xyz, ring, DIM[: len(xyz)], CONFIG)
    assert not mixed.any()
    corners = ends_of(xyz, tangents, half_m)
    on_plate = xyz[:, 0] < 10
    np.testing.assert_allclose(corners[on_plate][..., 0], 7.0, atol=1e-3)
    np.testing.assert_allclose(corners[~on_plate][..., 0], 20.0, atol=1e-3)
    # Beams 10 are the last on the plate and 11 the first beside it.
    assert np.abs(corners[on_plate][..., 1]).max() <= 7.0 * np.tan(10 * STEP) + 1e-4
    assert np.abs(corners[~on_plate][..., 1]).min() >= 20.0 * np.tan(11 * STEP) - 1e-4
    azimuth = np.arctan2(xyz[:, 1], xyz[:, 0])
    for beam, side in ((10, LEFT), (-10, RIGHT), (11, RIGHT), (-11, LEFT)):
        mine = np.abs(azimuth - beam * STEP) < STEP / 3
        assert mine.sum() == 9
        assert not half_m[mine, side].any()


def test_a_thin_pole_has_no_sideways_reach() -> None:
    """One beam of each ring meets it: it reaches up and down along itself, never sideways."""
    pole = plate(7.0, -0.4 * STEP, 0.4 * STEP)
    xyz, ring = scan(nearest_of(pole, facing_wall(25.0)), AZIMUTH, np.arange(-4, 5) * RING_GAP)
    tangents, half_m, mixed, _ = shape_surfels(xyz, ring, DIM[: len(xyz)], CONFIG)
    on_pole = xyz[:, 0] < 10
    assert on_pole.sum() == 9
    assert not half_m[on_pole][:, [LEFT, RIGHT]].any()
    assert (half_m[on_pole][1:-1][:, [UP, DOWN]] > 0).all()
    np.testing.assert_allclose(tangents[on_pole, 1], np.tile([0, 0, 1], (9, 1)), atol=1e-5)
    assert not mixed[on_pole].any()


def test_nothing_is_mixed_or_drawn_where_all_returns_are_lone() -> None:
    """Leaves: every return at a range of its own."""
    rng = np.random.default_rng(0)
    xyz, ring = scan(lambda d: rng.permutation(np.linspace(5, 90, len(d))), AZIMUTH[:20], np.arange(3) * RING_GAP)
    _, half_m, mixed, _ = shape_surfels(xyz, ring, DIM[: len(xyz)], CONFIG)
    assert drawn(half_m).mean() < 0.05
    assert 0.1 < mixed.mean() < 0.6  # a third of them lies between its two neighbours


# --- mixed pixels ---


def before_a_wall(between_m: np.ndarray, wall_m: float = 20.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Plate at 7 m to the right, wall to the left, and where they meet one beam of each ring that met both."""
    elevation = np.arange(len(between_m)) * RING_GAP

    def range_of(d: np.ndarray) -> np.ndarray:
        ranges = nearest_of(plate(7.0, -1, -0.5 * STEP), facing_wall(wall_m))(d)
        seam = np.abs(np.arctan2(d[:, 1], d[:, 0])) < STEP / 3
        ranges[seam] = between_m
        return ranges

    xyz, ring = scan(range_of, AZIMUTH, elevation)
    return xyz, ring, np.abs(np.arctan2(xyz[:, 1], xyz[:, 0])) < STEP / 3


@pytest.mark.parametrize(
    ("between_m", "flagged"), [(13.0, True), (8.0, True), (19.0, True), (7.25, False), (19.85, False), (3.0, False)]
)
def test_a_mixed_pixel_between_two_walls_is_flagged(between_m: float, flagged: bool) -> None:
    """More than 0.3 m from both, and of neither's surface; a point before both is a thing of its own."""
    xyz, ring, seam = before_a_wall(np.array([between_m]))
    _, half_m, mixed, _ = shape_surfels(xyz, ring, DIM[: len(xyz)], CONFIG)
    assert mixed[seam].tolist() == [flagged]
    assert not mixed[~seam].any()
    if flagged:
        assert not half_m[seam].any()


def test_mixed_pixels_of_one_outline_are_flagged_at_whatever_ranges_they_hang() -> None:
    """Each ring's beam meets the two surfaces in shares of its own."""
    between_m = np.array([13.0, 9.0, 17.0, 11.0, 8.0, 15.0, 18.0, 10.0, 14.0])
    xyz, ring, seam = before_a_wall(between_m)
    _, _, mixed, _ = shape_surfels(xyz, ring, DIM[: len(xyz)], CONFIG)
    assert mixed[seam].all()
    assert not mixed[~seam].any()
