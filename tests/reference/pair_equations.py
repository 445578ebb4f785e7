"""Slow twins of densegt.kernels.pair_equations."""

from __future__ import annotations

import numpy as np


def nearest_in_sweeps(q, sweep, first, offsets, each, reach_m, out):
    for i, e in np.ndindex(len(q), each):
        rows = np.flatnonzero(sweep == sweep[i] + offsets[(each * i + e) % len(offsets)])
        squared = np.nan_to_num((q[rows] - q[i]) ** 2 @ [1, 1, 0.25], nan=np.inf)
        out[i, e] = rows[squared.argmin()] if len(rows) and squared.min() < reach_m**2 else -1


def pair_equations(points, pairs, across_weight, along_weight, spacing_m, robust, H, g):
    """The Jacobian of one pair after the other, as a matrix over all coefficients."""

    def derivative(k):
        """Of the point's place in the object's frame, seen from above, by the coefficients (2,3K)."""
        c, s, (x, y, _) = np.cos(points.yaw[k]), np.sin(points.yaw[k]), points.xyz_object[k]
        by_pose = np.array([[-c, -s, y], [s, -c, -x]])
        J = np.zeros((2, len(g)))
        for m in range(4):
            J[:, 3 * (points.knot[k] + m) :][:, :3] += points.basis[k, m] * by_pose
        return J

    for i, j in pairs:
        error = (points.xyz_object[i] - points.xyz_object[j])[:2]
        W = across_weight * np.outer(points.normal[i], points.normal[i])
        if error @ error > spacing_m**2:
            W = W + along_weight * np.eye(2)
        W = W / (1 + error @ W @ error / robust) ** 2
        J = derivative(i) - derivative(j)
        H += J.T @ W @ J
        g += J.T @ W @ error
