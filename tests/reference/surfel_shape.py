"""Slow twins of densegt.kernels.surfel_shape."""

from __future__ import annotations

import numpy as np


def linked(range_a, range_b, step_rad, max_slope):
    """A step in range below 10 cm plus `max_slope` times the gap between two beams at the nearer one's range."""
    nearer, farther = sorted((range_a, range_b))
    return farther - nearer < 0.1 + max_slope * step_rad * nearer


def _chain(i, side, range_m, neighbours, step_rad, max_slope):
    """Up to twelve returns from i on, each linked to the one before."""
    chain = [i]
    while len(chain) <= 12:
        following = neighbours[chain[-1], side]
        if following < 0 or not linked(range_m[chain[-1]], range_m[following], step_rad, max_slope):
            break
        chain.append(following)
    return chain[1:]


def reach_along(i, side, xyz, range_m, neighbours, step_rad, max_slope, baseline_m):
    chain = _chain(i, side, range_m, neighbours, step_rad, max_slope)
    far = [j for j in chain if np.linalg.norm(xyz[j] - xyz[i]) >= baseline_m]
    return far[0] if far else chain[-1] if chain else -1


def _straight(first, middle, last):
    """Cosine of the bend of a line through three points; -1 where two coincide."""
    a, b = middle - first, last - middle
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return a @ b / lengths if lengths > 1e-6 else -1.0


def goes_on(i, end, side, xyz, range_m, neighbours, step_rad, max_slope, baseline_m, min_cosine):
    """Two stretches onwards: along links, or where there is no link over the next two neighbours."""
    if end >= 0:
        onwards = reach_along(end, side, xyz, range_m, neighbours, step_rad, max_slope, baseline_m)
        steps, least = [end, onwards], min_cosine
    else:
        chain = _chain(i, side, range_m, neighbours, step_rad, 15.0)[:2]
        steps, least = chain + [-1] * (2 - len(chain)), 0.97
    if min(steps) < 0:
        return 0.0
    cosine = _straight(xyz[i], xyz[steps[0]], xyz[steps[1]])
    return cosine if cosine >= least else 0.0


def _chord(middle, near, flat, ends, onwards, min_cosine):
    """Where the chord through a return begins and ends, None for a side that it does not reach to."""
    a, b = ends
    if a is not None and b is not None and _straight(a, middle, b) >= min_cosine:
        return ends
    if all(flat) and _straight(near[0], middle, near[1]) >= 0.97:
        return near
    if max(onwards) > 0:
        best = 0 if onwards[0] >= onwards[1] else 1
        kept = ends[best] if ends[best] is not None else near[best]
        return (kept, None) if best == 0 else (None, kept)
    if a is None or b is None:
        return ends
    return tuple(end if np.linalg.norm(end - middle) < 0.3 else None for end in ends)


def surfel_shape(xyz, neighbours, step_rad, max_slope, max_half_m, baseline_m, min_cosine, tangents, half_m, mixed):
    """For each return and axis find the chord of the surface through it, then its direction and reaches."""
    p = xyz.astype(np.float64)
    range_m = np.linalg.norm(p, axis=1)
    tangents[:], half_m[:], mixed[:] = 0, 0, False
    for i in range(len(p)):
        for axis in range(2):
            sides = (2 * axis, 2 * axis + 1)
            links = (p, range_m, neighbours, step_rad[2 * axis], max_slope, baseline_m)
            reached = [reach_along(i, side, *links) for side in sides]
            onwards = [goes_on(i, end, side, *links, min_cosine) for end, side in zip(reached, sides, strict=True)]
            near = tuple(p[j] if j >= 0 else None for j in neighbours[i, list(sides)])
            ends = tuple(p[j] if j >= 0 else None for j in reached)
            flat = [bool(_chain(i, side, range_m, neighbours, step_rad[2 * axis], 15.0)) for side in sides]
            start, stop = _chord(p[i], near, flat, ends, onwards, min_cosine)
            chord = (p[i] if start is None else start) - (p[i] if stop is None else stop)
            if np.linalg.norm(chord) > 1e-4:
                tangents[i, axis] = chord / np.linalg.norm(chord)
                for side, end, beside in zip(sides, (start, stop), near, strict=True):
                    if end is not None:
                        half_m[i, side] = min(0.55 * np.linalg.norm(beside - p[i]), max_half_m)
        left, right = neighbours[i, :2]
        if left >= 0 and right >= 0 and not half_m[i, :2].any():
            nearer, farther = sorted((range_m[left], range_m[right]))
            mixed[i] = nearer + 0.3 < range_m[i] < farther - 0.3
        if not tangents[i, 0].any():
            tangents[i, 0] = np.array([-p[i, 1], p[i, 0], 0]) / np.hypot(p[i, 0], p[i, 1])
        if not tangents[i, 1].any() or abs(tangents[i, 0] @ tangents[i, 1]) > 0.5:
            up = np.cross(p[i], tangents[i, 0])
            tangents[i, 1] = up / np.linalg.norm(up)
            half_m[i, 2:] = 0
