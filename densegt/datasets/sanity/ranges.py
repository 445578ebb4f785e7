"""Are points where a lidar's points are, and do rings stand for beams?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from densegt.datasets.sanity.finding import SanityFinding
from densegt.datasets.sanity.sample import SceneSample

CHECK = "points"
MEDIAN_M = (2.0, 60.0)
# Beams of one ring differ in elevation by less than this; whole sweeps without rings by more.
MAX_RING_SPREAD_DEG = 1.5


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
        spread = [
            np.subtract(*np.quantile(elevation[ring == r], (0.9, 0.1)))
            for r in rings[np.argsort(-counts)[:20]].tolist()
        ]
        spread_deg = float(np.rad2deg(np.median(spread))) if spread else 0.0
        if spread_deg > MAX_RING_SPREAD_DEG:
            facts = f"points of one ring spread over {spread_deg:.0f} degrees of elevation ({len(rings)} rings)"
            yield SanityFinding(CHECK, name, facts, "the ring column holds no beam numbers")
