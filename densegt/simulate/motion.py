"""Motion: paths over the ground, speeds along them, and the smooth pose at any time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Float64 = NDArray[np.float64]

SOFT_KERB_M = 0.5
"""Feet and wheels climb a kerb over this length instead of jumping."""

KNOT_S = 0.05
MARGIN_S = 0.5
"""Motions are defined this long before the first and after the last keyframe."""


class Ground(Protocol):
    """What bodies stand on."""

    def heights(self, xy: Float64, *, ramp_m: float) -> Float64:
        """Heights (N,) of points (N,2); a kerb is climbed over `ramp_m`."""


@dataclass(frozen=True)
class Path:
    """A smooth line over the ground by its length: `curve(s)` is (x, y)."""

    curve: CubicSpline
    length_m: float

    @staticmethod
    def through(xy: Float64) -> Path:
        """The path through dense points (N,2)."""
        s = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(xy, axis=0), axis=1))])
        return Path(CubicSpline(s, xy, axis=0), float(s[-1]))


@dataclass(frozen=True)
class Speed:
    """A speed that goes smoothly from `before` to `after` (m/s), beginning at `start_s` and taking `duration_s`."""

    before_mps: float
    after_mps: float
    start_s: float
    duration_s: float

    def distance(self, t: Float64) -> Float64:
        """Metres (N,) travelled from time 0 to t (N,)."""
        return self._integral(t) - self._integral(np.zeros(1))

    def _integral(self, t: Float64) -> Float64:
        u = (t - self.start_s) / self.duration_s
        inside = np.clip(u, 0, 1)
        ramp: Float64 = inside**3 - inside**4 / 2 + np.maximum(u - 1, 0)  # integral of 3u^2 - 2u^3, then of 1
        out: Float64 = self.before_mps * t + (self.after_mps - self.before_mps) * self.duration_s * ramp
        return out


@dataclass(frozen=True)
class Motion:
    """Where a body is: a spline over time of x, y, z, yaw, pitch, roll and the phase of its limbs."""

    spline: CubicSpline

    def state(self, t_s: Float64) -> Float64:
        """(N,7) at times (N,)."""
        out: Float64 = self.spline(t_s)
        return out

    def T_world_body(self, t_s: Float64) -> Float64:
        """Poses (N,4,4)."""
        return poses_from_state(self.state(t_s))

    def turned(self, yaw_rad: float) -> Motion:
        """The same way with the body turned, as when it backs."""
        state = self.spline(self.spline.x)
        state[:, 3] += yaw_rad
        state[:, 4:6] *= np.cos(yaw_rad)
        return Motion(CubicSpline(self.spline.x, state, axis=0))


def poses_from_state(state: Float64) -> Float64:
    """Poses (N,4,4) from x, y, z, yaw, pitch (nose down positive), roll in (N,6+)."""
    cy, sy = np.cos(state[:, 3]), np.sin(state[:, 3])
    cp, sp = np.cos(state[:, 4]), np.sin(state[:, 4])
    cr, sr = np.cos(state[:, 5]), np.sin(state[:, 5])
    T = np.zeros((len(state), 4, 4))
    T[:, 0, 0], T[:, 0, 1], T[:, 0, 2] = cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr
    T[:, 1, 0], T[:, 1, 1], T[:, 1, 2] = sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr
    T[:, 2, 0], T[:, 2, 1], T[:, 2, 2] = -sp, cp * sr, cp * cr
    T[:, :3, 3] = state[:, :3]
    T[:, 3, 3] = 1.0
    return T


def travel(
    path: Path, start_m: float, speed: Speed, ground: Ground, *, seconds: float, wheelbase_m: float, stride_m: float
) -> Motion:
    """A body that follows the path at that speed with its contact points on the ground; stride 0 = no limbs."""
    t = np.arange(-MARGIN_S, seconds + MARGIN_S + KNOT_S, KNOT_S)
    s = _stopping(start_m + speed.distance(t), path.length_m, 4.0 if wheelbase_m > 1 else 0.6)
    xy = path.curve(s)
    tangent = path.curve(s, 1)
    yaw = np.unwrap(np.arctan2(tangent[:, 1], tangent[:, 0]))
    phase = 2 * np.pi * s / stride_m if stride_m else np.zeros_like(s)
    return Motion(CubicSpline(t, np.column_stack([_on_ground(xy, yaw, ground, wheelbase_m), phase]), axis=0))


def _stopping(s: Float64, end_m: float, soft_m: float) -> Float64:
    """Ways (N,) that come to a smooth stop at the path's end."""
    stopped: Float64 = -soft_m * np.logaddexp(-s / soft_m, -end_m / soft_m)
    return stopped


def standing(xy: Float64, yaw_rad: float, ground: Ground, *, wheelbase_m: float) -> Motion:
    """A body that stays where it is."""
    state = np.append(_on_ground(np.asarray(xy)[None], np.array([yaw_rad]), ground, wheelbase_m)[0], 0.0)
    return Motion(CubicSpline([-1e3, 1e3], np.stack([state, state]), axis=0))


def _on_ground(xy: Float64, yaw: Float64, ground: Ground, wheelbase_m: float) -> Float64:
    """State (N,6) of a body with four contact points, a square of half a wheelbase by 1.5 m at most."""
    half, side = wheelbase_m / 2, min(wheelbase_m / 2, 0.75)
    ahead = np.column_stack([np.cos(yaw), np.sin(yaw)])
    left = np.column_stack([-np.sin(yaw), np.cos(yaw)])
    corners = [(a, b) for a in (-1, 1) for b in (-1, 1)]
    feet = np.concatenate([xy + a * half * ahead + b * side * left for a, b in corners])
    z = dict(zip(corners, ground.heights(feet, ramp_m=SOFT_KERB_M).reshape(4, -1), strict=True))
    mean = sum(z.values()) / 4
    pitch = -np.arctan2(z[1, 1] + z[1, -1] - z[-1, 1] - z[-1, -1], 4 * half)
    roll = np.arctan2(z[1, 1] + z[-1, 1] - z[1, -1] - z[-1, -1], 4 * side)
    if wheelbase_m < 1.0:  # people stand upright
        pitch, roll = np.zeros_like(yaw), np.zeros_like(yaw)
    return np.column_stack([xy, mean, yaw, pitch, roll])
