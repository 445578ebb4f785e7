"""Drift: the error of the recorded ego poses, slow as a localiser's is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Drift:
    """Error of x, y, z (m) and yaw (rad) over time."""

    spline: CubicSpline

    def apply(self, T_global_ego: Float64, t_s: float) -> Float64:
        """The recorded pose (4,4) for a true one."""
        x, y, z, yaw = self.spline(t_s)
        c, s = np.cos(yaw), np.sin(yaw)
        T = T_global_ego.copy()
        T[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ T[:3, :3]
        T[:3, 3] += [x, y, z]
        return T


def make_drift(rng: np.random.Generator, noise_m: float, seconds: float) -> Drift:
    """A new error every 1.5 s, smooth between; z gets half of it, yaw a hundredth per metre."""
    t = np.arange(-1.5, seconds + 3.0, 1.5)
    return Drift(CubicSpline(t, rng.normal(0, noise_m, (len(t), 4)) * [1, 1, 0.5, 0.01], axis=0))
