"""Slow twins of densegt.kernels.fill_from_nearest."""

from __future__ import annotations

import numpy as np

from densegt.kernels.nearest_measured import NOWHERE


def fill_from_nearest(inverse, slope_across, keys, open_sky, same, predicted, out):
    above, below, left, right = keys
    filled, spread, reach_px = out
    height, width = inverse.shape

    def met(key, turned=False):
        """(distance in px, row, column) of a key, None for nowhere."""
        if key >= NOWHERE:
            return None
        a, b = (int(key) >> 16) & 0xFFFF, int(key) & 0xFFFF
        return ((int(key) >> 32) / 5, b, a) if turned else ((int(key) >> 32) / 5, a, b)

    def carried(r, c, col):
        w = float(inverse[r, c])
        return min(max(w + float(slope_across[r, c]) * (col - c), 0.5 * w), 1.5 * w)

    def beyond(r, c, keys, step):
        """The measured pixel beyond one, in the same direction."""
        return met(keys[r + step, c]) if 0 <= r + step < height else None

    def one_surface(up, down):
        (_, r0, c0), (_, r1, c1) = up, down
        w0, w1, smaller = float(inverse[r0, c0]), float(inverse[r1, c1]), float(min(inverse[r0, c0], inverse[r1, c1]))
        if abs(w0 - w1) <= same * smaller:
            return True
        if further := beyond(r0, c0, above, -1):
            slope = (w0 - float(inverse[further[1:]])) / (r0 - further[1])
            if abs(w0 + slope * (r1 - r0) - w1) <= predicted * smaller:
                return True
        if further := beyond(r1, c1, below, 1):
            slope = (float(inverse[further[1:]]) - w1) / (further[1] - r1)
            if abs(w1 - slope * (r1 - r0) - w0) <= predicted * smaller:
                return True
        return False

    filled[:], spread[:], reach_px[:] = inverse, 0, 0
    for row in range(height):
        for col in range(width):
            if inverse[row, col] > 0 or open_sky[row, col]:
                continue
            up, down = met(above[row, col]), met(below[row, col])
            beside = [m for m in (met(left[col, row], True), met(right[col, row], True)) if m]
            if up and down and one_surface(up, down):
                w0, w1 = carried(*up[1:], col), carried(*down[1:], col)
                filled[row, col] = w0 + (w1 - w0) * (row - up[1]) / (down[1] - up[1])
                reach_px[row, col] = min(up[0], down[0])
                continue
            only = (up or down) if not (up and down) else None
            asked = [(m[0], carried(*m[1:], col)) for m in (up, down) if m]
            if only and only is up and (further := beyond(*up[1:], above, -1)):
                rows, own = up[1] - further[1], float(inverse[up[1:]])
                step = own - float(inverse[further[1:]])
                if 0 < step < 0.35 * own:
                    w = asked[0][1]
                    asked = [(up[0], min(3 * w, w + step / rows * min(row - up[1], 8 * rows)))]
            if only and not any(2 * m[0] < only[0] for m in beside):
                reach_px[row, col], filled[row, col] = asked[0]
            else:
                asked += [(m[0], float(inverse[m[1:]])) for m in beside]
                if not asked:
                    continue
                far, w = np.array(asked).T
                mean = np.average(w, weights=w * far**-3.0)
                filled[row, col] = mean
                spread[row, col] = np.sqrt(np.average((w - mean) ** 2, weights=w * far**-3.0))
                reach_px[row, col] = far.min()
