"""Slow, obvious twins of the kernels of completion."""

from __future__ import annotations

import numpy as np

from densegt.kernels.nearest_measured import BRIGHTNESS, DIAGONAL, NOWHERE, STRAIGHT


def nearest_above(guide, inverse, out):
    height, width = guide.shape
    for row in range(height):
        for col in range(width):
            ways = [(0, row, col)] if inverse[row, col] > 0 else []
            for c in (col - 1, col, col + 1):
                if row > 0 and 0 <= c < width and out[row - 1, c] < NOWHERE:
                    key = int(out[row - 1, c])
                    step = STRAIGHT if c == col else DIAGONAL
                    change = abs(int(guide[row, col]) - int(guide[row - 1, c]))
                    ways.append(((key >> 32) + step + BRIGHTNESS * change, (key >> 16) & 0xFFFF, key & 0xFFFF))
            far, r, c = min(ways) if ways else (NOWHERE >> 32, 0, 0)
            out[row, col] = (far << 32) + (r << 16) + c


def nearest_below(guide, inverse, out):
    """Upside down; only the rows in the keys, and with them the order of ties, are of the image as it is."""
    height, width = guide.shape
    for row in range(height - 1, -1, -1):
        for col in range(width):
            ways = [(0, row, col)] if inverse[row, col] > 0 else []
            for c in (col - 1, col, col + 1):
                if row + 1 < height and 0 <= c < width and out[row + 1, c] < NOWHERE:
                    key = int(out[row + 1, c])
                    step = STRAIGHT if c == col else DIAGONAL
                    change = abs(int(guide[row, col]) - int(guide[row + 1, c]))
                    ways.append(((key >> 32) + step + BRIGHTNESS * change, (key >> 16) & 0xFFFF, key & 0xFFFF))
            far, r, c = min(ways) if ways else (NOWHERE >> 32, 0, 0)
            out[row, col] = (far << 32) + (r << 16) + c


def invert(values, at_least, out):
    for where, value in np.ndenumerate(values):
        out[where] = 1 / value if np.isfinite(value) and value >= np.float32(at_least) else 0


def slopes_across(inverse, reach_px, tolerance, out):
    height, width = inverse.shape
    measured = inverse > 0
    out[:] = 0
    for row, col in zip(*np.nonzero(measured), strict=True):
        around = [
            (r, c) for r in (row - 1, row + 1) for c in (col - 1, col, col + 1) if 0 <= r < height and 0 <= c < width
        ]
        if all(measured[where] for where in around):
            continue
        slopes = []
        for side in (-1, 1):
            alike = [
                (-k, r)
                for k in range(1, reach_px + 1)
                for r in (row - 1, row, row + 1)
                if 0 <= r < height
                and 0 <= col + side * k < width
                and measured[r, col + side * k]
                and abs(inverse[r, col + side * k] - inverse[row, col]) <= np.float32(tolerance) * inverse[row, col]
            ]
            if alike:
                k, r = min(alike)
                slopes.append((inverse[r, col - side * k] - inverse[row, col]) / np.float32(-side * k))
        if len(slopes) == 1:
            out[row, col] = slopes[0]
        elif len(slopes) == 2 and slopes[0] * slopes[1] > 0:
            out[row, col] = min(slopes, key=abs)


def fill_from_nearest(
    inverse, slope_across, above, below, left, right, open_sky, same, foretold, filled, spread, reach_px
):
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
            if abs(w0 + slope * (r1 - r0) - w1) <= foretold * smaller:
                return True
        if further := beyond(r1, c1, below, 1):
            slope = (float(inverse[further[1:]]) - w1) / (further[1] - r1)
            if abs(w1 - slope * (r1 - r0) - w0) <= foretold * smaller:
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


def farthest_around(inverse, above, below, left, right, out):
    for (row, col), own in np.ndenumerate(inverse):
        keys = [(above[row, col], 1), (below[row, col], 1), (left[col, row], -1), (right[col, row], -1)]
        named = [((int(k) >> 16) & 0xFFFF, int(k) & 0xFFFF)[::turn] for k, turn in keys if k < NOWHERE]
        out[row, col] = min(inverse[at] for at in named) if named and own == 0 else 0


def open_sky(image, guide, above, below, min_brightness, max_yellow, max_step, min_key, out):
    height, width = guide.shape
    able = np.zeros(guide.shape, bool)
    for row in range(height):
        for col in range(width):
            red, green, blue = (int(value) for value in image[row, col])
            bright = max(red, green, blue) + 2 * min(max(blue - red, 0), 20) >= min_brightness
            bright = bright and red - blue <= max_yellow
            able[row, col] = bright and above[row, col] >= min_key and below[row, col] >= min_key
    out[:] = False
    for row in range(height):
        for col in range(width):
            if able[row, col]:
                change = abs(int(guide[row, col]) - int(guide[row - 1, col])) if row else 0
                out[row, col] = row == 0 or (out[row - 1, col] and change <= max_step)
        while True:
            before = out[row].copy()
            for col in range(width):
                for side in (col - 1, col + 1):
                    if able[row, col] and 0 <= side < width and out[row, side]:
                        out[row, col] |= abs(int(guide[row, col]) - int(guide[row, side])) <= max_step
            if (out[row] == before).all():
                break


def departure(inverse, step_px, out):
    height, width = inverse.shape
    for row in range(height):
        for col in range(width):
            values = [0.0]
            for dr, dc in ((step_px, 0), (0, step_px)):
                ends = [(row - dr, col - dc), (row + dr, col + dc)]
                if all(0 <= r < height and 0 <= c < width for r, c in ends):
                    a, b = (inverse[end] for end in ends)
                    if a > 0 and b > 0 and inverse[row, col] > 0:
                        values.append(float((a + b) / 2 - inverse[row, col]))
            out[row, col] = max(values, key=abs)


def expected_error(filled, departure, spread, farthest, reach_px, source, weights, out):
    for where, w in np.ndenumerate(filled):
        if not w > 0:
            out[where] = 0
            continue
        z = 1 / float(w)
        causes = [
            z,
            z * min(float(reach_px[where]), 100),
            z - 1 / max(float(w) + 2 * float(departure[where]), float(w) / 3),
            1 / max(float(w) - float(spread[where]), float(w) / 3) - z,
            min(max(1 / float(farthest[where]), z), 3 * z) - z if farthest[where] > 0 else 0,
        ]
        mine = weights[source[where] if reach_px[where] == 0 else -1]
        out[where] = np.sqrt(sum((k * cause) ** 2 for k, cause in zip(mine, causes, strict=True)))
