"""Boxes at 2 Hz become continuous motion: against motions known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from densegt.accumulation.config import TracksConfig
from densegt.accumulation.motion.tracks import ContinuousTrack, moving_tracks
from densegt.datasets.scene import ObjectKind, Scene, Track
from densegt.geometry import se3

CONFIG = TracksConfig()
PERIOD_S = 0.5


def track(poses: list[np.ndarray], stamps_s: list[float], kind: ObjectKind = ObjectKind.RIGID_VEHICLE) -> Track:
    stamps = np.round(np.array(stamps_s) * 1e6).astype(np.int64)
    return Track("car", "any", kind, np.array([4.5, 1.9, 1.6]), stamps, np.stack(poses))


def moving(*tracks: Track) -> list[ContinuousTrack]:
    return moving_tracks(Scene("s", (), (), (), tracks, lambda sweep: None), CONFIG)


def continuous(pose_at, stamps_s) -> ContinuousTrack:
    (only,) = moving(track([pose_at(t) for t in stamps_s], list(stamps_s)))
    return only


def along_x(x_at):
    return lambda t: se3.from_yaw(0.0, [x_at(t), 3.0, 1.0])


def linear(pose_at, stamps_s, t: np.ndarray) -> np.ndarray:
    """What linear interpolation of x would give."""
    return np.interp(t, stamps_s, [pose_at(s)[0, 3] for s in stamps_s])


KNOTS = np.arange(9) * PERIOD_S
WITHIN = np.linspace(0, KNOTS[-1], 401)


def us(t_s) -> np.ndarray:
    return np.atleast_1d(t_s) * 1e6


def test_steady_braking_is_followed_exactly() -> None:
    """A parabola lies in the span of cubics; linear interpolation errs by a T^2 / 8 = 9.4 cm at 3 m/s^2."""
    pose_at = along_x(lambda t: 15 * t - 1.5 * t * t)
    error = continuous(pose_at, KNOTS).poses_at(us(WITHIN))[:, 0, 3] - [pose_at(t)[0, 3] for t in WITHIN]
    assert np.abs(error).max() < 1e-9
    line = linear(pose_at, KNOTS, WITHIN) - [pose_at(t)[0, 3] for t in WITHIN]
    assert np.abs(line).max() == pytest.approx(3 * PERIOD_S**2 / 8, rel=1e-3)


@pytest.mark.parametrize("begins_s", [1.0, 1.25, 1.4])
def test_braking_that_sets_in_between_two_boxes(begins_s: float) -> None:
    """The jolt at its onset costs a cubic a third of linear interpolation's a T^2 / 8 at most, on average 1/8."""

    def x_at(t: float) -> float:
        s = max(t - begins_s, 0.0)
        return 12 * t - 1.5 * s * s

    pose_at = along_x(x_at)
    truth = np.array([x_at(t) for t in WITHIN])
    error = np.abs(continuous(pose_at, KNOTS).poses_at(us(WITHIN))[:, 0, 3] - truth)
    line = np.abs(linear(pose_at, KNOTS, WITHIN) - truth)
    assert error.max() < 3 * PERIOD_S**2 / 8 / 3
    assert error.mean() < line.mean() / 8


def test_turning_on_a_circle() -> None:
    """10 m/s on 20 m radius. A chord's sagitta is v^2 T^2 / 8 r = 15.6 cm; the cubic's error is of fourth order."""
    r, rate = 20.0, 0.5

    def pose_at(t: float) -> np.ndarray:
        return se3.from_yaw(rate * t, [r * np.sin(rate * t), r * (1 - np.cos(rate * t)), 1.0])

    T = continuous(pose_at, KNOTS).poses_at(us(WITHIN))
    truth = np.stack([pose_at(t) for t in WITHIN])
    position = np.linalg.norm(T[:, :3, 3] - truth[:, :3, 3], axis=1)
    # The spline's end intervals are the worst: 2/27 h^4 |f''''| / 24 at third derivatives that are not known there.
    assert position.max() < 0.004
    assert position[100:300].max() < 0.001
    heading = Rotation.from_matrix(T[:, :3, :3]).as_euler("zyx")[:, 0]
    np.testing.assert_allclose(heading, rate * WITHIN, atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(T[:, :3, :3]), 1.0, atol=1e-9)


def test_heading_turns_the_short_way_over_the_seam() -> None:
    def pose_at(t: float) -> np.ndarray:
        return se3.from_yaw(np.pi - 0.2 + 0.2 * t, [5 * t, 0, 0])

    T = continuous(pose_at, [0.0, 0.5, 1.0, 1.5, 2.0]).poses_at(us(1.25))[0]
    np.testing.assert_allclose(T[:3, :3], pose_at(1.25)[:3, :3], atol=1e-6)


@pytest.mark.parametrize("knots", [1, 2, 3, 4, 7])
def test_every_box_is_kept_as_it_is(knots: int) -> None:
    rng = np.random.default_rng(knots)
    poses = [se3.from_yaw(0.3 * k, [4 * k + rng.normal(), rng.normal(), 0.5]) for k in range(knots)]
    stamps = np.cumsum(rng.uniform(0.3, 0.7, knots))
    (got,) = moving(track(poses, stamps.tolist()))
    np.testing.assert_allclose(got.poses_at(got.knots_us.astype(float)), np.stack(poses), atol=1e-9)


def test_two_boxes_are_joined_by_a_straight_line() -> None:
    got = continuous(along_x(lambda t: 8 * t), [0.0, 0.5])
    np.testing.assert_allclose(got.poses_at(us([0.1, 0.25, 0.6]))[:, 0, 3], [0.8, 2.0, 4.8], atol=1e-9)


def test_beyond_its_ends_it_goes_on_with_the_end_velocity_and_turning_rate() -> None:
    """x = 10 t - t^2: 10 m/s at the beginning and 10 - 2 x 4 = 2 m/s at the end; 0.4 rad/s throughout."""

    def pose_at(t: float) -> np.ndarray:
        return se3.from_yaw(0.4 * t, [10 * t - t * t, 0, 0])

    T = continuous(pose_at, KNOTS).poses_at(us([-0.3, 4.4]))
    np.testing.assert_allclose(T[0], se3.from_yaw(-0.12, [-3.0, 0, 0]), atol=1e-6)
    np.testing.assert_allclose(T[1], se3.from_yaw(1.76, [24.0 + 0.8, 0, 0]), atol=1e-6)


# --- when it can be trusted ---


@pytest.mark.parametrize(
    ("stamps_s", "t_s", "known"),
    [
        ([0.0, 0.5, 1.0], 0.7, True),
        ([0.0, 0.5, 1.0], 0.0, True),
        ([0.0, 0.5, 1.0], 1.0, True),
        ([0.0, 0.5, 1.0], -0.49, True),  # half a second beyond the ends
        ([0.0, 0.5, 1.0], -0.51, False),
        ([0.0, 0.5, 1.0], 1.49, True),
        ([0.0, 0.5, 1.0], 1.51, False),
        ([0.0, 0.5, 2.0, 2.5], 1.2, True),  # a gap of 1.5 s
        ([0.0, 0.5, 2.2, 2.7], 1.2, False),  # of 1.7 s
        ([0.0, 0.5, 2.2, 2.7], 0.3, True),
        ([0.0, 0.5, 2.2, 2.7], 2.3, True),
        ([0.0, 2.0], 2.4, True),  # beyond the ends of one long gap
        ([5.0], 5.0, True),
        ([5.0], 5.09, True),
        ([5.0], 4.91, True),
        ([5.0], 5.11, False),
        ([5.0], 4.89, False),
    ],
)
def test_known_at(stamps_s: list[float], t_s: float, known: bool) -> None:
    got = continuous(along_x(lambda t: 9 * t), stamps_s)
    assert bool(got.known_at(us(t_s))[0]) is known


@pytest.mark.parametrize("stamps_s", [[0.0, 0.5, 3.0], [0.0, 3.0, 6.0], [0.0, 0.5, 3.0, 3.5, 7.0, 10.0]])
def test_a_track_knows_where_it_is_when_it_was_annotated(stamps_s: list[float]) -> None:
    """Whatever the gap beside it: at the very time of a box there is a box."""
    got = continuous(along_x(lambda t: 9 * t), stamps_s)
    assert got.known_at(us(stamps_s)).tolist() == [True] * len(stamps_s)


def test_known_at_takes_many_times() -> None:
    got = continuous(along_x(lambda t: 9 * t), [0.0, 0.5, 3.0])
    assert got.known_at(us([-1.0, 0.2, 1.5, 3.2, 9.0])).tolist() == [False, True, False, True, False]
    assert got.known_at(np.empty(0)).shape == (0,)


# --- which tracks move ---


@pytest.mark.parametrize(("way_m", "moves"), [(0.0, False), (0.7, False), (1.6, True), (30.0, True)])
def test_what_stays_within_0_75_m_of_its_middle_stands_still(way_m: float, moves: bool) -> None:
    """Along a line the middle of all boxes is half-way, so 1.5 m from end to end is the limit."""
    pose_at = along_x(lambda t: way_m * t / KNOTS[-1])
    assert bool(moving(track([pose_at(t) for t in KNOTS], KNOTS.tolist()))) is moves


def test_a_start_at_the_end_of_the_scene_is_motion() -> None:
    pose_at = along_x(lambda t: max(t - 3.5, 0) * 4)
    assert len(moving(track([pose_at(t) for t in KNOTS], KNOTS.tolist()))) == 1


@pytest.mark.parametrize("kind", ObjectKind)
def test_of_a_single_box_its_kind_tells(kind: ObjectKind) -> None:
    assert bool(moving(track([np.eye(4)], [1.0], kind))) is (kind is not ObjectKind.OTHER)


@pytest.mark.parametrize("kind", ObjectKind)
def test_people_and_two_wheelers_deform(kind: ObjectKind) -> None:
    pose_at = along_x(lambda t: 5 * t)
    (got,) = moving(track([pose_at(t) for t in KNOTS], KNOTS.tolist(), kind))
    assert got.deforming is (kind in (ObjectKind.PERSON, ObjectKind.TWO_WHEELER))
