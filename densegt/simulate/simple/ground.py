"""The ground of a scene: a street along x in the world frame, gently curved, with slopes, kerbs and a cross-street."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.kernels import raycast_ground

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """Parameters of the ground; a place in the street is (x, d), d to the left of the centreline.

    Attributes:
        vector: (26,) for raycast_ground.
        half_width_m: of the main road; lane_m: a lane's width; lanes: per direction.
        cross_x_m, cross_half_m: the cross-street.
    """

    vector: Float64
    half_width_m: float
    lane_m: float
    lanes: int
    cross_x_m: float
    cross_half_m: float

    @property
    def road(self) -> raycast_ground.Road:
        """The ground's parameters and its lanes, for kernels."""
        return raycast_ground.Road(self.vector, self.lane_m, self.lanes)

    def centre(self, x: Float64) -> Float64:
        """Middle y (N,) of the road at x (N,)."""
        g = self.vector
        middle: Float64 = g[2] * (np.sin(g[3] * x + g[4]) - np.sin(g[4]))
        return middle

    def heading(self, x: float) -> float:
        """The street's yaw at x."""
        g = self.vector
        return float(np.arctan(g[2] * g[3] * np.cos(g[3] * x + g[4])))

    def place(self, x: float, d: float) -> Float64:
        """World (x, y) of a place in the street."""
        return np.array([x, float(self.centre(np.array([x]))[0]) + d])

    def heights(self, xy: Float64, *, ramp_m: float = raycast_ground.KERB_RAMP_M) -> Float64:
        """Heights (N,) of points (N,2)."""
        out = np.empty(len(xy))
        raycast_ground.heights(np.ascontiguousarray(xy, dtype=np.float64), self.vector, ramp_m, out)
        return out

    def height(self, xy: Float64) -> float:
        """Height of one point."""
        return float(self.heights(np.asarray(xy)[None])[0])


def make_ground(rng: np.random.Generator) -> Ground:
    """Draw a street."""
    lanes = int(rng.integers(1, 3))
    lane_m, parking_m = 3.5, 2.4
    half_width = lanes * lane_m + parking_m
    wave = 2 * np.pi / rng.uniform(260, 420)
    g = np.zeros(26)
    g[0:2] = rng.uniform(-0.02, 0.02), rng.uniform(-0.008, 0.008)
    g[2:5] = rng.uniform(2.0, 5.0) * rng.choice([-1, 1]), wave, rng.uniform(0, 2 * np.pi)
    g[5:10] = half_width, rng.uniform(0.10, 0.18), rng.uniform(28, 60), rng.uniform(3.8, 5.0), rng.uniform(0.05, 0.12)
    for i, (amplitude, length) in enumerate(((0.5, 110.0), (0.06, 23.0), (0.018, 7.0), (0.008, 3.1))):
        way = rng.uniform(-0.9, 0.9)
        k = 2 * np.pi / (length * rng.uniform(0.8, 1.25))
        scale = rng.uniform(0.5, 1.0)
        g[10 + 4 * i : 14 + 4 * i] = amplitude * scale, k * np.cos(way), k * np.sin(way), rng.uniform(0, 2 * np.pi)
    return Ground(g, half_width, lane_m, lanes, float(g[7]), float(g[8]))


def flat_ground() -> Ground:
    """A plane z = 0 with no kerb: a known world for tests."""
    g = np.zeros(26)
    g[3], g[5], g[7], g[8] = 0.01, 6.0, 40.0, 4.0
    return Ground(g, 6.0, 3.5, 1, 40.0, 4.0)
