"""The normal equations of small rigid motions that flatten what should be flat."""

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
    """Add to `H` (B,B,6,6) and `g` (B,6) what A planes say of the motions of B bodies; minus H^-1 g is a step.

    H is symmetric; its blocks [b,c] with c > b are left as they are. Each block lies on one page of memory, not on six.

    A plane's members are pulled towards their weighted mean along its normal (bundle adjustment over planes: the plane
    itself is eliminated). Residuals are weighed by Geman-McClure.

    Args:
        xyz: (N,3) m; arm: (N,3) m, the same as seen from where each body turns about.
        body: (N,), whose each point is.
        members: (A,K) rows, -1 for none; normal: (A,3).
        scale_m: residuals far beyond this count nothing.
        H, g: per body three of shift, then three of turn.
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
