"""Two lidars in one scene, unlike in pose, rings, direction, scan start and stamp, in a world known in closed form."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from densegt.accumulation.config import AccumulateConfig, FreeSpaceConfig
from densegt.accumulation.leave_one_out.recording import compare
from densegt.accumulation.leave_one_out.scene import held_out_keyframes, score_scene, without
from densegt.accumulation.measurements import Measurements, measure_scene
from densegt.accumulation.moments import Moments
from densegt.accumulation.motion.free_space import beam_time, votes_of_sweep
from densegt.accumulation.pipeline import accumulate_scene, build_cloud
from densegt.accumulation.poses.refinement import refine_poses
from densegt.accumulation.sweep_returns import read_returns
from densegt.accumulation.timing import EgoPath
from densegt.datasets.lidar_model import LidarModel
from densegt.datasets.scene import Camera, Scene
from densegt.depth.depth_map import DepthMap, Source
from densegt.geometry import se3

from .test_pipeline import eroded
from .worlds import BOX, MAP_ORIGIN, START_US, WALL, Sensor, World

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow


def hung(T: np.ndarray) -> np.ndarray:
    """The same place, upside down."""
    out = T.copy()
    out[:3, :3] = T[:3, :3] @ np.diag([1.0, -1.0, -1.0])
    return out


TOP = Sensor()
# Ring numbers of its own that the other uses too, rows from the lowest up of a lidar that hangs.
FRONT = Sensor(
    channel="LIDAR_FRONT",
    T_ego_lidar=hung(se3.from_yaw(0.4, [2.4, -0.5, 0.9])),
    model=LidarModel(clockwise=False, period_s=0.05, scan_start_azimuth_rad=2.4, stamp_fraction=0.5, compensated=False),
    elevation=np.deg2rad(np.linspace(-20, 14, 20)),
    azimuth=np.deg2rad(np.arange(-60, 60, 0.5) + 0.2),
    delay_us=13_000,
)
PAIR = World(seconds=1.0, lidars=(TOP, FRONT))
TIMED = replace(PAIR, lidars=(replace(TOP, own_times=True), replace(FRONT, own_times=True)))
SAMPLES = range(3)


@cache
def depth(world: World = PAIR, **options) -> tuple[tuple[Camera, DepthMap], ...]:
    return tuple(accumulate_scene(world.scene(), AccumulateConfig(**options)))


def measured(scene: Scene, config: AccumulateConfig | None = None) -> Measurements:
    config = config or AccumulateConfig()
    return measure_scene(scene, read_returns(scene, config), config)


# --- depth ---


@pytest.mark.parametrize("world", [PAIR, TIMED], ids=["azimuth", "own times"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_depth_is_right_by_the_project_s_own_measure(world: World, sample: int) -> None:
    camera, got = depth(world)[sample]
    near_m, far_m, shows = world.within_pixels(camera)
    truths = np.stack([world.truth(camera, du=du, dv=dv)[0] for du in (-1, 0, 1) for dv in (-1, 0, 1)])
    right = (np.abs(got.depth_m - truths) <= np.maximum(0.5, 0.05 * truths)).any(axis=0)
    within = (shows > 0) & (got.depth_m > near_m - 0.03) & (got.depth_m < far_m + 0.03)
    known = got.depth_m > 0
    assert known.mean() > 0.75
    assert (known & ~right & ~within).sum() < 0.002 * known.sum()
    wall = known & eroded(shows == WALL, 3)
    assert wall.sum() > 3000
    assert np.abs(got.depth_m[wall] - world.truth(camera)[0][wall]).max() < 0.02


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_box_is_where_it_was_at_exposure_from_both_lidars(sample: int) -> None:
    camera, got = depth(surface=False)[sample]
    near_m, far_m, shows = PAIR.within_pixels(camera)
    box = (shows == BOX) & (got.source == Source.MOVER)
    assert box.sum() > 150
    assert (got.depth_m[box] > near_m[box] - 0.03).all()
    assert (got.depth_m[box] < far_m[box] + 0.03).all()
    cloud = build_cloud(PAIR.scene(), AccumulateConfig())
    ((_, surfels),) = cloud.movers
    assert set(cloud.moments.lidar[np.unique(surfels.sweep)]) == {0, 1}


def test_two_lidars_know_more_than_either() -> None:
    """The second sees under and above the first's field, and all of it is filled in."""
    for (_, both), (_, one) in zip(depth(), depth(replace(PAIR, lidars=(TOP,))), strict=True):
        assert (both.depth_m > 0).sum() > 1.005 * (one.depth_m > 0).sum()


def test_points_with_their_own_times_in_any_order_give_the_same_depth() -> None:
    for (_, by_azimuth), (_, by_own) in zip(depth(), depth(TIMED), strict=True):
        known = (by_azimuth.depth_m > 0) & (by_own.depth_m > 0)
        assert known.sum() > 0.995 * max((by_azimuth.depth_m > 0).sum(), (by_own.depth_m > 0).sum())
        off = np.abs(by_azimuth.depth_m - by_own.depth_m)[known] / by_own.depth_m[known]
        # Where many points crowd a pixel others are left out, so another one of the pixel's is shown.
        assert off.max() < 0.04
        assert (off < 0.01).mean() > 0.99
        assert (by_azimuth.source == by_own.source)[known].mean() > 0.95


def test_a_window_of_0_is_the_sweeps_of_both_lidars_at_that_moment() -> None:
    world = replace(PAIR, seconds=0.5)
    cloud = build_cloud(world.scene(), AccumulateConfig(surface=False))
    for camera, got in depth(world, window_s=0.0, surface=False):
        ages_s = got.age_s[got.depth_m > 0] + (camera.timestamp_us - cloud.start_us) * 1e-6
        stamp_s = (camera.timestamp_us - world.exposure_us - cloud.start_us) * 1e-6
        assert Source.STATIC not in got.source
        # The first lidar's turn ends at the stamp, the second's lies about 13 ms after it.
        assert ages_s.min() < stamp_s - 0.012
        assert stamp_s < ages_s.max() < stamp_s + 0.0385


# --- what moves without a label ---


def test_a_mover_without_a_label_is_detected_from_both() -> None:
    world = World(box_velocity=np.array([6.0, 0.0, 0.0]), labelled=False, lidars=(TOP, FRONT))
    cloud = build_cloud(world.scene(), AccumulateConfig(motion="free"))
    (track,) = cloud.detected_tracks
    t_s = np.linspace(0.1, 1.3, 13)
    places = [track.poses_at(START_US + t * 1e6)[:, :2, 3] for t in (t_s - 0.02, t_s + 0.02)]
    np.testing.assert_allclose((places[1] - places[0]) / 0.04, np.tile([6.0, 0.0], (13, 1)), atol=0.2)
    ((_, surfels),) = cloud.movers
    assert set(cloud.moments.lidar[np.unique(surfels.sweep)]) == {0, 1}


def test_nothing_is_transient_in_a_static_world_and_most_of_a_mover_is() -> None:
    away = replace(PAIR, box_middle=np.array([-60.0, 0, 0.8]), labelled=False)
    cloud = build_cloud(away.scene(), AccumulateConfig(motion="free"))
    assert len(cloud.transient) == len(cloud.movers) == 0
    scene = replace(PAIR, labelled=False).scene()
    cloud = build_cloud(scene, AccumulateConfig(motion="free"))
    xyz = cloud.static.xyz + (cloud.origin_global_m - MAP_ORIGIN)
    since_s = cloud.static.time_s + (cloud.start_us - START_US) * 1e-6
    of_box = (np.abs(xyz - PAIR.box(since_s)) - PAIR.box_size / 2 < 0.02).all(axis=1) & (xyz[:, 2] > 0.3)
    assert of_box.sum() < 0.1 * (len(cloud.transient) + sum(len(surfels) for _, surfels in cloud.movers))


# --- range images ---


@pytest.mark.parametrize("world", [PAIR, TIMED], ids=["azimuth", "own times"])
@pytest.mark.parametrize("ego_speed", [0.0, 20.0])
def test_each_sweep_meets_its_own_static_returns(world: World, ego_speed: float) -> None:
    """By rings, clock and place of its own lidar; a place a turn off would be 1 m away at this speed."""
    scene = replace(world, ego_speed=ego_speed, wall_x=60.0, box_velocity=np.zeros(3)).scene()
    got = measured(scene, AccumulateConfig(refine_poses=False))
    sure = FreeSpaceConfig(margin_m=0.06, margin_relative=0.003)
    passed, met = votes_of_sweep(got.images, got.surfels.xyz, got.surfels.sweep, sure)
    lidar = got.moments.lidar[got.surfels.sweep]
    for number in (0, 1):
        of_lidar = lidar == number
        # Outermost rings have no neighbour on one side, and at grazing angles returns lie far apart.
        assert met[of_lidar].mean() > 0.9
        assert passed[of_lidar].mean() < 0.01


def test_the_beam_passes_a_point_at_the_point_s_own_time() -> None:
    for world in (PAIR, TIMED):
        got = measured(world.scene(), AccumulateConfig(refine_poses=False))
        stamps_s = [(s.timestamp_us - START_US) * 1e-6 for s in world.scene().sweeps]
        start_s = (got.start_us - START_US) * 1e-6
        for sweep in (4, 5, 8, 9):
            rows = np.arange(got.first[sweep], got.first[sweep + 1])[::300]
            for xyz, since_s in zip(got.surfels.xyz[rows], got.surfels.time_s[rows], strict=True):
                when_s = start_s + since_s - stamps_s[sweep]
                assert beam_time(got.images, sweep, xyz.astype(np.float64)) == pytest.approx(when_s, abs=1e-3)


def test_ring_elevations_are_each_lidar_s_own() -> None:
    images = measured(PAIR.scene()).images
    assert images.ring_elevation.shape == (2, 32)
    np.testing.assert_allclose(images.ring_elevation[1, :20], np.deg2rad(np.linspace(-14, 20, 20)), atol=2e-3)
    assert np.isinf(images.ring_elevation[1, 20:]).all()
    assert not images.ranges_m[images.lidar == 1, 20:].any()


# --- moments ---


def test_moments_join_the_sweeps_of_a_time_and_offsets_are_counted_in_them() -> None:
    scene = PAIR.scene()
    moments = Moments.of(scene)
    assert moments.lidar[:4].tolist() == [0, 1, 0, 1]
    # The first lidar's turn has its middle 25 ms before its stamp, the second's 13 ms after: next to that of the next.
    assert moments.moment[:6].tolist() == [0, 1, 1, 2, 2, 3]
    sweep = 6
    neighbours = moments.about([1])[sweep]
    assert sorted(moments.moment[neighbours[neighbours >= 0]].tolist()) == [2, 2, 4, 4]
    assert moments.turns_away(np.array([6, 7, 0, 1]), -1).tolist() == [4, 5, -1, -1]
    nearest = moments.nearest(np.abs(np.arange(len(scene.sweeps)) - 10.0), 2)
    assert sorted(nearest.tolist()) == [9, 10, 11, 12] or sorted(nearest.tolist()) == [8, 9, 10, 11]


def test_of_one_lidar_each_sweep_is_a_moment() -> None:
    moments = Moments.of(replace(PAIR, lidars=(TOP,)).scene())
    assert moments.moment.tolist() == list(range(21))
    table = moments.about([1, 2])
    assert table[5].tolist() == [6, 4, 7, 3]
    assert table[0].tolist() == [1, -1, 2, -1]


# --- poses ---


def test_poses_that_are_nearly_simultaneous_tell_no_velocity() -> None:
    """0.3 ms apart and 3 mm off, they would say 10 m/s."""
    world = replace(PAIR, lidars=(TOP, replace(FRONT, delay_us=300)))
    scene = world.scene()
    rng = np.random.default_rng(0)
    sweeps = []
    for sweep in scene.sweeps:
        T = sweep.T_global_ego.copy()
        T[:3, 3] += rng.normal(0, 0.003, 3)
        sweeps.append(replace(sweep, T_global_ego=T))
    path = EgoPath.of(replace(scene, sweeps=tuple(sweeps)))
    ends_us = np.array([scene.sweeps[0].timestamp_us - 50_000.0, scene.sweeps[-1].timestamp_us + 50_000.0])
    off_m = path.poses_at(ends_us)[:, :3, 3] - MAP_ORIGIN - np.outer((ends_us - START_US) * 3e-6, [1, 0, 0])
    assert np.abs(off_m).max() < 0.03


def test_the_path_is_refined_by_both_and_each_moment_moves_as_one() -> None:
    true = replace(
        PAIR, box_velocity=np.zeros(3), box_size=np.array([4.0, 3.0, 3.0]), box_middle=np.array([14.0, -5.0, 1.5])
    ).scene()
    rng, moments, sweeps = np.random.default_rng(1), Moments.of(true), []
    shift = rng.normal(0, [0.02, 0.02, 0.05], (moments.count, 3))
    turn = Rotation.from_rotvec(np.deg2rad(rng.normal(0, 0.05, (moments.count, 3)))).as_matrix()
    for sweep, m in zip(true.sweeps, moments.moment, strict=True):
        T = sweep.T_global_ego.copy()
        T[:3, :3] = turn[m] @ T[:3, :3]
        T[:3, 3] += shift[m]
        sweeps.append(replace(sweep, T_global_ego=T))
    noisy, config = replace(true, sweeps=tuple(sweeps)), AccumulateConfig()
    got = refine_poses(noisy, read_returns(noisy, config), config)
    off = np.array(
        [a.T_global_ego[:3, 3] - b.T_global_ego[:3, 3] for a, b in zip(got.sweeps, true.sweeps, strict=True)]
    )
    off -= off.mean(axis=0)
    assert np.sqrt((shift[:, 2] ** 2).mean()) > 0.02
    assert np.sqrt((off[:, 2] ** 2).mean()) < 0.006


# --- leave one out ---


def test_leave_one_out_leaves_out_both_lidars_sweeps_of_the_moment() -> None:
    scene = PAIR.scene()
    keyframe = held_out_keyframes(scene)[1]
    rest = without(scene, keyframe)
    assert {scene.sweeps[i].lidar.channel for i in keyframe.sweeps} == {"LIDAR_TOP", "LIDAR_FRONT"}
    assert not {"sweep-10", "sweep-10-LIDAR_FRONT"} & {sweep.token for sweep in rest.sweeps}
    assert len(rest.sweeps) == len(scene.sweeps) - 2
    # A format that marks the main lidar's sweeps only means the others' of that moment too.
    main = replace(
        scene,
        sweeps=tuple(replace(s, is_keyframe=s.is_keyframe and s.lidar.channel == "LIDAR_TOP") for s in scene.sweeps),
    )
    marked = held_out_keyframes(main)[1]
    assert {scene.sweeps[i].lidar.channel for i in marked.sweeps} == {"LIDAR_TOP", "LIDAR_FRONT"}


def test_leave_one_out_scores_a_world_of_two_lidars() -> None:
    """Far more is scored than with one lidar, and no more of it is wrong; one sweep's truth itself is, in places."""
    one, both = (
        compare(score_scene(world.scene(), AccumulateConfig(), every=2)).all_points.densegt
        for world in (replace(PAIR, lidars=(TOP,)), PAIR)
    )
    assert both.all.counted > 1.3 * one.all.counted
    assert both.all.outlier_percent < one.all.outlier_percent < 3
    assert both.all.coverage_percent > one.all.coverage_percent
    assert both.by_motion["movers"].counted > one.by_motion["movers"].counted
    assert both.by_motion["movers"].outlier_percent < 1
