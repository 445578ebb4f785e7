"""A planar motion over time: a uniform cubic B-spline in x, y and yaw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class PlanarMotion:
    """Where an object's frame is, and which way it is turned, from `start_s` to `end_s`.

    Attributes:
        knot_s: between knots.
        coefficients: (K,C), K - 3 intervals; x, y, yaw where C is 3.
    """

    start_s: float
    knot_s: float
    coefficients: Float64

    @classmethod
    def through(
        cls, time_s: Float64, values: Float64, *, knot_s: float, sigma: Float64, acceleration: Float64
    ) -> PlanarMotion:
        """The smooth motion nearest to samples.

        Args:
            time_s: (P,) increasing; values: (P,C).
            sigma: (C,) of the samples; acceleration: (C,), the usual size of the second derivative.
        """
        start_s, span_s = float(time_s[0]), max(float(time_s[-1] - time_s[0]), 1e-3)
        intervals = max(1, int(np.ceil(span_s / knot_s)))
        knot_s = span_s / intervals
        empty = cls(start_s, knot_s, np.zeros((intervals + 3, values.shape[1])))
        knot, basis = empty.basis(time_s)
        A = np.zeros((len(time_s), intervals + 3))
        for m in range(4):
            A[np.arange(len(time_s)), knot + m] = basis[:, m]
        S = second_differences(intervals + 3, knot_s)
        columns = []
        for c in range(values.shape[1]):
            H = A.T @ A / sigma[c] ** 2 + S.T @ S * knot_s / acceleration[c] ** 2
            H += 1e-9 * np.eye(len(H)) * np.trace(H)
            columns.append(np.linalg.solve(H, A.T @ values[:, c] / sigma[c] ** 2))
        return cls(start_s, knot_s, np.column_stack(columns))

    @property
    def end_s(self) -> float:
        """The last time it speaks for."""
        return self.start_s + self.knot_s * (len(self.coefficients) - 3)

    def basis(self, time_s: NDArray[np.floating]) -> tuple[NDArray[np.int64], Float64]:  # type: ignore[type-arg]
        """First coefficient (N,) that counts at each time, and the weights (N,4) of it and the next three."""
        at = (np.asarray(time_s, dtype=np.float64) - self.start_s) / self.knot_s
        k = np.clip(np.floor(at), 0, len(self.coefficients) - 4).astype(np.int64)
        u = at - k
        weights = [(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3]
        return k, np.stack(weights, axis=1) / 6

    def at(self, time_s: NDArray[np.floating]) -> Float64:  # type: ignore[type-arg]
        """Values (N,C) at times (N,); beyond the ends the end's value and slope go on."""
        inside = np.clip(time_s, self.start_s, self.end_s)
        knot, basis = self.basis(inside)
        value = sum(basis[:, m, None] * self.coefficients[knot + m] for m in range(4))
        beyond = np.asarray(time_s - inside, dtype=np.float64)
        if beyond.any():
            value = value + beyond[:, None] * self.slope(inside)
        out: Float64 = np.asarray(value)
        return out

    def slope_basis(self, time_s: NDArray[np.floating]) -> tuple[NDArray[np.int64], Float64]:  # type: ignore[type-arg]
        """As `basis`, of the first derivative."""
        at = (np.asarray(time_s, dtype=np.float64) - self.start_s) / self.knot_s
        k = np.clip(np.floor(at), 0, len(self.coefficients) - 4).astype(np.int64)
        u = at - k
        weights = [-((1 - u) ** 2), 3 * u**2 - 4 * u, -3 * u**2 + 2 * u + 1, u**2]
        return k, np.stack(weights, axis=1) / (2 * self.knot_s)

    def slope(self, time_s: NDArray[np.floating]) -> Float64:  # type: ignore[type-arg]
        """First derivatives (N,C) at times (N,)."""
        knot, basis = self.slope_basis(np.clip(time_s, self.start_s, self.end_s))
        return np.asarray(sum(basis[:, m, None] * self.coefficients[knot + m] for m in range(4)))

    def heading(self) -> float:
        """Direction (rad) of travel in the object's own frame: its velocities, the fast ones counting more."""
        t = np.linspace(self.start_s, self.end_s, 50)
        yaw, slope = self.at(t)[:, 2], self.slope(t)
        c, s = np.cos(yaw), np.sin(yaw)
        ahead = np.column_stack([c * slope[:, 0] + s * slope[:, 1], -s * slope[:, 0] + c * slope[:, 1]])
        total = (ahead * np.linalg.norm(ahead, axis=1, keepdims=True)).sum(axis=0)
        return float(np.arctan2(total[1], total[0]))

    def into(self, xyz: NDArray[np.floating], time_s: NDArray[np.floating]) -> tuple[Float64, Float64]:  # type: ignore[type-arg]
        """Points (N,3) in the object's frame, each from its own time, and the yaw (N,) then."""
        pose = self.at(time_s)
        d = xyz[:, :2] - pose[:, :2]
        c, s = np.cos(pose[:, 2]), np.sin(pose[:, 2])
        q = np.column_stack([c * d[:, 0] + s * d[:, 1], -s * d[:, 0] + c * d[:, 1], xyz[:, 2]])
        return q, pose[:, 2]


def second_differences(count: int, knot_s: float) -> Float64:
    """(count-2, count): the second derivative at each inner coefficient."""
    S = np.zeros((max(count - 2, 0), count))
    for k in range(count - 2):
        S[k, k : k + 3] = np.array([1.0, -2.0, 1.0]) / knot_s**2
    return S
