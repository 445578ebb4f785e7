"""Which points belong to which moving object: boxes and points whose owner is known by construction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from densegt.accumulation.config import TracksConfig
from densegt.accumulation.measurements import Measurements
from densegt.accumulation.motion.points_in_boxes import (
    AMBIGUOUS,
    STATIC,
    SampledMotion,
    assign_to_boxes,
    points_in_box_frame,
)
from densegt.accumulation.motion.tracks import ContinuousTrack, moving_tracks
from densegt.accumulation.surfels import Surfels
from densegt.datasets.scene import ObjectKind, Scene, Track
from densegt.geometry import se3

CONFIG = TracksConfig()
SIZE = np.array([4.0, 2.0, 1.6])


def car(velocity_mps: list[float], start_m: list[float], *, yaw: float = 0.0, stamps_s=(0.0, 0.5, 1.0, 1.5)):
    """A car that drives straight on from `start_m` at time 0."""
    stamps = np.array(stamps_s)
    places = np.array(start_m) + stamps[:, None] * np.array(velocity_mps)
    poses = np.stack([se3.from_yaw(yaw, p) for p in places])
    track = Track("car", "vehicle.car", ObjectKind.RIGID_VEHICLE, SIZE, (stamps * 1e6).astype(np.int64), poses)
    (got,) = moving_tracks(Scene("s", (), (), (), (track,), lambda sweep: None), CONFIG)
    return got


def measured_at(xyz, t_s) -> Measurements:
    """One sweep of points (N,3) at times (N,), as if its turn lay about the middle of those times."""
    xyz = np.asarray(xyz, np.float32).reshape(-1, 3)
    t_s = np.broadcast_to(np.asarray(t_s, np.float32), len(xyz)).copy()
    n = len(xyz)
    tangents = np.broadcast_to(np.eye(3, dtype=np.float32)[:2], (n, 2, 3)).copy()
    surfels = Surfels(xyz, tangents, np.zeros((n, 4), np.float32), t_s, np.zeros(n, np.int32))
    middle_s = np.array([(t_s.min() + t_s.max()) / 2 if n else 0.5])
    nowhere = np.zeros(3)
    return Measurements(surfels, *np.zeros((2, n), np.bool_), np.array([0, n]), None, None, nowhere, 0, middle_s)  # type: ignore[arg-type]


def claim(xyz, t_s, *tracks: ContinuousTrack):
    measured = measured_at(xyz, t_s)
    return assign_to_boxes(measured, tracks, SampledMotion.of(tracks, measured), CONFIG)


def in_box(xyz, t_s, track: ContinuousTrack) -> Surfels:
    measured = measured_at(xyz, t_s)
    motion = SampledMotion.of([track], measured)
    return points_in_box_frame(measured.surfels, np.arange(len(measured.surfels)), motion, 0)


def test_a_point_is_claimed_at_its_own_time_and_given_the_box_at_that_time() -> None:
    """At 20 m/s a car moves 1 m within a turn of 50 ms: its front corner belongs to it late in the turn only."""
    track = car([20, 0, 0], [0, 0, 0.8])
    corner = [20 * 0.74 + 2.0, 0.0, 0.8]
    xyz, t_s = [corner, corner], np.array([0.74, 0.70])
    assert claim(xyz, t_s, track).tolist() == [0, STATIC]
    np.testing.assert_allclose(in_box(xyz, t_s, track).xyz, [[2, 0, 0], [2.8, 0, 0]], atol=1e-4)


def test_every_point_of_a_face_scanned_over_a_turn_comes_back_to_the_face() -> None:
    """A lidar's skew: points of one plane, each measured at its own time, lie on that plane of the box again."""
    track = car([15, -6, 0], [3, 8, 0.8], yaw=0.4)
    rng = np.random.default_rng(0)
    t_s = rng.uniform(0.95, 1.0, 300)
    on_face = np.stack([np.full(300, 2.0), rng.uniform(-1, 1, 300), rng.uniform(-0.6, 0.8, 300)], axis=1)
    where = np.array([3, 8, 0.8]) + t_s[:, None] * np.array([15, -6, 0])
    xyz = on_face @ se3.from_yaw(0.4, [0, 0, 0])[:3, :3].T + where
    assert (claim(xyz, t_s, track) == 0).all()
    back = in_box(xyz, t_s, track)
    np.testing.assert_allclose(back.xyz, on_face, atol=1e-4)
    turned = np.broadcast_to([np.cos(0.4), -np.sin(0.4), 0], (300, 3))
    np.testing.assert_allclose(back.tangents[:, 0], turned, atol=1e-6)


@pytest.mark.parametrize(
    ("xyz_box", "owner"),
    [
        ([0, 0, 0], 0),
        ([2.14, 0, 0], 0),  # 15 cm of margin all around
        ([2.16, 0, 0], STATIC),
        ([0, -1.14, 0], 0),
        ([0, -1.16, 0], STATIC),
        ([0, 0, 0.94], 0),
        ([0, 0, 0.96], STATIC),
        ([0, 0, -0.67], 0),  # 12 cm above the bottom at -0.8
        ([0, 0, -0.69], AMBIGUOUS),  # wheel or road?
        ([1.9, 0.9, -0.94], AMBIGUOUS),
        ([0, 0, -0.96], STATIC),
    ],
)
def test_the_widened_box_and_its_lowest_slice(xyz_box: list[float], owner: int) -> None:
    track = car([10, 0, 0], [5, -3, 2.0], yaw=1.1)
    T = track.poses_at(np.array([0.6e6]))[0]
    assert claim(se3.apply(T, np.array([xyz_box])), 0.6, track).tolist() == [owner]


def test_the_lowest_slice_of_a_flat_box_is_at_most_two_fifths_of_it() -> None:
    track = car([10, 0, 0], [0, 0, 0])
    flat = ContinuousTrack(**{**vars_of(track), "size_lwh_m": np.array([4.0, 2.0, 0.2])})
    owner = claim([[5, 0, -0.03], [5, 0, -0.01]], 0.5, flat)
    assert owner.tolist() == [AMBIGUOUS, 0]


def vars_of(track: ContinuousTrack) -> dict:
    return {name: getattr(track, name) for name in ContinuousTrack.__dataclass_fields__}


def test_of_two_overlapping_boxes_the_one_whose_middle_is_nearest_wins_whatever_their_order() -> None:
    first, second = car([5, 0, 0], [0, 0, 0.8]), car([5, 0, 0], [3.0, 0, 0.8])
    xyz = [[2.5 + 1.4, 0, 0.8], [2.5 + 1.6, 0, 0.8], [2.5 - 1.9, 0, 0.8], [2.5 + 4.9, 0, 0.8], [2.5 + 1.6, 0, 0.05]]
    assert claim(xyz, 0.5, first, second).tolist() == [0, 1, 0, 1, AMBIGUOUS]
    assert claim(xyz, 0.5, second, first).tolist() == [1, 0, 1, 0, AMBIGUOUS]


def test_each_sweep_asks_each_box_where_it_was_then() -> None:
    """Three sweeps, two boxes far from each other: places and times must not be mixed up."""
    first, second = car([20, 0, 0], [0, 0, 0.8]), car([0, 20, 0], [0, 50, 0.8])
    t_s = np.repeat(np.array([0.1, 0.7, 1.4], np.float32), 2)
    xyz = np.stack([[20 * t, 0, 0.8] if i % 2 == 0 else [0, 50 + 20 * t, 0.8] for i, t in enumerate(t_s)])
    one = measured_at(xyz, t_s)
    three = replace(one, first=np.array([0, 2, 4, 6]), middle_s=t_s[::2].astype(float))
    both = [first, second]
    assert assign_to_boxes(three, both, SampledMotion.of(both, three), CONFIG).tolist() == [0, 1, 0, 1, 0, 1]


def test_far_points_and_other_times_are_static() -> None:
    track = car([10, 0, 0], [0, 0, 0.8])
    assert claim([[50, 0, 0.8], [5, 30, 0.8]], 0.5, track).tolist() == [STATIC, STATIC]
    assert claim([[0, 0, 0.8]], 9.0, track).tolist() == [STATIC]  # long after its last box


def test_a_fast_object_is_found_at_both_ends_of_a_turn() -> None:
    track = car([35, 0, 0], [0, 0, 0.8])
    t_s = np.array([0.60, 0.65])
    assert claim([[35 * 0.60 - 2, 0, 0.8], [35 * 0.65 + 2, 0, 0.8]], t_s, track).tolist() == [0, 0]


def test_a_track_in_a_long_gap_claims_nothing() -> None:
    track = car([10, 0, 0], [0, 0, 0.8], stamps_s=(0.0, 0.5, 3.0, 3.5))
    assert claim([[17.5, 0, 0.8]], 1.75, track)[0] < 0


def test_no_points_and_no_tracks() -> None:
    track = car([10, 0, 0], [0, 0, 0.8])
    assert claim(np.empty((0, 3)), 0.5, track).shape == (0,)
    assert len(in_box(np.empty((0, 3)), 0.5, track)) == 0
    assert claim([[5, 0, 0.8]], 0.5).tolist() == [STATIC]


def test_claims_equal_those_of_every_point_asked_by_itself() -> None:
    """The reference implementation: each point, each box, the pose at the point's very time."""
    rng = np.random.default_rng(3)
    tracks = [car([12, 3, 0], [0, 0, 0.8], yaw=0.3), car([-8, 1, 0], [14, 2, 0.9], yaw=3.0)]
    t_s = np.sort(rng.uniform(0.4, 1.1, 600)).astype(np.float32)
    xyz = rng.uniform([0, -6, -0.5], [20, 8, 2.5], (600, 3)).astype(np.float32)
    expected = []
    for p, t in zip(xyz.astype(float), t_s.astype(float), strict=True):
        holding = []
        for k, track in enumerate(tracks):
            p_box = se3.apply(se3.inverse(track.poses_at(np.array([t * 1e6]))[0]), p[None])[0]
            if (np.abs(p_box) <= SIZE / 2 + CONFIG.margin_m).all():
                low = p_box[2] < -SIZE[2] / 2 + CONFIG.ground_clearance_m
                holding.append((np.linalg.norm(p_box), AMBIGUOUS if low else k))
        expected.append(min(holding)[1] if holding else STATIC)
    bounds = np.arange(0, 601, 100)
    one = measured_at(xyz, t_s)
    middles = t_s.reshape(6, 100).mean(axis=1).astype(float)
    owner = assign_to_boxes(replace(one, first=bounds, middle_s=middles), tracks, SampledMotion.of(tracks, one), CONFIG)
    assert owner.tolist() == expected
    assert {STATIC, AMBIGUOUS, 0, 1} <= set(expected)
