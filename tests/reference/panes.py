"""Slow twins of densegt.kernels.panes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def next_jump(depth_m, relative, absolute_m, step, out):
    """List the known pixels ahead, itself first, and take the first that is much nearer than the one before."""
    for row, line in enumerate(depth_m):
        for col in range(len(line)):
            ahead = [c for c in range(col, len(line) if step > 0 else -1, step) if line[c] > 0]
            jumps = [b for a, b in pairwise(ahead) if line[b] < line[a] * (1 - relative) - absolute_m]
            out[row, col] = jumps[0] if jumps else -1


def find_panes(depth_m, inverse_slope, excluded, focal_px, jumps, limits, out):
    """Each rule of the docstring in its own line; sides are found by walking the image, not the jumps given."""
    H, W = depth_m.shape

    def side(row, col, dr, dc):
        """The first near side of a jump, among five at most, that is nearer than the limit."""
        limit_m = depth_m[row, col] * (1 - limits.relative) - limits.absolute_m
        before, seen = (row, col), 0
        r, c = row + dr, col + dc
        while 0 <= r < H and 0 <= c < W:
            if depth_m[r, c] > 0:
                if depth_m[r, c] < depth_m[before] * (1 - limits.relative) - limits.absolute_m:
                    if depth_m[r, c] < limit_m:
                        return (r, c)
                    seen += 1
                    if seen == 4:
                        return None
                before = (r, c)
            r, c = r + dr, c + dc
        return None

    for row in range(H):
        for col in range(W):
            out.inverse_depth[row, col], out.frame[row, col], out.smallest_m[row, col] = 0, -1, 0
            if not depth_m[row, col] > 0 or excluded[row, col]:
                continue
            sides = [side(row, col, *step) for step in ((0, -1), (0, 1), (-1, 0), (1, 0))]
            foretold = [
                1 / depth_m[s] + inverse_slope[s][0] * (col - s[1]) + inverse_slope[s][1] * (row - s[0])
                for s in sides
                if s
            ]
            best = (2, 0.0)
            for a, b in (sides[:2], sides[2:]):
                if a and b:
                    share = (abs(row - a[0]) + abs(col - a[1])) / (abs(b[0] - a[0]) + abs(b[1] - a[1]))
                    w = (1 - share) / depth_m[a] + share / depth_m[b]
                    agree = sum(abs(f - w) <= limits.agree * w for f in foretold)
                    best = (agree, w) if agree > best[0] else best
            w = best[1]
            limit_m = depth_m[row, col] * (1 - limits.relative) - limits.absolute_m
            if w <= 0 or not 1 / w < limit_m:
                continue
            sizes = [
                (abs(b[0] - a[0]) + abs(b[1] - a[1])) / focal_px / w if a and b else None
                for a, b in (sides[:2], sides[2:])
            ]
            largest = (limits.widest_m, limits.highest_m)
            if any(m and not limits.least_m <= m <= most for m, most in zip(sizes, largest, strict=True)):
                continue
            r, c = min((s for s in sides if s), key=lambda s: abs(s[0] - row) + abs(s[1] - col))
            out.inverse_depth[row, col], out.frame[row, col] = w, r * W + c
            out.smallest_m[row, col] = min(m for m in sizes if m)


def level_pixels(depth_m, inverse_slope, K, up_cam, cosine, out):
    """The normal n of the plane n K^-1 (u, v, 1) = 1/z through each pixel, against the vertical."""
    for (row, col), z in np.ndenumerate(depth_m.astype(float)):
        by_col, by_row = inverse_slope[row, col].astype(float)
        inverse = 1 / z if z > 0 else 0
        plane = np.array([by_col, by_row, inverse - by_col * col - by_row * row])
        n = plane @ K.astype(float)
        out[row, col] = abs(n @ up_cam) > cosine * np.linalg.norm(n)
