"""Slow twins of densegt.kernels.suppress_overlapping."""

from __future__ import annotations

from .rotated_overlap import overlap_m2


def suppress_overlapping(rectangles, iou, most, out):
    kept = []
    for i, mine in enumerate(rectangles):
        shared = [overlap_m2(mine, rectangles[k], None, None) for k in kept]
        areas = [mine[2] * mine[3] + rectangles[k, 2] * rectangles[k, 3] for k in kept]
        unions = [area - m2 for area, m2 in zip(areas, shared, strict=True)]
        if not any(m2 > iou * union for m2, union in zip(shared, unions, strict=True)):
            kept.append(i)
    kept = kept[:most]
    out[: len(kept)] = kept
    return len(kept)
