"""Slow twins of densegt.kernels.interpolate_between."""

from __future__ import annotations

import numpy as np


def interpolate_between(depth_m, gap_px, tolerance, out):
    """Walk from each unknown pixel both ways along four lines to the first known one."""
    H, W = depth_m.shape
    surfel, inverse_slope = out.surfel.copy(), out.inverse_slope.copy()
    for row in range(H):
        for col in range(W):
            if depth_m[row, col] > 0:
                continue
            best = np.inf
            for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
                ends = []
                for sign in (1, -1):
                    for s in range(1, max(H, W)):
                        r, c = row + sign * s * dr, col + sign * s * dc
                        if not (0 <= r < H and 0 <= c < W):
                            break
                        if depth_m[r, c] > 0:
                            ends.append((s, r, c))
                            break
                if len(ends) < 2:
                    continue
                (s0, r0, c0), (s1, r1, c1) = ends
                gap = (s0 + s1) * np.hypot(dr, dc)
                if gap >= min(best, max(gap_px[surfel[r0, c0]], gap_px[surfel[r1, c1]]) + 1.0):
                    continue
                w0, w1 = 1 / depth_m[r0, c0], 1 / depth_m[r1, c1]
                along = np.array([dc, dr])
                from0 = w0 - (s0 + s1) * (inverse_slope[r0, c0] @ along)
                from1 = w1 + (s0 + s1) * (inverse_slope[r1, c1] @ along)
                near = tolerance * min(w0, w1)
                same = abs(w0 - w1) <= near or (abs(from0 - w1) <= near and abs(from1 - w0) <= near)
                if same:
                    best = gap
                    out.depth_m[row, col] = (s0 + s1) / (w0 * s1 + w1 * s0)
                    nearer = (r0, c0) if s0 <= s1 else (r1, c1)
                    out.surfel[row, col], out.inverse_slope[row, col] = surfel[nearer], inverse_slope[nearer]
                    out.between[row, col] = True
