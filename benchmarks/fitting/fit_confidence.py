"""Fits the confidence model on simulated worlds, and says what it is worth on worlds left out.

python -m benchmarks.fitting.fit_confidence --seeds 11 12 21 22 23 303 --unlabelled 2 --cache /tmp/worlds
python -m benchmarks.fitting.fit_confidence --worlds world-a world-b --out densegt/accumulation/weights/confidence.json

Prints, for each world, the share of pixels with a right depth and the outliers among the shown at several least
confidences, by a model fitted on two thirds of the worlds, without this one; then fits one on all of them.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import nn

from benchmarks.accuracy.ablation import git
from benchmarks.accuracy.completion_inputs import beams
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.pipeline import build_cloud
from densegt.accumulation.render.confidence import features
from densegt.accumulation.render.confidence_model import write_confidence_model
from densegt.accumulation.render.frustum import select_visible
from densegt.accumulation.render.renderer import hidden_behind_gaps, interpolate, point_z_buffers
from densegt.accumulation.render.surfel_layers import front_surface
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.datasets.scene import Scene
from densegt.depth.kind import Kind
from densegt.depth.matching import best_match, known
from densegt.depth.store import SceneReader, scene_files
from densegt.kernels.confidence_network import ConfidenceModel, confidence_network
from densegt.simulate.config import SimulateConfig
from densegt.simulate.run import simulate

CONFIG = AccumulateConfig()
LEAST = (0.0, 0.9, 0.93, 0.95, 0.97)
MAX_DEPTH_M = 60.0
WINDOWS_S = (None, None, None, 1.0, 0.25, 0.0)
# Some scenes are seen a second time, by few beams.
BEAMS = (0, 16, 0, 4, 0, 1)
# Evidence is counted in pixels, and cameras differ in how much of the street one of them sees.
COARSER = (1, 1, 2, 4)
# Right pixels are many; one in so many stands for all.
EVERY_RIGHT = 30
HIDDEN, EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY = (32, 16), 40, 8192, 4e-3, 1e-4
FOLDS = 3


Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Pixels of one world.

    Attributes:
        world: its number.
        evidence: (N,C); wrong: (N,); weight: (N,), pixels that each stands for.
        heard: (N,), how many times each counts in fitting.
        counted: pixels of the world with exact depth below MAX_DEPTH_M.
    """

    name: str
    world: int
    evidence: NDArray[np.float32]
    wrong: NDArray[np.bool_]
    weight: NDArray[np.int64]
    heard: Float64
    counted: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Collect, fit on all worlds but one for each, print; then fit on all."""
    options = parser().parse_args(arguments)
    worlds = options.worlds or [
        simulated(options.cache, seed, options.seconds, options.unlabelled) for seed in options.seeds
    ]
    samples = [sample for number, world in enumerate(worlds) for sample in collect(world, number, options.every)]
    console = Console(width=140)
    table = left_out(samples)
    console.print(drawn(table))
    if options.out:
        made = {
            "command": shlex.join(["python", "-m", "benchmarks.fitting.fit_confidence", *(arguments or sys.argv[1:])]),
            "commit": git("rev-parse", "--short", "HEAD"),
            "seeds": [seeds_of(world) for world in worlds],
            "left_out": table,
        }
        write_confidence_model(options.out, fit(samples), made)


def seeds_of(world: Path) -> int:
    """What a world was simulated from."""
    return int(SceneReader(scene_files(world / "exact")[0]).config["simulate"]["seed"])


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = out.add_mutually_exclusive_group(required=True)
    which.add_argument("--worlds", nargs="+", type=Path, metavar="DIR", help="folders written by `densegt simulate`")
    which.add_argument("--seeds", nargs="+", type=int, metavar="K", help="simulate these worlds, unless in --cache")
    out.add_argument("--seconds", type=float, default=4.0, help="length of a simulated world")
    out.add_argument("--unlabelled", type=int, default=0, help="moving objects without a box in each")
    out.add_argument("--cache", type=Path, default=Path("worlds"), help="where simulated worlds are kept")
    out.add_argument("--out", type=Path, metavar="FILE", help="where to write the model fitted on all worlds")
    out.add_argument("--every", type=int, default=3, help="take one camera in so many of each keyframe, in turn")
    return out


def simulated(cache: Path, seed: int, seconds: float, unlabelled: int) -> Path:
    """A world of one scene, simulated unless it is there already."""
    folder = cache / f"seed-{seed}-{seconds:g}s-{unlabelled}u"
    if not folder.is_dir():
        simulate(SimulateConfig(scenes=1, seconds=seconds, seed=seed, unlabelled=unlabelled), folder)
    return folder


def collect(world: Path, number: int, every: int) -> list[Sample]:
    """Evidence for pixels of a world, all wrong ones and some of the right; once as it is, once as few beams see it."""
    dataset = open_recording(world)
    rng = np.random.default_rng(number)
    whole, few = [], []
    for file in scene_files(world / "exact"):
        scene, exact = read_scene(dataset, file.stem, AccumulateConfig()), SceneReader(file)
        whole += list(_images(scene, exact, every, rng))
        count = BEAMS[int(rng.integers(len(BEAMS)))]
        if count:
            few += list(_images(beams(count, scene), exact, every, rng))
    return [
        _sample(name, number, parts)
        for name, parts in ((world.name, whole), (f"{world.name}, few beams", few))
        if parts
    ]


def _sample(name: str, number: int, parts: list[Any]) -> Sample:
    *columns, counted = zip(*parts, strict=True)
    return Sample(name, number, *(np.concatenate(column) for column in columns), sum(counted))


def _images(
    scene: Scene, exact: SceneReader, every: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64], Float64, int]]:
    # Some scenes without labels, some images of few sweeps or coarse: what counts as much evidence among hundreds of
    # sweeps must not be asked of one.
    config = CONFIG.model_copy(update={"motion": ("auto", "free")[int(rng.integers(2))], "refine_poses": False})
    cloud = build_cloud(scene, config)
    channels = list(dict.fromkeys(camera.channel for camera in scene.cameras))
    for index, camera in enumerate(scene.cameras):
        # Another camera first in each keyframe, so that all take part.
        if (channels.index(camera.channel) + index // len(channels)) % every:
            continue
        step = COARSER[int(rng.integers(len(COARSER)))]
        exactly = exact.read(camera.sample_token, camera.channel)
        truth_m, kind = (np.ascontiguousarray(a[::step, ::step]) for a in (exactly.depth_m, exactly.layers["kind"]))
        size = {"height_px": truth_m.shape[0], "width_px": truth_m.shape[1]}
        camera = replace(camera, K=camera.K / [[step], [step], [1]], **size)
        view = select_visible(
            cloud, camera, config.model_copy(update={"window_s": WINDOWS_S[int(rng.integers(len(WINDOWS_S)))]})
        )
        layers = front_surface(view, camera, CONFIG.surfels)
        shown = point_z_buffers(view, camera, layers.front, CONFIG.surfels).cells
        hidden = hidden_behind_gaps(camera, layers.front, shown, CONFIG.surfels)
        filled = interpolate(view, camera, shown, layers.front, hidden, CONFIG)
        counted = known(truth_m) & (truth_m < MAX_DEPTH_M)
        # Depth before the sky is wrong too, or rims of roofs would be believed. Nothing that the model reads tells a
        # missed pane from an opening: with panes it would learn to be less sure of everything.
        scored = ((counted & (kind != Kind.GLASS)) | ~known(truth_m)) & (filled.depth_m > 0)
        wrong = np.zeros(scored.shape, dtype=np.bool_)
        wrong[scored] = np.abs(best_match(filled.depth_m, truth_m, scored)) > 1
        every_right = max(EVERY_RIGHT // step**2, 1)
        take = scored & (wrong | (rng.random(scored.shape) < 1 / every_right))
        evidence = features(view, camera, layers, filled)[take[filled.depth_m > 0]]
        # A coarse image counts as much as any other, and what knows little is heard all the same.
        weight = step**2 * np.where(wrong[take], 1, every_right)
        heard = np.full(len(weight), np.sqrt(counted.sum() / max(scored.sum(), 1)))
        yield evidence, wrong[take], weight, heard, step**2 * int(counted.sum())


def fit(samples: Sequence[Sample]) -> ConfidenceModel:
    """The network that tells right from wrong with the least cross entropy; each pixel counts once."""
    torch.manual_seed(0)
    x = torch.from_numpy(np.concatenate([sample.evidence for sample in samples]))
    right = torch.from_numpy(~np.concatenate([sample.wrong for sample in samples])).float()
    weight = torch.from_numpy(np.concatenate([sample.weight * sample.heard for sample in samples])).float()
    weight /= weight.mean()
    middle, spread = x.mean(0), x.std(0) + 1e-6
    x = (x - middle) / spread
    sizes = (x.shape[1], *HIDDEN, 1)
    layers = [nn.Linear(into, out) for into, out in pairwise(sizes)]
    network = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = EPOCHS * max(len(x) // BATCH, 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    for _ in range(steps):
        rows = torch.randint(len(x), (BATCH,))
        loss = nn.functional.binary_cross_entropy_with_logits(network(x[rows])[:, 0], right[rows], weight=weight[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        layers[0].weight /= spread
        layers[0].bias -= layers[0].weight @ middle
        return ConfidenceModel(*(torch.cat([layer.weight, layer.bias[:, None]], dim=1).numpy() for layer in layers))


def left_out(samples: Sequence[Sample]) -> dict[str, dict[str, tuple[float, float]]]:
    """Each world by a model fitted without it: right and outlier percent at each least confidence."""
    table: dict[str, dict[str, tuple[float, float]]] = {}
    folds = min(FOLDS, len({sample.world for sample in samples}))
    for fold in range(folds if folds > 1 else 0):
        model = fit([sample for sample in samples if sample.world % folds != fold])
        for sample in samples:
            if sample.world % folds != fold:
                continue
            sure = np.empty(len(sample.evidence), dtype=np.float32)
            confidence_network(sample.evidence, model, sure)
            table[sample.name] = {f"{least:g}": percent(sample, sure >= least) for least in LEAST}
    return dict(sorted(table.items()))


def percent(sample: Sample, shown: NDArray[np.bool_]) -> tuple[float, float]:
    """Right pixels among those counted, wrong ones among those shown."""
    weight, wrong = sample.weight[shown], sample.wrong[shown]
    right = 100 * weight[~wrong].sum() / sample.counted
    return round(float(right), 2), round(float(100 * weight[wrong].sum() / max(weight.sum(), 1)), 3)


def drawn(table: dict[str, dict[str, tuple[float, float]]]) -> Table:
    """For the terminal."""
    out = Table("world", *(f">= {least:g}: right %, outliers %" for least in LEAST))
    for name, cells in table.items():
        out.add_row(name, *(f"{right:.1f}, {wrong:.2f}" for right, wrong in cells.values()))
    return out


if __name__ == "__main__":
    main()
