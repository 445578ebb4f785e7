"""From sweeps to depth in a world whose answer is known in closed form."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.motion.free_space import find_transient
from densegt.accumulation.pipeline import accumulate_scene, build_cloud
from densegt.accumulation.render.renderer import render
from densegt.datasets.lidar_model import LidarModel
from densegt.datasets.scene import Camera, Points, Sweep
from densegt.depth.depth_map import DepthMap, Source
from tests.accumulation.worlds import BOX, ELEVATION, FOCAL, GROUND, MAP_ORIGIN, START_US, T_EGO_LIDAR, WALL, K, World

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

WORLD = World(seconds=1.0)
SAMPLES = range(3)
NOT_THERE = World(seconds=1.0, box_middle=np.array([-60.0, 0, 0.8]), labelled=False)


@cache
def depth(world: World = WORLD, **options) -> tuple[tuple[Camera, DepthMap], ...]:
    return tuple(accumulate_scene(world.scene(), AccumulateConfig(**options)))


def eroded(mask: np.ndarray, by_px: int) -> np.ndarray:
    """Pixels whose whole neighbourhood lies in the mask; beyond the image counts as in it."""
    padded = np.pad(mask, by_px, constant_values=True)
    n = range(2 * by_px + 1)
    H, W = mask.shape
    return np.all([padded[i : i + H, j : j + W] for i in n for j in n], axis=0)


def transient_of(cloud: Cloud, config: AccumulateConfig) -> np.ndarray:
    return find_transient(cloud.images, cloud.moments, cloud.static.xyz, cloud.static.sweep, config.free_space)


def height_m(camera: Camera, depth_m: np.ndarray) -> np.ndarray:
    """Height over the ground of what a pixel shows."""
    return 1.5 - (np.arange(depth_m.shape[0])[:, None] - K[1, 2]) / FOCAL * depth_m


def on_box(camera: Camera) -> np.ndarray:
    """Pixels that show nothing but the box, above its lowest 12 cm, which are given to nobody, and a pixel more."""
    _, far_m, kind = WORLD.within_pixels(camera)
    return (kind == BOX) & (height_m(camera, far_m) > 0.12 + far_m / FOCAL)


# --- every measured pixel is a measurement ---


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_measured_pixel_is_a_point_of_the_world_with_its_depth_age_and_source(sample: int) -> None:
    """Cast all beams again, carry the box's points along by hand, project; each shown pixel must be one of these."""
    camera, got = depth(surface=False)[sample]
    exposure_s = (camera.timestamp_us - START_US) * 1e-6
    T = camera.T_global_cam.copy()
    T[:3, 3] -= MAP_ORIGIN
    explained = np.zeros(got.depth_m.shape, bool)
    for index, stamp in enumerate(WORLD.stamps_us):
        points, time_s, kind = WORLD.sweep(stamp)
        xyz = points.xyz_lidar @ (WORLD.ego((stamp - START_US) * 1e-6) @ T_EGO_LIDAR)[:3, :3].T
        xyz = xyz + (WORLD.ego((stamp - START_US) * 1e-6) @ T_EGO_LIDAR)[:3, 3]
        xyz[kind == BOX] += np.outer(exposure_s - time_s[kind == BOX], WORLD.box_velocity)
        x, y, z = ((xyz - T[:3, 3]) @ T[:3, :3]).T
        source = np.where(kind == BOX, Source.MOVER, Source.OWN_SWEEP if index == 10 * sample else Source.STATIC)
        ahead = z > 0.3
        for nudge_px in (-2e-3, 2e-3):  # a point on the border of two pixels may count for either
            col = np.floor(FOCAL * x[ahead] / z[ahead] + K[0, 2] + 0.5 + nudge_px).astype(int)
            row = np.floor(FOCAL * y[ahead] / z[ahead] + K[1, 2] + 0.5 + nudge_px).astype(int)
            inside = (col >= 0) & (col < 160) & (row >= 0) & (row < 90)
            at = row[inside], col[inside]
            same = np.abs(got.depth_m[at] - z[ahead][inside]) < 0.003
            same &= np.abs(got.age_s[at] - (time_s[ahead][inside] - exposure_s)) < 5e-4
            same &= got.source[at] == source[ahead][inside]
            explained[at[0][same], at[1][same]] = True
    known = got.depth_m > 0
    assert known.mean() > 0.6
    np.testing.assert_array_equal(known, got.source > 0)
    assert (known & ~explained).sum() == 0
    assert set(np.unique(got.source)) == {Source.NONE, Source.OWN_SWEEP, Source.STATIC, Source.MOVER}


# --- depth ---


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_wall_is_exact_wherever_a_beam_could_measure_it(sample: int) -> None:
    """All of the wall but for one ring gap (3 px) next to ground and box: filled, and 1 cm at most from the truth."""
    camera, got = depth()[sample]
    truth_m, kind = WORLD.truth(camera)
    wall = eroded(kind == WALL, 3)
    # What the last keyframe's sweep or any before it had in its field, a ring gap from its upper rim.
    lidar_to_wall_m = WORLD.wall_x - 0.9
    top_m = 1.84 + lidar_to_wall_m * np.tan(ELEVATION[-2])
    seen = wall & (height_m(camera, truth_m) < top_m)
    assert seen.sum() > 3500
    assert (got.depth_m[seen] > 0).all()
    known = wall & (got.depth_m > 0)
    np.testing.assert_allclose(got.depth_m[known], truth_m[known], atol=0.01)


@pytest.mark.parametrize("sample", SAMPLES)
def test_ground_is_within_what_its_pixel_shows(sample: int) -> None:
    """A measured point lies anywhere in its pixel, so its depth lies between the pixel's least and greatest."""
    camera, got = depth()[sample]
    _, kind = WORLD.truth(camera)
    near_m, far_m, _ = WORLD.within_pixels(camera)
    ground = eroded(kind == GROUND, 3) & (far_m < 20)
    assert ground.sum() > 3000
    known = ground & (got.depth_m > 0)
    assert known.sum() > 0.97 * ground.sum()
    assert (got.depth_m[known] > near_m[known] - 0.02).all()
    assert (got.depth_m[known] < far_m[known] + 0.02).all()


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_box_is_where_it_was_at_exposure_and_nothing_shines_through(sample: int) -> None:
    """It drives at 6 m/s along the view: 20 ms between exposure and stamp are 12 cm, half a turn is 15."""
    camera, got = depth()[sample]
    near_m, far_m, _ = WORLD.within_pixels(camera)
    box = on_box(camera)
    assert box.sum() > 250
    assert (got.depth_m[box] > 0).mean() > 0.95
    known = box & (got.depth_m > 0)
    assert (got.depth_m[known] > near_m[known] - 0.03).all()
    assert (got.depth_m[known] < far_m[known] + 0.03).all()
    measured = known & (got.source != Source.SURFACE)
    assert (got.source[measured] == Source.MOVER).all()


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_ghost_stands_where_the_box_has_been_or_will_be(sample: int) -> None:
    """Nothing nearer than the nearest thing within a pixel, over the whole image; at most a corner's surfel, 5 %."""
    camera, got = depth()[sample]
    nearest_m = np.min([WORLD.truth(camera, du=du, dv=dv)[0] for du in (-1, 0, 1) for dv in (-1, 0, 1)], axis=0)
    known = got.depth_m > 0
    assert (got.depth_m[known] > 0.95 * nearest_m[known]).all()
    mover = got.source == Source.MOVER
    _, kind = WORLD.truth(camera)
    assert not (mover & eroded(kind != BOX, 1)).any()


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_pixel_is_right_by_the_project_s_own_measure(sample: int) -> None:
    """All of the image: within max(0.5 m, 5 %) of one of the nine truths around it, or of what lies in the pixel.

    (Of far ground a pixel of this small image holds more than 5 %.)
    """
    camera, got = depth()[sample]
    near_m, far_m, shows = WORLD.within_pixels(camera)
    truths = np.stack([WORLD.truth(camera, du=du, dv=dv)[0] for du in (-1, 0, 1) for dv in (-1, 0, 1)])
    right = (np.abs(got.depth_m - truths) <= np.maximum(0.5, 0.05 * truths)).any(axis=0)
    within = (shows > 0) & (got.depth_m > near_m - 0.03) & (got.depth_m < far_m + 0.03)
    wrong = (got.depth_m > 0) & ~right & ~within
    # The lowest slice of the box belongs to nobody: the ground around shows through its 1 or 2 rows.
    _, kind = WORLD.truth(camera)
    assert not (wrong & ~((kind == BOX) & ~on_box(camera))).any()


def test_unknown_pixels_are_zero_in_every_layer() -> None:
    for _, got in depth():
        unknown = got.depth_m == 0
        assert unknown.any()
        assert not got.source[unknown].any()
        assert not got.age_s[unknown].any()
        assert np.isfinite(got.depth_m).all()


# --- options ---


def test_without_surface_only_measured_pixels_remain_and_they_are_the_same() -> None:
    for (_, dense), (_, measured) in zip(depth(), depth(surface=False), strict=True):
        assert Source.SURFACE not in measured.source
        known = measured.depth_m > 0
        np.testing.assert_array_equal(measured.depth_m[known], dense.depth_m[known])
        np.testing.assert_array_equal(measured.source[known], dense.source[known])
        np.testing.assert_array_equal(measured.age_s[known], dense.age_s[known])
        added = ~known & (dense.depth_m > 0)
        assert added.sum() > 300
        unsure = dense.confidence[added] < AccumulateConfig().confidence.least_measured
        assert ((dense.source[added] == Source.SURFACE) | unsure).all()


@pytest.mark.parametrize("exposure_us", [-20_000, -35_000, 0])
def test_a_window_of_0_is_the_keyframe_s_own_sweep_alone(exposure_us: int) -> None:
    """Its 50 ms before the stamp, whenever the camera looks."""
    world = replace(WORLD, exposure_us=exposure_us, seconds=0.5)
    for _, got in depth(world, window_s=0.0, surface=False):
        assert (got.source == Source.OWN_SWEEP).sum() > 1500
        assert (got.source == Source.MOVER).sum() > 50
        assert Source.STATIC not in got.source
        ages = got.age_s[got.depth_m > 0] * 1e6 + exposure_us
        assert ages.min() >= -50_000 - 500
        assert ages.max() <= 500


def test_a_window_holds_what_was_measured_within_it() -> None:
    for _, got in depth(window_s=0.2):
        ages = np.abs(got.age_s[got.depth_m > 0])
        assert 0.1 < ages.max() <= 0.2 + 0.051  # and half a turn more at either side


def test_without_motion_the_box_smears() -> None:
    """Taken as standing still it is in eleven places a half second; what is left of it is not where it was."""
    wrong = total = 0
    for camera, got in depth(motion="none"):
        near_m, far_m, _ = WORLD.within_pixels(camera)
        known = on_box(camera) & (got.depth_m > 0)
        right = (got.depth_m > near_m - 0.03) & (got.depth_m < far_m + 0.03)
        wrong, total = wrong + (known & ~right).sum(), total + known.sum()
        assert Source.MOVER not in got.source
    assert wrong > 0.5 * total


def test_an_empty_sweep_is_in_nothing() -> None:
    scene, config = WORLD.scene(), AccumulateConfig(surface=False)

    def read(sweep: Sweep) -> Points:
        points = scene.read_points(sweep)
        return points.take(np.arange(0)) if sweep.token == "sweep-10" else points

    got = render(build_cloud(replace(scene, read_points=read), config), scene.cameras[1], config)
    assert Source.OWN_SWEEP not in got.source
    assert (got.source == Source.STATIC).sum() > 5000
    # Exposed 20 ms before the stamp: the left-out sweep's ages are -30 to 20 ms.
    ages = got.age_s[got.depth_m > 0]
    assert not ((ages > -0.0295) & (ages < 0.0195)).any()
    own = render(build_cloud(scene, config), scene.cameras[1], config)
    assert (own.source == Source.OWN_SWEEP).any()


def test_progress_is_told_once_a_sweep_and_once_an_image() -> None:
    ticks = []
    world = replace(NOT_THERE, seconds=0.5)
    list(accumulate_scene(world.scene(), AccumulateConfig(), progress=lambda: ticks.append(1)))
    assert len(ticks) == 11 + 2


def test_the_box_tells_when_the_lidar_s_clock_is_misread() -> None:
    """A clock read 10 ms late puts the box 6 cm too near: a tolerance of 3 cm can fail."""
    scene = WORLD.scene()
    late = scene.with_lidar_models({"LIDAR_TOP": LidarModel(stamp_fraction=0.8)})
    camera, got = list(accumulate_scene(late, AccumulateConfig()))[1]
    _, far_m, _ = WORLD.within_pixels(camera)
    known = on_box(camera) & (got.source == Source.MOVER)
    assert np.median((got.depth_m - far_m)[known]) == pytest.approx(-0.06, abs=0.01)


# --- free space, without labels ---


def test_nothing_is_taken_from_a_world_that_stands_still() -> None:
    scene, config = NOT_THERE.scene(), AccumulateConfig(motion="none")
    cloud = build_cloud(scene, config)
    assert transient_of(cloud, config).sum() == 0


def test_an_unlabelled_mover_leaves_few_ghosts() -> None:
    """Other sweeps' beams went through where it had been: four of five of its points go, of the world's none."""
    scene, config = WORLD.scene(), AccumulateConfig(motion="none")
    cloud = build_cloud(scene, config)
    xyz = cloud.static.xyz + (cloud.origin_global_m - MAP_ORIGIN)
    away = np.abs(xyz - WORLD.box(cloud.static.time_s)) - WORLD.box_size / 2
    of_box = (away < 0.02).all(axis=1) & (xyz[:, 2] > 0.02)
    assert of_box.sum() > 4000
    gone = transient_of(cloud, config)
    assert gone[of_box].mean() > 0.8
    assert gone[~of_box].mean() < 0.001


@pytest.mark.parametrize("sample", SAMPLES)
def test_without_any_label_the_box_stands_where_it_was_and_hardly_anywhere_else(sample: int) -> None:
    """What other sweeps refute is true at its own time: `free` shows the box from a single turn, and few ghosts."""
    wrong = {}
    for motion in ("free", "none"):
        camera, got = depth(motion=motion)[sample]
        near_m, far_m, _ = WORLD.within_pixels(camera)
        _, kind = WORLD.truth(camera)
        known = got.depth_m > 0
        right = (got.depth_m > 0.95 * near_m - 0.03) & (got.depth_m < 1.05 * far_m + 0.03)
        rest, box = known & eroded(kind != BOX, 1), on_box(camera)
        wrong[motion] = (~right[rest]).mean()
        if motion == "free":
            assert known[box].mean() > 0.9
            assert right[box & known].mean() > 0.9
    assert wrong["free"] < 0.025
    assert wrong["free"] < wrong["none"] / 3
