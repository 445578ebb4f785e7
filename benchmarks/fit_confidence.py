"""Fits the weights of `ConfidenceConfig` on simulated worlds, and says what they are worth on worlds left out.

python benchmarks/fit_confidence.py --seeds 11 12 21 22 23 303 --unlabelled 2 --cache /tmp/worlds
python benchmarks/fit_confidence.py --worlds world-a world-b world-c

Prints, for each world, the share of pixels with a right depth and the outliers among the shown at several least
confidences, by weights fitted on all the other worlds; then the weights fitted on all of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize
from scipy.special import expit

from densegt.accumulate.cloud import gather
from densegt.accumulate.confidence import gather_evidence
from densegt.accumulate.config import AccumulateConfig
from densegt.accumulate.render import fill, hidden_behind_gaps, shown_points
from densegt.accumulate.surface import front_surface
from densegt.accumulate.tracks import moving_tracks
from densegt.accumulate.view import look
from densegt.datasets.nuscenes import NuScenes
from densegt.datasets.scene import Scene
from densegt.depth.matching import best_match, known
from densegt.depth.store import SceneReader, scene_files
from densegt.kernels.evidence import COLUMNS
from densegt.simulate.config import SimulateConfig
from densegt.simulate.run import simulate

CONFIG = AccumulateConfig()
LEAST = (0.0, 0.9, 0.93, 0.95, 0.97)
MAX_DEPTH_M = 60.0
# Right pixels are many; one in so many stands for all.
EVERY_RIGHT = 20

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Pixels of one world.

    Attributes:
        evidence: (N,C); wrong: (N,); weight: (N,), pixels that each stands for.
        counted: pixels of the world with exact depth below MAX_DEPTH_M.
    """

    name: str
    evidence: NDArray[np.float32]
    wrong: NDArray[np.bool_]
    weight: Float64
    counted: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Collect, fit on all worlds but one for each, print; then fit on all."""
    options = parser().parse_args(arguments)
    worlds = options.worlds or [
        simulated(options.cache, seed, options.seconds, options.unlabelled) for seed in options.seeds
    ]
    samples = [collect(world, options.every) for world in worlds]
    console = Console(width=140)
    if len(samples) > 1:
        console.print(left_out(samples))
    bias, weights = fit(samples)
    for name, value in zip(("bias", *COLUMNS), (bias, *weights), strict=True):
        console.print(f"{name}: {value:.2f}")


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = out.add_mutually_exclusive_group(required=True)
    which.add_argument("--worlds", nargs="+", type=Path, metavar="DIR", help="folders written by `densegt simulate`")
    which.add_argument("--seeds", nargs="+", type=int, metavar="K", help="simulate these worlds, unless in --cache")
    out.add_argument("--seconds", type=float, default=4.0, help="length of a simulated world")
    out.add_argument("--unlabelled", type=int, default=0, help="moving objects without a box in each")
    out.add_argument("--cache", type=Path, default=Path("worlds"), help="where simulated worlds are kept")
    out.add_argument("--every", type=int, default=3, help="take one camera in so many of each keyframe, in turn")
    return out


def simulated(cache: Path, seed: int, seconds: float, unlabelled: int) -> Path:
    """A world of one scene, simulated unless it is there already."""
    folder = cache / f"seed-{seed}-{seconds:g}s-{unlabelled}u"
    if not folder.is_dir():
        simulate(SimulateConfig(scenes=1, seconds=seconds, seed=seed, unlabelled=unlabelled), folder)
    return folder


def collect(world: Path, every: int) -> Sample:
    """Evidence for pixels of a world, all wrong ones and some of the right."""
    dataset = NuScenes(world)
    rng = np.random.default_rng(0)
    parts = []
    for file in scene_files(world / "exact"):
        parts += list(_images(dataset.scene(file.stem), SceneReader(file), every, rng))
    evidence, wrong, weight, counted = zip(*parts, strict=True)
    return Sample(
        world.name, np.concatenate(evidence), np.concatenate(wrong), np.concatenate(weight).astype(float), sum(counted)
    )


def _images(
    scene: Scene, exact: SceneReader, every: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64], int]]:
    cloud = gather(scene, moving_tracks(scene, CONFIG.tracks), CONFIG)
    channels = list(dict.fromkeys(camera.channel for camera in scene.cameras))
    for index, camera in enumerate(scene.cameras):
        # Another camera first in each keyframe, so that all take part.
        if (channels.index(camera.channel) + index // len(channels)) % every:
            continue
        view = look(cloud, camera, CONFIG)
        layers = front_surface(view, camera, CONFIG.patches)
        shown = shown_points(view, camera, layers.front, CONFIG.patches)
        hidden = hidden_behind_gaps(camera, layers.front, shown, CONFIG.patches)
        filled = fill(view, camera, shown, layers.front, hidden, CONFIG.patches)
        truth_m = exact.read(camera.sample_token, camera.channel).depth_m
        counted = known(truth_m) & (truth_m < MAX_DEPTH_M)
        scored = counted & (filled.depth_m > 0)
        wrong = np.zeros(scored.shape, dtype=np.bool_)
        wrong[scored] = np.abs(best_match(filled.depth_m, truth_m, scored)) > 1
        take = scored & (wrong | (rng.random(scored.shape) < 1 / EVERY_RIGHT))
        evidence = gather_evidence(view, camera, layers, filled)[take[filled.depth_m > 0]]
        yield evidence, wrong[take], np.where(wrong[take], 1, EVERY_RIGHT), int(counted.sum())


def fit(samples: Sequence[Sample]) -> tuple[float, Float64]:
    """Bias and weights (C,) of the logistic regression that tells right from wrong; each pixel counts once."""
    x = np.concatenate([sample.evidence for sample in samples]).astype(float)
    right = ~np.concatenate([sample.wrong for sample in samples])
    weight = np.concatenate([sample.weight for sample in samples])
    middle, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
    x = (x - middle) / spread

    def loss(parameters: Float64) -> tuple[float, Float64]:
        logit = parameters[0] + x @ parameters[1:]
        away = weight * (expit(logit) - right)
        value = (weight * (np.logaddexp(0, logit) - right * logit)).sum() + 0.5 * (parameters[1:] ** 2).sum()
        return value, np.concatenate([[away.sum()], away @ x + parameters[1:]])

    best = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    weights = best[1:] / spread
    return float(best[0] - weights @ middle), weights


def left_out(samples: Sequence[Sample]) -> Table:
    """Each world by weights fitted on the others."""
    table = Table("world", *(f">= {least:g}: right %, outliers %" for least in LEAST))
    for sample in samples:
        bias, weights = fit([other for other in samples if other is not sample])
        sure = expit(bias + sample.evidence @ weights)
        cells = []
        for least in LEAST:
            weight, wrong = sample.weight[sure >= least], sample.wrong[sure >= least]
            right = 100 * weight[~wrong].sum() / sample.counted
            cells.append(f"{right:.1f}, {100 * weight[wrong].sum() / max(weight.sum(), 1):.2f}")
        table.add_row(sample.name, *cells)
    return table


if __name__ == "__main__":
    main()
