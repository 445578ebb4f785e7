"""Normal equations of bundle adjustment over planes."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def plane_adjustment(
    xyz: NDArray[np.float64],
    arm: NDArray[np.float64],
    body: NDArray[np.int32],
    members: NDArray[np.int32],
    normal: NDArray[np.float64],
    scale_m: float,
    H: NDArray[np.float64],
    g: NDArray[np.float64],
) -> None:
    """Add to `H` (B,B,6,6) and `g` (B,6) the terms of A planes for the small motions of B bodies; the step is -H^-1 g.

    Residuals are distances of a plane's members along its normal from their weighted mean (the plane itself is
    eliminated), weighted by Geman-McClure. H is symmetric: blocks [b,c] with c > b are left alone.

    Args:
        xyz: (N,3) m; arm: (N,3) m, from the body's centre of rotation.
        body: (N,) index of each point's body.
        members: (A,K) rows, -1 = none; normal: (A,3) unit vectors.
        scale_m: of Geman-McClure.
        H, g: per body three translations in m, then three rotations in rad.
    """
    K = members.shape[1]
    J = np.empty((K, 6))
    r, w = np.empty(K), np.empty(K)
    for a in range(len(members)):
        n = normal[a]
        mean, count = 0.0, 0
        for k in range(K):
            i = members[a, k]
            if i >= 0:
                r[k] = xyz[i, 0] * n[0] + xyz[i, 1] * n[1] + xyz[i, 2] * n[2]
                mean += r[k]
                count += 1
        if count == 0:
            continue
        mean /= count
        total, weighted = 0.0, 0.0
        for k in range(K):
            w[k] = 0.0
            if members[a, k] >= 0:
                off = (r[k] - mean) / scale_m
                w[k] = 1.0 / ((1.0 + off * off) * (1.0 + off * off))
                total += w[k]
                weighted += w[k] * r[k]
        mean = weighted / total
        for k in range(K):
            i = members[a, k]
            if i < 0:
                continue
            q = arm[i]
            J[k, 0], J[k, 1], J[k, 2] = n[0], n[1], n[2]
            J[k, 3] = q[1] * n[2] - q[2] * n[1]
            J[k, 4] = q[2] * n[0] - q[0] * n[2]
            J[k, 5] = q[0] * n[1] - q[1] * n[0]
            for c in range(6):
                g[body[i], c] += w[k] * (r[k] - mean) * J[k, c]
        for k in range(K):
            if members[a, k] < 0:
                continue
            b = body[members[a, k]]
            for m in range(K):
                if members[a, m] < 0 or body[members[a, m]] > b:
                    continue
                block = H[b, body[members[a, m]]]
                share = (w[k] if k == m else 0.0) - w[k] * w[m] / total
                for c in range(6):
                    for d in range(6):
                        block[c, d] += share * J[k, c] * J[m, d]
