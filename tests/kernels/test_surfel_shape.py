"""Surfels of a scanned plane, corner, pole, outline: where the answer is known exactly, and against the twin."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.accumulation.config import SurfelConfig
from densegt.accumulation.surfels import shape_surfels
from densegt.kernels.ring_neighbours import ring_neighbours
from densegt.kernels.surfel_shape import goes_on, linked, reach_along, surfel_shape

from ..twins import twin_of

CONFIG = SurfelConfig()
DIM = np.full(100_000, 10.0, dtype=np.float32)
SETTINGS = (CONFIG.max_slope, CONFIG.max_half_m, CONFIG.baseline_m, CONFIG.min_cosine)
STEP = np.deg2rad(0.33)
RING_GAP = np.deg2rad(1.33)
LIDAR_HEIGHT_M = 1.84
LEFT, RIGHT, UP, DOWN = range(4)


# --- a lidar that stands at the origin and scans given ranges ---


def scan(range_of, azimuth: np.ndarray, elevation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (R*C,3) and rings of a grid of beams; `range_of(directions)` gives ranges, infinity for no return."""
    e, a = np.meshgrid(elevation, azimuth, indexing="ij")
    d = np.stack([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)], axis=-1).reshape(-1, 3)
    ranges = range_of(d)
    ring = np.repeat(np.arange(len(elevation)), len(azimuth)).astype(np.uint8)
    met = np.isfinite(ranges)
    return (d[met] * ranges[met, None]).astype(np.float32), ring[met]


def plane(normal: list[float], offset: float):
    """Ranges to the plane n.x = offset."""
    n = np.array(normal, float)

    def range_of(d: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            t = offset / (d @ n)
        return np.where(t > 0, t, np.inf)

    return range_of


def nearest_of(*surfaces):
    return lambda d: np.min([s(d) for s in surfaces], axis=0)


def facing_wall(x: float):
    return plane([1, 0, 0], x)


GROUND = plane([0, 0, 1], -LIDAR_HEIGHT_M)
AZIMUTH = np.arange(-40, 41) * STEP
RINGS = np.deg2rad(-30.67) + np.arange(32) * RING_GAP  # of an HDL-32E


def ends_of(xyz: np.ndarray, tangents: np.ndarray, half_m: np.ndarray) -> np.ndarray:
    """Middle and the four corners (N,5,3) of each surfel: where a surfel leaves its surface farthest."""
    a = tangents[:, :1] * np.stack([half_m[:, LEFT], -half_m[:, RIGHT]], axis=1)[:, :, None]
    e = tangents[:, 1:] * np.stack([half_m[:, UP], -half_m[:, DOWN]], axis=1)[:, :, None]
    corners = [xyz + a[:, i] + e[:, j] for i in range(2) for j in range(2)]
    return np.stack([xyz, *corners], axis=1).astype(np.float64)


def drawn(half_m: np.ndarray) -> np.ndarray:
    """Which surfels have an area; the others are never drawn."""
    return (half_m[:, :2].sum(axis=1) > 0) & (half_m[:, 2:].sum(axis=1) > 0)


# --- links ---


@pytest.mark.parametrize(
    ("range_a", "range_b", "answer"),
    [
        (10.0, 10.0, True),
        (10.0, 10.299, True),  # 0.1 + 2 x 0.01 x 10 = 0.3
        (10.0, 10.301, False),
        (10.301, 10.0, False),
        (0.0, 0.099, True),
        (np.nan, 10.0, False),
        (10.0, np.nan, False),
        (np.inf, np.inf, False),
    ],
)
def test_linked(range_a: float, range_b: float, answer: bool) -> None:
    assert linked(range_a, range_b, 0.01, 2.0) == answer


def line(ranges: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns side by side, 0.1 m apart at 10 m, each with its left neighbour at the next row."""
    range_m = np.array(ranges, np.float32)
    xyz = np.stack([range_m, 0.1 * np.arange(len(ranges)), np.zeros(len(ranges))], axis=1).astype(np.float32)
    neighbours = np.full((len(ranges), 4), -1, np.int32)
    neighbours[:-1, LEFT] = np.arange(1, len(ranges))
    return xyz, range_m, neighbours


@pytest.mark.parametrize(
    ("ranges", "baseline_m", "last"),
    [
        ([10.0] * 6, 0.25, 3),  # three steps of 0.1 m are the first to reach 0.25 m
        ([10.0] * 6, 0.05, 1),
        ([10.0] * 3, 0.25, 2),  # the surface ends first
        ([10.0] * 20, 9.0, 12),  # at most twelve hops
        ([10.0, 10.0, 14.0, 14.0], 0.25, 1),  # not over a jump
        ([10.0, 14.0], 0.25, -1),
        ([10.0], 0.25, -1),
        ([10.0, 10.25, 10.5, 10.75], 0.9, 3),  # each linked to the last, though the last is far from the first
        ([10.0, 10.0, np.nan, 10.0], 0.25, 1),
    ],
)
def test_reach_along(ranges: list[float], baseline_m: float, last: int) -> None:
    xyz, range_m, neighbours = line(ranges)
    for follow in (reach_along, twin_of(reach_along)):
        assert follow(0, LEFT, xyz, range_m, neighbours, 0.01, 2.0, baseline_m) == last
        assert follow(0, RIGHT, xyz, range_m, neighbours, 0.01, 2.0, baseline_m) == -1


@pytest.mark.parametrize(
    ("ranges", "straight"),
    [
        ([10.0] * 8, True),
        ([10.0, 10.0, 10.0, 10.05, 10.3, 10.6, 10.9], False),  # it bends
        ([10.0] * 4, False),  # it ends
        ([10.0, 10.0, 14.0, 14.0], False),
        ([10.0, 11.0, 12.0], True),  # not linked, seen very flat
    ],
)
def test_goes_on_equals_twin(ranges: list[float], straight: bool) -> None:
    xyz, range_m, neighbours = line(ranges)
    links = (xyz, range_m, neighbours, 0.01, 2.0, 0.25)
    end = reach_along(0, LEFT, *links)
    cosine = goes_on(0, end, LEFT, *links, 0.97)
    assert cosine == pytest.approx(twin_of(goes_on)(0, end, LEFT, *links, 0.97), abs=1e-5)
    assert (cosine > 0) == straight


# --- against the twin ---


def neighbours_of(azimuth: np.ndarray, elevation: np.ndarray, kept: np.ndarray) -> np.ndarray:
    per_ring = kept.reshape(len(elevation), len(azimuth))
    start = np.concatenate([[0], np.cumsum(per_ring.sum(axis=1))]).astype(np.int64)
    out = np.empty((int(kept.sum()), 4), np.int32)
    ring_neighbours(start, np.tile(azimuth, len(elevation))[kept].astype(np.float32), 2.5 * STEP, out)
    return out


@pytest.mark.parametrize("seed", range(4))
def test_equals_twin_on_a_street_of_boxes_with_holes(seed: int) -> None:
    """Ground, walls and many boxes at random, range noise, one return in ten missing, some that are NaN."""
    rng = np.random.default_rng(seed)
    boxes = [(rng.uniform(-0.25, 0.25), rng.uniform(0.003, 0.1), rng.uniform(4, 30)) for _ in range(12)]

    def range_of(d: np.ndarray) -> np.ndarray:
        ranges = np.minimum(GROUND(d), plane([1, rng.uniform(-1, 1), 0], 25)(d))
        azimuth = np.arctan2(d[:, 1], d[:, 0])
        for middle, width, distance in boxes:
            ranges = np.where((np.abs(azimuth - middle) < width) & (ranges > distance), distance, ranges)
        ranges = ranges + rng.normal(0, 0.02, len(d))
        return np.where(ranges < 100, ranges, np.inf)

    e, a = RINGS[::2], AZIMUTH
    directions = np.stack(
        [
            np.outer(np.cos(e), np.cos(a)).ravel(),
            np.outer(np.cos(e), np.sin(a)).ravel(),
            np.repeat(np.sin(e), len(a)),
        ],
        axis=1,
    )
    ranges = range_of(directions)
    kept = np.isfinite(ranges) & (rng.random(len(ranges)) < 0.9)
    xyz = (directions[kept] * ranges[kept, None]).astype(np.float32)
    neighbours = neighbours_of(a, e, kept)
    xyz[rng.integers(0, len(xyz), 5)] = np.nan
    ok = np.isfinite(xyz).all(axis=1)
    # A return that is NaN is linked to none; for the twin it is not there at all.
    without = np.where((neighbours >= 0) & ok[neighbours], neighbours, -1)
    step_rad = np.array([STEP, STEP, 2 * RING_GAP, 2 * RING_GAP], np.float32)
    got = shape(surfel_shape, xyz, neighbours, step_rad)
    wanted = shape(twin_of(surfel_shape), np.nan_to_num(xyz, nan=1.0), without, step_rad)
    np.testing.assert_allclose(got[0][ok], wanted[0][ok], atol=2e-5)
    np.testing.assert_allclose(got[1][ok], wanted[1][ok], atol=2e-5)
    np.testing.assert_array_equal(got[2][ok], wanted[2][ok])
    assert not got[1][~ok].any()
    assert not got[2][~ok].any()
    assert 0.5 < drawn(got[1]).mean() < 0.99


def shape(kernel, xyz: np.ndarray, neighbours: np.ndarray, step_rad: np.ndarray):
    n = len(xyz)
    tangents, half_m = np.full((n, 2, 3), 7, np.float32), np.full((n, 4), 7, np.float32)
    mixed = np.ones(n, bool)
    kernel(xyz, neighbours, step_rad, *SETTINGS, tangents, half_m, mixed)
    return tangents, half_m, mixed


@pytest.mark.parametrize("n", [0, 1, 2])
def test_with_hardly_any_returns_there_is_no_surface(n: int) -> None:
    xyz = np.array([[5, 1, 0], [30, 9, 1]], np.float32)[:n]
    step_rad = np.full(4, 0.01, np.float32)
    tangents, half_m, mixed = shape(surfel_shape, xyz, np.full((n, 4), -1, np.int32), step_rad)
    assert not half_m.any()
    assert not mixed.any()
    # Tangents that face the lidar: to the left, and up.
    np.testing.assert_allclose(np.linalg.norm(tangents, axis=2), np.ones((n, 2)), atol=1e-6)
    np.testing.assert_allclose(np.einsum("nti,ni->nt", tangents, xyz), np.zeros((n, 2)), atol=1e-5)
    if n:
        assert tangents[0, 0, 1] > 0.9
        assert tangents[0, 1, 2] > 0.9


def test_two_returns_at_one_place_make_no_surface() -> None:
    xyz = np.array([[9, 0, 0], [9, 0, 0]], np.float32)
    neighbours = np.array([[1, -1, -1, -1], [-1, 0, -1, -1]], np.int32)
    _, half_m, mixed = shape(surfel_shape, xyz, neighbours, np.full(4, 0.01, np.float32))
    assert not half_m.any()
    assert not mixed.any()


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
