"""Boxes at 2 Hz become continuous motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation, RotationSpline

from densegt.accumulation.config import TracksConfig
from densegt.datasets.scene import ObjectKind, Scene, Track

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class ContinuousTrack:
    """A box's pose at any time of its life: cubic spline in position, rotation spline in attitude.

    A parabola's error between keyframes T apart is a T^2 / 8 for linear interpolation (9 cm at 3 m/s^2); a cubic
    through the whole track follows braking and turning.

    Attributes:
        token: instance token.
        size_lwh_m: (3,).
        deforming: people and two-wheelers.
    """

    token: str
    category: str
    size_lwh_m: Float64
    deforming: bool
    knots_us: NDArray[np.int64]
    T_global_box: Float64
    max_extrapolation_s: float
    max_gap_s: float

    def __post_init__(self) -> None:
        t = (self.knots_us - self.knots_us[0]) * 1e-6
        if len(t) > 1:
            object.__setattr__(self, "_position", CubicSpline(t, self.T_global_box[:, :3, 3], bc_type=_ends(len(t))))
            object.__setattr__(self, "_rotation", RotationSpline(t, Rotation.from_matrix(self.T_global_box[:, :3, :3])))

    def known_at(self, t_us: Float64) -> NDArray[np.bool_]:
        """Which times (N,) the track can speak for: near a knot, or between two that are not far apart."""
        reach_us = self.max_extrapolation_s * 1e6 if len(self.knots_us) > 1 else 0.1e6
        near: NDArray[np.bool_] = (np.abs(t_us[:, None] - self.knots_us) <= reach_us).any(axis=1)
        if len(self.knots_us) == 1:
            return near
        k = np.clip(np.searchsorted(self.knots_us, t_us, side="right") - 1, 0, len(self.knots_us) - 2)
        inside = (t_us >= self.knots_us[0]) & (t_us <= self.knots_us[-1])
        short: NDArray[np.bool_] = np.diff(self.knots_us)[k] <= self.max_gap_s * 1e6
        known: NDArray[np.bool_] = near | (inside & short)
        return known

    def poses_at(self, t_us: Float64) -> Float64:
        """T_global_box (N,4,4) at times (N,); beyond the ends with the end's velocity and turning rate."""
        if len(self.knots_us) == 1:
            return np.repeat(self.T_global_box, len(t_us), axis=0)
        t = (t_us - self.knots_us[0]) * 1e-6
        inside = np.clip(t, 0.0, (self.knots_us[-1] - self.knots_us[0]) * 1e-6)
        beyond = (t - inside)[:, None]
        position: CubicSpline = self._position  # type: ignore[attr-defined]
        rotation: RotationSpline = self._rotation  # type: ignore[attr-defined]
        out = np.zeros((len(t), 4, 4))
        attitude, out[:, :3, 3] = rotation(inside), position(inside)
        if beyond.any():
            attitude = Rotation.from_rotvec(rotation(inside, 1) * beyond) * attitude
            out[:, :3, 3] += position(inside, 1) * beyond
        out[:, :3, :3] = attitude.as_matrix()
        out[:, 3, 3] = 1.0
        return out

    def weights_at(self, t_us: Float64) -> Float64:
        """How far the place at times (N,) follows each knot (N,M): `poses_at` is linear in the knots' places."""
        if len(self.knots_us) == 1:
            return np.ones((len(t_us), 1))
        knots_s = (self.knots_us - self.knots_us[0]) * 1e-6
        t = (t_us - self.knots_us[0]) * 1e-6
        inside = np.clip(t, 0.0, knots_s[-1])
        each = CubicSpline(knots_s, np.eye(len(knots_s)), bc_type=_ends(len(knots_s)))
        weights: Float64 = each(inside) + each(inside, 1) * (t - inside)[:, None]
        return weights

    @property
    def radius_m(self) -> float:
        """Distance from the box's middle to its corners."""
        return float(np.linalg.norm(self.size_lwh_m) / 2)


def _ends(knots: int) -> str:
    return "not-a-knot" if knots > 3 else "natural"


def moving_tracks(scene: Scene, config: TracksConfig) -> list[ContinuousTrack]:
    """The tracks that move at some time of the scene. What stands still all along belongs to the static world."""
    return [_continuous(track, config) for track in scene.tracks if _moves(track, config.moving_m)]


def standing_vehicles(scene: Scene, config: TracksConfig) -> list[ContinuousTrack]:
    """The tracks of vehicles that stand still all along."""
    kinds = (ObjectKind.RIGID_VEHICLE, ObjectKind.TRAILER)
    return [_continuous(t, config) for t in scene.tracks if t.kind in kinds and not _moves(t, config.moving_m)]


def _moves(track: Track, moving_m: float) -> bool:
    if len(track.timestamps_us) == 1:
        # One box says nothing about motion; an object whose kind can move may be moving.
        return track.kind.can_move
    xyz = track.T_global_box[:, :3, 3]
    return float(np.linalg.norm(xyz - np.median(xyz, axis=0), axis=1).max()) > moving_m


def _continuous(track: Track, config: TracksConfig) -> ContinuousTrack:
    return ContinuousTrack(
        token=track.token,
        category=track.category,
        size_lwh_m=track.size_lwh_m,
        deforming=track.kind.deforms,
        knots_us=track.timestamps_us,
        T_global_box=track.T_global_box,
        max_extrapolation_s=config.max_extrapolation_s,
        max_gap_s=config.max_gap_s,
    )
