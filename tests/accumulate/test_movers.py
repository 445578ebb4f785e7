"""Which points belong to which moving object: boxes and points whose owner is known by construction."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.accumulate.config import TracksConfig
from densegt.accumulate.movers import AMBIGUOUS, STATIC, claim_points
from densegt.accumulate.tracks import ContinuousTrack, moving_tracks
from densegt.datasets.scene import Scene, SpinModel, Track
from densegt.geometry import se3

CONFIG = TracksConfig()
SIZE = np.array([4.0, 2.0, 1.6])


def car(velocity_mps: list[float], start_m: list[float], *, yaw: float = 0.0, stamps_s=(0.0, 0.5, 1.0, 1.5)):
    """A car that drives straight on from `start_m` at time 0."""
    stamps = np.array(stamps_s)
    places = np.array(start_m) + stamps[:, None] * np.array(velocity_mps)
    poses = np.stack([se3.from_yaw(yaw, p) for p in places])
    track = Track("car", "vehicle.car", SIZE, (stamps * 1e6).astype(np.int64), poses)
    (got,) = moving_tracks(Scene("s", (), (), (track,), SpinModel(), lambda sweep: None), CONFIG)
    return got


def claim(xyz, t_s, *tracks: ContinuousTrack):
    xyz = np.asarray(xyz, float).reshape(-1, 3)
    return claim_points(xyz, np.broadcast_to(np.asarray(t_s) * 1e6, len(xyz)).astype(float), tracks, CONFIG)


def test_a_point_is_claimed_at_its_own_time_and_given_the_box_at_that_time() -> None:
    """At 20 m/s a car moves 1 m within a turn of 50 ms: its front corner belongs to it late in the turn only."""
    track = car([20, 0, 0], [0, 0, 0.8])
    corner = [20 * 0.74 + 2.0, 0.0, 0.8]
    xyz, t_s = [corner, corner], np.array([0.74, 0.70])
    owner, T = claim(xyz, t_s, track)
    assert owner.tolist() == [0, STATIC]
    np.testing.assert_allclose(T[0], se3.from_yaw(0, [14.8, 0, 0.8]), atol=1e-9)


def test_every_point_of_a_face_scanned_over_a_turn_comes_back_to_the_face() -> None:
    """A lidar's skew: points of one plane, each measured at its own time, lie on that plane of the box again."""
    track = car([15, -6, 0], [3, 8, 0.8], yaw=0.4)
    rng = np.random.default_rng(0)
    t_s = rng.uniform(0.95, 1.0, 300)
    on_face = np.stack([np.full(300, 2.0), rng.uniform(-1, 1, 300), rng.uniform(-0.6, 0.8, 300)], axis=1)
    where = np.array([3, 8, 0.8]) + t_s[:, None] * np.array([15, -6, 0])
    xyz = on_face @ se3.from_yaw(0.4, [0, 0, 0])[:3, :3].T + where
    owner, T = claim(xyz, t_s, track)
    assert (owner == 0).all()
    back = np.stack([se3.apply(se3.inverse(T[i]), xyz[i : i + 1])[0] for i in range(300)])
    np.testing.assert_allclose(back, on_face, atol=1e-9)


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
    assert claim(se3.apply(T, np.array([xyz_box])), 0.6, track)[0].tolist() == [owner]


def test_the_lowest_slice_of_a_flat_box_is_at_most_two_fifths_of_it() -> None:
    track = car([10, 0, 0], [0, 0, 0])
    flat = ContinuousTrack(**{**vars_of(track), "size_lwh_m": np.array([4.0, 2.0, 0.2])})
    owner, _ = claim([[5, 0, -0.03], [5, 0, -0.01]], 0.5, flat)
    assert owner.tolist() == [AMBIGUOUS, 0]


def vars_of(track: ContinuousTrack) -> dict:
    return {name: getattr(track, name) for name in ContinuousTrack.__dataclass_fields__}


def test_of_two_overlapping_boxes_the_one_whose_middle_is_nearest_wins_whatever_their_order() -> None:
    first, second = car([5, 0, 0], [0, 0, 0.8]), car([5, 0, 0], [3.0, 0, 0.8])
    xyz = [[2.5 + 1.4, 0, 0.8], [2.5 + 1.6, 0, 0.8], [2.5 - 1.9, 0, 0.8], [2.5 + 4.9, 0, 0.8], [2.5 + 1.6, 0, 0.05]]
    owner, T = claim(xyz, 0.5, first, second)
    assert owner.tolist() == [0, 1, 0, 1, AMBIGUOUS]
    np.testing.assert_allclose(T[:4, 0, 3], [2.5, 5.5, 2.5, 5.5], atol=1e-9)
    assert claim(xyz, 0.5, second, first)[0].tolist() == [1, 0, 1, 0, AMBIGUOUS]


def test_far_points_and_other_times_are_static() -> None:
    track = car([10, 0, 0], [0, 0, 0.8])
    assert claim([[50, 0, 0.8], [5, 30, 0.8]], 0.5, track)[0].tolist() == [STATIC, STATIC]
    assert claim([[0, 0, 0.8]], 9.0, track)[0].tolist() == [STATIC]  # long after its last box


def test_a_fast_object_is_found_at_both_ends_of_a_turn() -> None:
    track = car([35, 0, 0], [0, 0, 0.8])
    t_s = np.array([0.60, 0.65])
    assert claim([[35 * 0.60 - 2, 0, 0.8], [35 * 0.65 + 2, 0, 0.8]], t_s, track)[0].tolist() == [0, 0]


def test_a_track_in_a_long_gap_claims_nothing() -> None:
    track = car([10, 0, 0], [0, 0, 0.8], stamps_s=(0.0, 0.5, 3.0, 3.5))
    assert claim([[17.5, 0, 0.8]], 1.75, track)[0][0] < 0


def test_no_points_and_no_tracks() -> None:
    track = car([10, 0, 0], [0, 0, 0.8])
    owner, T = claim(np.empty((0, 3)), 0.5, track)
    assert owner.shape == (0,)
    assert T.shape == (0, 4, 4)
    assert claim([[5, 0, 0.8]], 0.5)[0].tolist() == [STATIC]
