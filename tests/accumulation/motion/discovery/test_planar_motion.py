"""The spline that carries what was found."""

from __future__ import annotations

import numpy as np

from densegt.accumulation.motion.discovery.motion_refinement import add_rolling_constraint
from densegt.accumulation.motion.discovery.planar_motion import PlanarMotion

TIME_S = np.linspace(3.0, 5.0, 41)
POSE = np.column_stack([2 + 6 * TIME_S - 0.7 * TIME_S**2, 0.3 * TIME_S**2, 0.1 * TIME_S])


def through(values: np.ndarray) -> PlanarMotion:
    loose = np.full(values.shape[1], 1e6)
    return PlanarMotion.through(TIME_S, values, knot_s=0.4, sigma=np.ones(values.shape[1]), acceleration=loose)


def test_a_parabola_is_followed_exactly_with_its_slope() -> None:
    motion = through(POSE)
    t = np.linspace(3.0, 5.0, 77)
    exact = np.column_stack([2 + 6 * t - 0.7 * t**2, 0.3 * t**2, 0.1 * t])
    np.testing.assert_allclose(motion.at(t), exact, atol=1e-4)
    slope = np.column_stack([6 - 1.4 * t, 0.6 * t, np.full(77, 0.1)])
    np.testing.assert_allclose(motion.slope(t), slope, atol=1e-3)


def test_beyond_its_ends_it_goes_straight_on() -> None:
    motion = through(POSE)
    got = motion.at(np.array([2.5, 5.5]))
    ends, slopes = motion.at(np.array([3.0, 5.0])), motion.slope(np.array([3.0, 5.0]))
    np.testing.assert_allclose(got, ends + np.array([[-0.5], [0.5]]) * slopes, atol=1e-9)


def test_a_stiff_motion_smooths_noise_away() -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, POSE.shape)
    stiff = PlanarMotion.through(
        TIME_S, POSE + noise, knot_s=0.4, sigma=np.full(3, 0.2), acceleration=np.array([1.0, 1.0, 0.2])
    )
    assert np.abs(stiff.at(TIME_S) - POSE)[5:-5].max() < 0.15


def test_points_come_back_to_the_frame_they_were_carried_from() -> None:
    motion = through(POSE)
    rng = np.random.default_rng(1)
    q, t = rng.normal(0, 2, (50, 3)), rng.uniform(3, 5, 50)
    pose = motion.at(t)
    c, s = np.cos(pose[:, 2]), np.sin(pose[:, 2])
    turned = np.column_stack([c * q[:, 0] - s * q[:, 1], s * q[:, 0] + c * q[:, 1]])
    back, yaw = motion.into(np.column_stack([pose[:, :2] + turned, q[:, 2]]), t)
    np.testing.assert_allclose(back, q, atol=1e-9)
    np.testing.assert_allclose(yaw, pose[:, 2])


def test_travel_is_told_in_the_objects_own_frame() -> None:
    turned = through(np.column_stack([5 * np.cos(0.7) * TIME_S, 5 * np.sin(0.7) * TIME_S, np.full(41, 0.2)]))
    np.testing.assert_allclose(turned.heading(), 0.5, atol=1e-3)


def test_rolling_turns_what_slides_sideways() -> None:
    """Its equations alone, with a little damping, lead a motion that drifts sideways back to one that rolls."""
    motion = through(np.column_stack([6 * TIME_S, 0.2 * np.sin(2 * TIME_S), np.zeros(41)]))

    def sideways(motion: PlanarMotion) -> float:
        theta, slope = motion.at(TIME_S)[:, 2] + motion.heading(), motion.slope(TIME_S)
        return float(np.abs(-np.sin(theta) * slope[:, 0] + np.cos(theta) * slope[:, 1]).max())

    before = sideways(motion)
    n = motion.coefficients.size
    for _ in range(5):
        H, g = np.eye(n), np.zeros(n)
        add_rolling_constraint(motion, H, g)
        motion = PlanarMotion(motion.start_s, motion.knot_s, motion.coefficients - np.linalg.solve(H, g).reshape(-1, 3))
    assert sideways(motion) < 0.2 * before
