"""Fit how free space and votes on what moves are weighed, on simulated worlds.

python -m benchmarks.fitting.fit_motion_fusion world-a world-b --votes votes \
    --held-out world-c --out densegt/accumulation/weights/motion_fusion.json

The votes of each world lie in `votes/<world>/`, as `densegt predict-motion` writes them. Worlds to fit to should be
others than the network learned from: of those its votes are too good.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.measurements import measure_scene
from densegt.accumulation.motion.free_space import find_transient
from densegt.accumulation.motion.vote_fusion import COLUMNS, FusionModel, VotedPoints, find_voted_clusters
from densegt.accumulation.scene_input import read_scene
from densegt.accumulation.sweep_returns import read_returns, stored_votes
from densegt.datasets import open_recording
from densegt.motion_net.labels.exact import exact_labels
from densegt.motion_net.scans import read_scans

CONFIG = AccumulateConfig(motion="free", refine_poses=False)
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


class Clusters(NamedTuple):
    """Clusters (C) of a world's points that free space or votes say may move.

    Attributes:
        features: (C,F) see `COLUMNS`; passed, voted: (C,) see `VotedClusters`.
        moving, static: (C,) points of each that move, and that stand.
        all_moving: points of the world that move; free_moving, free_static: of those and of what stands, transient.
    """

    features: Float64
    passed: Bool
    voted: Bool
    moving: Float64
    static: Float64
    all_moving: int
    free_moving: int
    free_static: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, score on worlds held out beside free space alone, and write."""
    options = parser().parse_args(arguments)
    model = fit_to([clusters_of(folder, options.votes) for folder in options.worlds])
    print(dict(zip(COLUMNS, model.weights.round(3), strict=True)), round(model.bias, 3))
    held_out = {folder.name: compare(clusters_of(folder, options.votes), model) for folder in options.held_out}
    write(options.out, model, [folder.name for folder in options.worlds], held_out)


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("worlds", nargs="+", type=Path, metavar="DIR", help="of `densegt simulate`, one scene each")
    out.add_argument("--votes", type=Path, required=True, metavar="DIR", help="stores of votes, one a world")
    out.add_argument("--held-out", nargs="*", type=Path, default=[], metavar="DIR", help="worlds to score on")
    out.add_argument("--out", type=Path, required=True, metavar="FILE")
    return out


def clusters_of(folder: Path, votes: Path) -> Clusters:
    """The clusters of a world's one scene, with votes of a store."""
    recording = open_recording(folder)
    (name,) = recording.scene_names
    scene = read_scene(recording, name, CONFIG)
    labels = exact_labels(folder, scene, read_scans(scene, CONFIG), CONFIG)
    returns = read_returns(scene, CONFIG, stored_votes(votes / folder.name / f"{name}.h5"))
    measured = measure_scene(scene, returns, CONFIG)
    assert measured.moving is not None
    rows = np.flatnonzero(~measured.mixed)
    xyz, sweep = measured.surfels.xyz[rows], measured.surfels.sweep[rows]
    transient = find_transient(measured.images, measured.moments, xyz, sweep, CONFIG.free_space)
    points = VotedPoints(xyz, sweep, transient, measured.moving[rows], measured.images, measured.moments)
    found = find_voted_clusters(points, CONFIG.free_space)
    truth, count = labels.moving[rows], len(found.features)
    moving, static = (
        np.bincount(found.cluster, truth[found.rows] == k, minlength=count).astype(np.float64) for k in (1, 0)
    )
    print(f"{folder.name}: {count} clusters, {(moving > static).mean():.1%} move", flush=True)
    return Clusters(
        found.features, found.passed, found.voted, moving, static, int((truth == 1).sum()),
        int((transient & (truth == 1)).sum()), int((transient & (truth == 0)).sum()),
    )  # fmt: skip


def fit_to(parts: Sequence[Clusters]) -> FusionModel:
    """The model of clusters of some worlds that have votes and known points."""
    known = [part.voted & (part.moving + part.static > 0) for part in parts]
    features = np.concatenate([part.features[k] for part, k in zip(parts, known, strict=True)])
    moving = np.concatenate([part.moving[k] for part, k in zip(parts, known, strict=True)])
    static = np.concatenate([part.static[k] for part, k in zip(parts, known, strict=True)])
    return fit(features, moving > static, moving + static)


def compare(given: Clusters, model: FusionModel) -> dict[str, list[float]]:
    """Share of moving points found, and static points found for each hundred moving, percent.

    Of the model, of the votes, and of free space alone, point by point, as `accumulate` without votes.
    """
    said = {
        "fused": (model.log_odds(given.features) > 0) & given.passed,
        "votes": given.features[:, COLUMNS.index("log_odds")] > 0,
    }
    counts = {name: (given.moving[which].sum(), given.static[which].sum()) for name, which in said.items()}
    counts["free space"] = (given.free_moving, given.free_static)
    out = {name: [round(100 * float(n) / given.all_moving, 2) for n in pair] for name, pair in counts.items()}
    print(out, flush=True)
    return out


def write(path: Path, model: FusionModel, worlds: Sequence[str], held_out: dict[str, dict[str, list[float]]]) -> None:
    """The model, with how it was made and what it is worth."""
    kept = {
        "command": f"python -m benchmarks.fitting.fit_motion_fusion {' '.join(worlds)} --votes votes "
        f"--held-out {' '.join(held_out)}",
        "moving points found %, static ones found for each hundred moving, on worlds held out": held_out,
        "columns": COLUMNS,
        "weights": [float(f"{v:.6g}") for v in model.weights],
        "bias": float(f"{model.bias:.6g}"),
    }
    path.write_text(json.dumps(kept, indent=1) + "\n")


def fit(features: Float64, moves: Bool, size: Float64, *, ridge: float = 1.0) -> FusionModel:
    """Logistic regression by Newton's method; a cluster counts as the root of its points, whichever way it is."""
    X = np.column_stack([features, np.ones(len(features))])
    y, weight = moves.astype(np.float64), np.sqrt(size)
    beta = np.zeros(X.shape[1])
    prior = np.diag([ridge] * features.shape[1] + [1e-6])
    for _ in range(30):
        p = 1 / (1 + np.exp(-(X @ beta).clip(-30, 30)))
        gradient = X.T @ (weight * (p - y)) + prior @ beta
        hessian = (X * (weight * p * (1 - p))[:, None]).T @ X + prior
        beta -= np.linalg.solve(hessian, gradient)
    return FusionModel(beta[:-1], float(beta[-1]))


if __name__ == "__main__":
    main()
