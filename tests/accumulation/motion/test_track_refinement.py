"""Labelled movers against a box whose motion is known: wrong boxes are put right, right ones are left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from densegt.accumulation import measurements
from densegt.accumulation.config import AccumulateConfig, BoxTimeConfig, RefineTracksConfig, TracksConfig
from densegt.accumulation.motion.box_time import tracks_at_measured_time
from densegt.accumulation.motion.track_refinement import refine_tracks
from densegt.accumulation.motion.tracks import ContinuousTrack, moving_tracks
from densegt.accumulation.sweep_returns import read_returns
from densegt.accumulation.timing import azimuth_times
from densegt.datasets.scene import ObjectKind, Scene, Track
from densegt.geometry import se3
from tests.accumulation.worlds import MAP_ORIGIN, START_US, World

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

CONFIG = TracksConfig()
# Seen from behind and from one side all along.
DRIVING = World(
    box_middle=np.array([9.0, -4.0, 0.8]),
    box_velocity=np.array([5.0, 0.0, 0.0]),
    ego_speed=3.0,
    seconds=2.5,
    wall_x=60.0,
)


def measured(scene: Scene) -> measurements.Measurements:
    config = AccumulateConfig()
    return measurements.measure_scene(scene, read_returns(scene, config), config)


def off(scene: Scene, rng: np.random.Generator, sigma_m, sigma_deg: float) -> Scene:
    """The scene with every box wrong by itself."""
    (track,) = scene.tracks
    T = track.T_global_box.copy()
    for k in range(len(T)):
        T[k] = T[k] @ se3.from_yaw(np.deg2rad(rng.normal(0, sigma_deg)), [0, 0, 0])
        T[k, :3, 3] += rng.normal(0, sigma_m)
    return replace(scene, tracks=(replace(track, T_global_box=T),))


def refined(scene: Scene, config: TracksConfig = CONFIG) -> tuple[ContinuousTrack, ContinuousTrack]:
    """The track as drawn and as refined."""
    tracks = moving_tracks(scene, config)
    (got,) = refine_tracks(tracks, measured(scene), config)
    return tracks[0], got


def errors(track: ContinuousTrack, world: World) -> np.ndarray:
    """How far its middle is from the truth (N,3) m over the scene, but for what is common to all times."""
    t_s = np.linspace(0.05, world.seconds - 0.05, 50)
    place = track.poses_at(START_US + t_s * 1e6)[:, :3, 3] - (world.box(t_s) + MAP_ORIGIN)
    return np.asarray(np.sqrt(((place - place.mean(axis=0)) ** 2).mean(axis=0)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_boxes_a_decimetre_off_are_put_right_to_centimetres(seed: int) -> None:
    noisy = off(DRIVING.scene(), np.random.default_rng(seed), [0.1, 0.1, 0.0], 1.0)
    drawn, got = refined(noisy)
    assert np.hypot(*errors(drawn, DRIVING)[:2]) > 0.05
    assert (errors(got, DRIVING)[:2] < 0.025).all()
    yaw = np.arctan2(got.T_global_box[:, 1, 0], got.T_global_box[:, 0, 0])
    assert np.rad2deg(yaw - yaw.mean()).std() < 0.4


def test_of_one_seen_from_behind_its_outline_tells_where_it_is_sideways() -> None:
    world = replace(DRIVING, box_middle=np.array([8.0, 0.0, 0.8]))
    noisy = off(world.scene(), np.random.default_rng(4), [0.0, 0.1, 0.0], 0.0)
    drawn, got = refined(noisy)
    assert errors(drawn, world)[1] > 0.05
    assert errors(got, world)[1] < 0.4 * errors(drawn, world)[1]


def test_right_boxes_are_left_as_they_are() -> None:
    drawn, got = refined(DRIVING.scene())
    assert got is drawn


def test_a_few_points_tell_nothing() -> None:
    noisy = off(DRIVING.scene(), np.random.default_rng(1), [0.1, 0.1, 0.0], 1.0)
    drawn, got = refined(noisy, CONFIG.model_copy(update={"refine": RefineTracksConfig(min_points=10**6)}))
    assert got is drawn


def test_switched_off_it_does_nothing() -> None:
    noisy = off(DRIVING.scene(), np.random.default_rng(1), [0.1, 0.1, 0.0], 1.0)
    drawn, got = refined(noisy, CONFIG.model_copy(update={"refine": RefineTracksConfig(enabled=False)}))
    assert got is drawn


def test_a_single_sweep_tells_nothing() -> None:
    noisy = off(DRIVING.scene(), np.random.default_rng(1), [0.1, 0.1, 0.0], 1.0)
    drawn, got = refined(replace(noisy, sweeps=noisy.sweeps[20:21]))
    assert got is drawn


def test_a_single_box_tells_nothing() -> None:
    scene = DRIVING.scene()
    (track,) = scene.tracks
    one = replace(track, timestamps_us=track.timestamps_us[:1], T_global_box=track.T_global_box[:1])
    drawn, got = refined(replace(scene, tracks=(one,)))
    assert got is drawn


def test_a_box_far_off_is_not_moved_farther_than_boxes_are_off() -> None:
    """0.6 m is no error of drawing but another object; what would explain the points better is still refused."""
    noisy = off(DRIVING.scene(), np.random.default_rng(1), [0.1, 0.1, 0.0], 1.0)
    drawn, got = refined(noisy, CONFIG.model_copy(update={"refine": RefineTracksConfig(max_m=0.05)}))
    assert got is drawn


def test_no_tracks() -> None:
    scene = replace(DRIVING.scene(), tracks=())
    assert refine_tracks([], measured(scene), CONFIG) == []


@pytest.mark.parametrize("knots", [1, 2, 3, 6])
def test_a_pose_follows_each_knot_as_its_weight_says(knots: int) -> None:
    rng = np.random.default_rng(knots)
    stamps = np.cumsum(rng.integers(300_000, 700_000, knots))
    poses = np.stack([se3.from_yaw(0.0, rng.normal(0, 9, 3)) for _ in range(knots)])

    def at(T, t_us):
        track = Track("a", "vehicle.car", ObjectKind.RIGID_VEHICLE, np.ones(3), stamps, T)
        (got,) = moving_tracks(replace(DRIVING.scene(), tracks=(track,)), CONFIG)
        return got, got.poses_at(t_us)[:, :3, 3]

    t_us = np.linspace(stamps[0] - 4e5, stamps[-1] + 4e5, 40)
    track, before = at(poses, t_us)
    moved = poses.copy()
    shift = rng.normal(0, 1, (knots, 3))
    moved[:, :3, 3] += shift
    _, after = at(moved, t_us)
    np.testing.assert_allclose(after - before, track.weights_at(t_us) @ shift, atol=1e-9)


# --- when boxes were true ---


def drawn_as_the_points_stand(scene: Scene, world: World) -> Scene:
    """Each box where the object was when the beam passed its middle."""
    (track,) = scene.tracks
    sweep_at = {s.timestamp_us: s for s in scene.sweeps}
    T = track.T_global_box.copy()
    for k, stamp in enumerate(track.timestamps_us):
        sweep = sweep_at[int(stamp)]
        middle = se3.apply(se3.inverse(sweep.T_global_lidar), T[k, :3, 3][None]).astype(np.float32)
        T[k, :3, 3] += azimuth_times(middle, sweep.T_ego_lidar, sweep.lidar_model)[0] * world.box_velocity
    return replace(scene, tracks=(replace(track, T_global_box=T),))


FAST = replace(DRIVING, box_velocity=np.array([14.0, 0.0, 0.0]), ego_speed=13.0)


def test_boxes_drawn_at_the_stamp_keep_their_times() -> None:
    scene = FAST.scene()
    tracks = moving_tracks(scene, CONFIG)
    (got,) = tracks_at_measured_time(tracks, measured(scene), scene, CONFIG.box_time)
    assert got is tracks[0]


def test_boxes_drawn_around_the_points_as_they_stand_get_the_beams_time() -> None:
    scene = drawn_as_the_points_stand(FAST.scene(), FAST)
    tracks = moving_tracks(scene, CONFIG)
    (got,) = tracks_at_measured_time(tracks, measured(scene), scene, CONFIG.box_time)
    t_us = START_US + np.linspace(0.2, 2.2, 30) * 1e6
    truth = FAST.box((t_us - START_US) * 1e-6) + MAP_ORIGIN
    assert np.abs(tracks[0].poses_at(t_us)[:, 0, 3] - truth[:, 0]).min() > 0.25
    assert np.abs(got.poses_at(t_us)[:, 0, 3] - truth[:, 0]).max() < 0.06


@pytest.mark.parametrize(("model", "shifted"), [("stamp", False), ("azimuth", True)])
def test_the_time_of_boxes_can_be_told(model: str, shifted: bool) -> None:
    scene = FAST.scene()
    tracks = moving_tracks(scene, CONFIG)
    (got,) = tracks_at_measured_time(tracks, measured(scene), scene, BoxTimeConfig(model=model))
    assert (got.knots_us < tracks[0].knots_us).all() == shifted
