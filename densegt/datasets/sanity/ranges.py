"""Are points where a lidar's points are, and do rings stand for beams?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.sanity.finding import SanityFinding
from densegt.datasets.sanity.sample import SceneSample

CHECK = "points"
MEDIAN_M = (2.0, 60.0)
# Of one beam, elevation differs by less than this from point to point, and from side to side.
MAX_RING_SPREAD_DEG = 1.5
SECTORS = 36


def check_ranges(sample: SceneSample) -> Iterator[SanityFinding]:
    """Median range of a sweep, and how far elevations spread within a ring."""
    for sweep, points in sample.single:
        name = f"lidar {sweep.lidar.channel}"
        range_m = np.linalg.norm(points.xyz_lidar, axis=1)
        if not len(range_m):
            yield SanityFinding(CHECK, name, f"no point in {sweep.path}", "fetch it again")
            continue
        median_m = float(np.median(range_m))
        if not MEDIAN_M[0] <= median_m <= MEDIAN_M[1]:
            facts = f"half of the points lie within {median_m:.3g} m"
            yield SanityFinding(CHECK, name, facts, "are they in metres, and in the lidar's own frame?", fatal=True)
            continue
        far = range_m > 2.0
        elevation = np.arcsin(points.xyz_lidar[far, 2] / range_m[far])
        ring = points.ring[far]
        rings, counts = np.unique(ring, return_counts=True)
        azimuth = np.arctan2(points.xyz_lidar[far, 1], points.xyz_lidar[far, 0])
        rows = [np.flatnonzero(ring == r) for r in rings[np.argsort(-counts)[:20]].tolist()]
        spread = [np.subtract(*np.quantile(elevation[row], (0.9, 0.1))) for row in rows]
        spread_deg = float(np.rad2deg(np.median(spread))) if spread else 0.0
        if spread_deg <= MAX_RING_SPREAD_DEG:
            continue
        if np.median([unsteadiness_deg(azimuth[row], elevation[row]) for row in rows]) > MAX_RING_SPREAD_DEG:
            facts = f"points of one ring spread over {spread_deg:.0f} degrees of elevation ({len(rings)} rings)"
            yield SanityFinding(CHECK, name, facts, "the ring column holds no beam numbers")


def unsteadiness_deg(azimuth: NDArray[np.floating[Any]], elevation: NDArray[np.floating[Any]]) -> float:
    """How far elevations (N,) rad of a ring are from those of one beam, which may weave about its own as it turns.

    A beam goes on from point to point, and on average points the same way on every side.
    """
    order = np.argsort(azimuth)
    step = float(np.median(np.abs(np.diff(elevation[order])))) if len(order) > 1 else 0.0
    sector = ((azimuth + np.pi) * (SECTORS / (2 * np.pi))).astype(np.int64).clip(0, SECTORS - 1)
    count = np.bincount(sector, minlength=SECTORS)
    mean = np.bincount(sector, elevation, minlength=SECTORS)[count > 0] / count[count > 0]
    apart = float(np.subtract(*np.quantile(mean, (0.9, 0.1)))) if len(mean) else 0.0
    return float(np.rad2deg(max(step, apart)))
