"""Registration of an object's points of all sweeps to one another by one smooth motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.discovery.candidates import Candidates
from densegt.accumulation.motion.discovery.planar_motion import PlanarMotion, second_differences
from densegt.kernels.pair_equations import SplinePoints, nearest_in_sweeps, pair_equations

Float64 = NDArray[np.float64]

KNOT_S = 0.4
# How hard road users brake, swerve and turn.
ACCELERATION = np.array([2.5, 2.5, 0.35])
# Smaller than this an object shows nothing of its own turning.
TURNING_RADIUS_M = 0.9
OFFSETS = np.array([1, -2, 4, -7, 12, -1, 2, -4, 7, -12, 20, -20, 35, -35])
# Rounds of matching, the first ones farther.
ROUNDS, COARSE = 6, 2
MOST_A_SWEEP = 60
MOST = 3000
# Normals err more than ranges; and along a surface the next sample lies anywhere.
ACROSS_M, ALONG_M, SPACING_M = 0.07, 0.25, 0.15
# A box's middle swings out in a curve.
SIDEWAYS_MPS = 0.15
# Points of one sweep have common errors: they count as at most so many.
WORTH_A_SWEEP = 15.0


def smooth_motion(time_s: Float64, pose: Float64, *, turning: bool) -> PlanarMotion:
    """The smooth motion nearest to the poses (P,3) of a tracked object."""
    sigma = np.array([0.1, 0.1, 0.02 if turning else 10.0])
    return PlanarMotion.through(time_s, pose, knot_s=KNOT_S, sigma=sigma, acceleration=ACCELERATION)


def refine(candidates: Candidates, members: NDArray[np.intp], motion: PlanarMotion, *, turning: bool) -> PlanarMotion:
    """Gauss-Newton on the motion's coefficients; pairs are matched anew in every round.

    Args:
        members: rows of the object's points.
        turning: whether its yaw can be seen.
    """
    if len(members) < 3:
        return motion
    few = subsampled(candidates, members)
    xyz, time_s = candidates.xyz[few].astype(np.float64), candidates.time_s[few].astype(np.float64)
    sweeps, sweep = np.unique(candidates.sweep[few], return_inverse=True)
    first = np.searchsorted(sweep, np.arange(len(sweeps) + 1)).astype(np.int64)
    knot, basis = motion.basis(time_s)
    count = len(motion.coefficients)
    S = second_differences(count, motion.knot_s)
    stiff = np.kron(S.T @ S * motion.knot_s, np.diag(ACCELERATION**-2.0))
    # The frame itself is free to lie anywhere in the object: held where it is.
    hold = np.diag(np.tile([0.5, 0.5, 10.0 if turning else 1e6], count))
    each = 2
    partner = np.empty((len(few), each), dtype=np.int64)
    for turn in range(ROUNDS):
        q, yaw = motion.into(xyz, time_s)
        c, s, n = np.cos(yaw), np.sin(yaw), candidates.normal[few]
        normal = np.column_stack([c * n[:, 0] + s * n[:, 1], -s * n[:, 0] + c * n[:, 1]])
        reach_m = 0.8 if turn < COARSE else 0.5
        nearest_in_sweeps(q, sweep.astype(np.int64), first, np.roll(OFFSETS, turn), each, reach_m, partner)
        i, e = np.nonzero(partner >= 0)
        pairs = np.column_stack([i, partner[i, e]])
        if len(pairs) < 3:
            break
        H, g = np.zeros((3 * count, 3 * count)), np.zeros(3 * count)
        robust = 12.0 if turn < COARSE else 5.0
        points = SplinePoints(q, normal, yaw, knot, basis)
        pair_equations(points, pairs, ACROSS_M**-2, ALONG_M**-2, SPACING_M, robust, H, g)
        scale = min(1.0, WORTH_A_SWEEP * len(sweeps) / len(pairs))
        H, g = H * scale + stiff + hold, g * scale + stiff @ motion.coefficients.ravel()
        if turning:
            add_rolling_constraint(motion, H, g)
        step = np.linalg.solve(H, g).reshape(-1, 3)
        motion = PlanarMotion(motion.start_s, motion.knot_s, motion.coefficients - step)
        if turn >= COARSE and np.abs(step[:, :2]).max() < 0.003:
            break
    return motion


def subsampled(candidates: Candidates, members: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most so many of the members in each sweep and in all, in order of sweep."""
    if not len(members):
        return members
    rows = np.sort(members)
    sweep = candidates.sweep[rows]
    _, start, count = np.unique(sweep, return_index=True, return_counts=True)
    most = min(MOST_A_SWEEP, max(MOST // len(count), 8))
    parts = [rows[a : a + n : int(np.ceil(n / most))] for a, n in zip(start, count, strict=True)]
    return np.concatenate(parts)


def add_rolling_constraint(motion: PlanarMotion, H: Float64, g: Float64) -> None:
    """Add to the normal equations that a vehicle does not move sideways, as its wheels do not."""
    t = np.linspace(motion.start_s, motion.end_s, 2 * (len(motion.coefficients) - 3) + 1)
    theta, slope = motion.at(t)[:, 2] + motion.heading(), motion.slope(t)
    c, s = np.cos(theta), np.sin(theta)
    error = -s * slope[:, 0] + c * slope[:, 1]
    ahead = c * slope[:, 0] + s * slope[:, 1]
    knot, by_slope = motion.slope_basis(t)
    _, by_value = motion.basis(t)
    J = np.zeros((len(t), len(motion.coefficients), 3))
    row = np.arange(len(t))
    for m in range(4):
        J[row, knot + m, 0] = -s * by_slope[:, m]
        J[row, knot + m, 1] = c * by_slope[:, m]
        J[row, knot + m, 2] = -ahead * by_value[:, m]
    J = J.reshape(len(t), -1)
    H += J.T @ J / SIDEWAYS_MPS**2
    g += J.T @ error / SIDEWAYS_MPS**2
