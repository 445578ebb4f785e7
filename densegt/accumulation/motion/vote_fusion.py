"""Free space and votes from elsewhere together: which clusters of points move.

A vote alone makes no mover: some beam must have passed through the cluster, or through what lies beside it in the turns
before and after. But it makes one of what too few beams passed through, adds the parts of a mover that none did, and
refutes fences and leaves. What moves is voted to move turn after turn; a single turn's vote counts for less.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import FreeSpaceConfig
from densegt.accumulation.moments import Moments
from densegt.accumulation.motion.cluster_neighbours import means_beside
from densegt.accumulation.motion.discovery.candidates import clusters
from densegt.accumulation.motion.free_space import votes
from densegt.accumulation.weights import MOTION_FUSION
from densegt.kernels.range_images import RangeImages

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
Rows = NDArray[np.intp]

# Points closer than this in a sweep are of one cluster.
LINK_M = 0.6
# What is voted to move with this probability may belong to a mover.
MAYBE = 0.5
MAX_LOG_ODDS = 5.0
COLUMNS = ("log_odds", "transient", "passed", "met", "log_points", "range", "log_odds_beside")


class FusionModel(NamedTuple):
    """A logistic model of clusters: weights (F,) of `COLUMNS`, and a bias."""

    weights: Float64
    bias: float

    def log_odds(self, features: Float64) -> Float64:
        """Of moving, (C,), of clusters' features (C,F)."""
        out: Float64 = features @ self.weights + self.bias
        return out


@cache
def shipped_fusion_model() -> FusionModel:
    """The model in the package."""
    return read_fusion_model(MOTION_FUSION)


def read_fusion_model(path: Path) -> FusionModel:
    """A model that `benchmarks/fitting/fit_motion_fusion.py` wrote.

    Raises:
        ValueError: it was fitted to other features.
    """
    kept = json.loads(path.read_text())
    if kept["columns"] != list(COLUMNS):
        raise ValueError(f"{path}: fitted to other features than this version computes; fit it again")
    return FusionModel(np.array(kept["weights"], dtype=np.float64), float(kept["bias"]))


class VotedPoints(NamedTuple):
    """Points (M), in order of sweep, and what they were seen past.

    Attributes:
        xyz: (M,3) m in global minus origin; sweep: (M,) which measured each.
        transient: (M,) whether other sweeps' free space says that each was not there for good.
        moving: (M,) the probability that each moves, by votes; NaN without one.
    """

    xyz: NDArray[np.float32]
    sweep: NDArray[np.int32]
    transient: Bool
    moving: NDArray[np.float32]
    images: RangeImages
    moments: Moments


class VotedClusters(NamedTuple):
    """Clusters (C) of points that may move.

    Attributes:
        rows: (P,) of the points; cluster: (P,) of each.
        features: (C,F) see `COLUMNS`.
        passed: (C,) whether any beam passed through one of its points, or of those beside it a little earlier or later.
        voted: (C,) whether there are votes on most of its points.
    """

    rows: Rows
    cluster: NDArray[np.int64]
    features: Float64
    passed: Bool
    voted: Bool


def find_voted_clusters(points: VotedPoints, config: FreeSpaceConfig) -> VotedClusters:
    """Clusters of points that are transient or voted to move."""
    moving = np.nan_to_num(points.moving, nan=MAYBE)
    rows = np.flatnonzero(points.transient | (moving > MAYBE))
    xyz, sweep = points.xyz[rows], points.sweep[rows]
    cluster = clusters(xyz, sweep, LINK_M)
    count = int(cluster.max(initial=-1)) + 1
    through, met = votes(points.images, xyz, sweep, points.moments.about(config.sweeps), config)
    odds = moving[rows].clip(1e-4, 1 - 1e-4)
    log_odds = np.log(odds / (1 - odds)).clip(-MAX_LOG_ODDS, MAX_LOG_ODDS)
    size = np.bincount(cluster, minlength=count)
    asked = np.maximum(through.astype(np.int64) + met, 1)
    away = np.linalg.norm(xyz - points.images.origin[sweep], axis=1)

    def mean(values: NDArray[Any]) -> Float64:
        return np.asarray(np.bincount(cluster, values, minlength=count) / np.maximum(size, 1))

    middle = _medians(log_odds, cluster, count)
    told = np.column_stack([log_odds, through > 0])
    beside, seen = means_beside(xyz[:, :2], points.moments.moment[sweep], cluster, told, count)
    # What is seen in one turn alone has its own votes for a neighbour's.
    beside[~seen, 0] = middle[~seen]
    any_passed = (mean(through > 0) > 0) | (beside[:, 1] > 0)
    features = np.column_stack(
        [
            middle, mean(points.transient[rows]), mean(through / asked), mean(np.minimum(met, 10) / 10),
            np.log1p(size) / 3, mean(away) / 30, beside[:, 0],
        ]
    )  # fmt: skip
    voted = mean(np.isfinite(points.moving[rows])) > 0.5
    return VotedClusters(rows, cluster, features.reshape(count, len(COLUMNS)), any_passed, voted)


def fused_transient(points: VotedPoints, config: FreeSpaceConfig) -> Bool:
    """Which points (M,) move, by free space and votes together; see `find_voted_clusters`.

    Of clusters without votes, beyond the reach of whoever votes, free space alone decides, point by point.
    """
    found = find_voted_clusters(points, config)
    moves = (shipped_fusion_model().log_odds(found.features) > 0) & found.passed
    out = points.transient.copy()
    out[found.rows] = np.where(found.voted[found.cluster], moves[found.cluster], out[found.rows])
    return out


def _medians(values: NDArray[np.floating], cluster: NDArray[np.int64], count: int) -> Float64:  # type: ignore[type-arg]
    """The median of each cluster's values, (C,)."""
    order = np.lexsort((values, cluster))
    first = np.searchsorted(cluster[order], np.arange(count + 1))
    return np.asarray(values[order][(first[:-1] + first[1:]) // 2], dtype=np.float64)
