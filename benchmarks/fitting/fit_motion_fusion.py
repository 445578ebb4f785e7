"""Fit how free space and votes on what moves are weighed, on simulated worlds.

python -m benchmarks.fitting.fit_motion_fusion world-a world-b --checkpoint trained/motion.safetensors \
    --held-out world-c --out densegt/accumulation/weights/motion_fusion.json

Worlds to fit to should be others than the network learned from: of those its votes are too good.
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
from densegt.accumulation.motion.free_space import find_transient
from densegt.accumulation.motion.vote_fusion import COLUMNS, FusionModel, VotedPoints, find_voted_clusters
from densegt.datasets import RecordingPath
from densegt.motion_net.checkpoint import read_network, shipped_weights
from densegt.motion_net.infer import votes_of_scene, with_reach
from densegt.motion_net.network import MotionNet
from densegt.motion_net.scene_data import SceneData, read_scenes

CONFIG = AccumulateConfig(motion="free", refine_poses=False)
Float64 = NDArray[np.float64]


class Clusters(NamedTuple):
    """Clusters (C): features (C,F), whether most points move, number of points, whether any beam passed."""

    features: Float64
    moves: NDArray[np.bool_]
    size: Float64
    passed: NDArray[np.bool_]


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, score on worlds held out beside free space alone, and write."""
    options = parser().parse_args(arguments)
    net = with_reach(read_network(options.checkpoint or shipped_weights()), options.reach)
    parts = [clusters_of(read(folder), net) for folder in options.worlds]
    model = fit(*(np.concatenate([part[k] for part in parts]) for k in range(3)))
    print(dict(zip(COLUMNS, model.weights.round(3), strict=True)), round(model.bias, 3))
    held_out = {folder.name: compare(clusters_of(read(folder), net), model) for folder in options.held_out}
    write(options.out, model, [folder.name for folder in options.worlds], held_out)


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("worlds", nargs="+", type=Path, metavar="DIR", help="of `densegt simulate`, one scene each")
    out.add_argument("--checkpoint", type=Path, metavar="FILE", help="of train-motion; else what ships")
    out.add_argument("--held-out", nargs="*", type=Path, default=[], metavar="DIR", help="worlds to score on")
    out.add_argument("--reach", type=float, default=48.0, metavar="M", help="of the votes")
    out.add_argument("--out", type=Path, required=True, metavar="FILE")
    return out


def read(folder: Path) -> SceneData:
    """A world's one scene."""
    (data,) = read_scenes([RecordingPath(folder)], "exact", CONFIG, print)
    return data


def clusters_of(data: SceneData, net: MotionNet) -> Clusters:
    """The clusters of a scene that a network votes on."""
    scans = data.scans
    moving = votes_of_scene(net, scans, CONFIG.free_space).moving
    transient = find_transient(scans.images, scans.moments, scans.xyz, scans.sweep, CONFIG.free_space)
    points = VotedPoints(scans.xyz, scans.sweep, transient, moving, scans.images, scans.moments)
    found = find_voted_clusters(points, CONFIG.free_space)
    truth, count = data.labels.moving[found.rows], len(found.features)
    size = np.bincount(found.cluster, truth >= 0, minlength=count)
    moves = np.bincount(found.cluster, truth == 1, minlength=count) > 0.5 * size
    known = (size > 0) & found.voted
    print(f"{data.name}: {count} clusters, {moves[known].mean():.1%} move", flush=True)
    return Clusters(found.features[known], moves[known], size[known], found.passed[known])


def compare(given: Clusters, model: FusionModel) -> dict[str, list[float]]:
    """Recall and precision in percent, by points, of the model, free space alone and votes alone."""
    said = {
        "fused": (model.log_odds(given.features) > 0) & given.passed,
        "free space": given.features[:, COLUMNS.index("transient")] > 0.5,
        "votes": given.features[:, COLUMNS.index("log_odds")] > 0,
    }
    out = {name: [round(100 * v, 2) for v in shares(which, given.moves, given.size)] for name, which in said.items()}
    print(out, flush=True)
    return out


def write(path: Path, model: FusionModel, worlds: Sequence[str], held_out: dict[str, dict[str, list[float]]]) -> None:
    """The model, with how it was made and what it is worth."""
    kept = {
        "command": f"python -m benchmarks.fitting.fit_motion_fusion {' '.join(worlds)} --held-out {' '.join(held_out)}",
        "recall and precision % of clusters, by points, on worlds held out": held_out,
        "columns": COLUMNS,
        "weights": [float(f"{v:.6g}") for v in model.weights],
        "bias": float(f"{model.bias:.6g}"),
    }
    path.write_text(json.dumps(kept, indent=1) + "\n")


def fit(features: Float64, moves: NDArray[np.bool_], size: Float64, *, ridge: float = 1.0) -> FusionModel:
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


def shares(said: NDArray[np.bool_], moves: NDArray[np.bool_], size: Float64) -> tuple[float, float]:
    """Recall and precision by points."""
    hit = size[said & moves].sum()
    return float(hit / max(size[moves].sum(), 1)), float(hit / max(size[said].sum(), 1))


if __name__ == "__main__":
    main()
