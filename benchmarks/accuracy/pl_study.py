"""What a detector's gradient is worth to a depth net, over seeds: end to end beside apart, frozen, and a real lidar.

python -m benchmarks.accuracy.pl_study --learn w1 w1-depth --learn w2 w2-depth --test w3 --out study

Depth net and detector learn apart, then go on with each coupling. After that depth is wrong on purpose: `--bias` times
as long as the net says. What that costs is measured before anything learns of it, then both go on with no depth to
learn from, so that only boxes tell, and the detector alone (separate) or depth too (end to end) may adapt. Last, the
share of the detector's gradient on depth that is on objects, beside their share of the points. `--test` folders have
exact depth in `exact`, as `densegt simulate` writes it. What is done in `--out` is not done again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from torch.utils.data import default_collate

from densegt.configuration import load_config, overridden
from densegt.datasets import RecordingPath
from densegt.detection.checkpoint import read_task
from densegt.detection.fit import TrainingRun, TrainingSource, fit
from densegt.detection.points.pseudo_lidar.config import PlConfig
from densegt.detection.points.pseudo_lidar.gradient_map import depth_gradient
from densegt.detection.points.pseudo_lidar.task import PlTask
from densegt.detection.predict import predictions, validation_dataset

LAST, DONE = Path("checkpoints/last.ckpt"), "about.json"
AP = tuple(f"BEV AP at {iou}" for iou in (0.3, 0.5, 0.7))
FIGURES = (*AP, "depth MAE m")
COUPLINGS = ("end-to-end", "separate", "frozen")
# Every so manieth keyframe's gradient is looked at.
GRADIENT_STEP = 6


class Study:
    """All trainings of one seed."""

    def __init__(self, args: argparse.Namespace, seed: int) -> None:
        self._args, self._seed = args, seed

    def run(self) -> dict[str, dict[str, float]]:
        """Figures by variant."""
        args = self._args
        on = {"epochs": args.more_epochs, "learning_rate": args.rate, "depth_rate": args.depth_rate}
        rows = {"apart": self._variant("apart", {"epochs": args.epochs}, None)}
        for coupling in COUPLINGS:
            rows[coupling] = self._variant(coupling, {**on, "coupling": coupling}, "apart")
        measured = {"model": {"input": "lidar"}, "supervision": "none", "epochs": args.lidar_epochs}
        rows["lidar"] = self._variant("lidar", measured, None)
        for bias in args.bias:
            wrong = {"model": {"depth": {"scale": bias}}, "supervision": "none"}
            rows[f"x {bias}"] = self._scored(f"x{bias}", "apart", bias)
            for coupling in COUPLINGS[:2]:
                told = {**on, **wrong, "coupling": coupling}
                rows[f"x {bias}, {coupling}"] = self._variant(f"x{bias}-{coupling}", told, "apart")
        rows["end-to-end"] |= self._gradient("end-to-end")
        return rows

    def _folder(self, name: str) -> Path:
        return Path(self._args.out) / f"{name}-{self._seed}"

    def _variant(self, name: str, changes: dict[str, Any], init: str | None) -> dict[str, float]:
        """Train, unless that is done, and score the last weights."""
        folder, args = self._folder(name), self._args
        if not (folder / DONE).exists():
            settings = {"supervision": "dense", "seed": self._seed, "validation_share": args.watch, **changes}
            config = overridden(load_config(PlConfig, args.config, {}), settings)
            begin = () if init is None else (self._folder(init) / LAST,)
            sources = tuple(TrainingSource(RecordingPath(Path(root)), Path(depth)) for root, depth in args.learn)
            begun = (folder / LAST).exists()
            fit(TrainingRun(sources, folder, config, () if begun else begin, resume=begun), print)
        return self._scored(name, name, None)

    def _scored(self, name: str, weights: str, scale: float | None) -> dict[str, float]:
        """Of the weights of a training, whose depth is then `scale` times as long."""
        kept = self._folder(name) / "scores.json"
        if not kept.exists():
            task = self._task(weights)
            if scale is not None and task.net.depth is not None:
                task.net.depth.config = task.net.depth.config.model_copy(update={"scale": scale})
            scores = task.scores()
            for root in self._args.test:
                dataset = validation_dataset(task, TrainingSource(RecordingPath(Path(root)), Path(root) / "exact"))
                for index, (prediction, _) in enumerate(predictions(task, dataset)):
                    scores.update(prediction, dataset.labels(index))
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps({**scores.cars(), "depth MAE m": scores.depth()["all"]["MAE m"]}))
            print(f"{kept.parent.name}: {kept.read_text()}")
        figures: dict[str, float] = json.loads(kept.read_text())
        return figures

    def _task(self, name: str) -> PlTask:
        task = read_task(self._folder(name) / LAST)
        assert isinstance(task, PlTask)
        return task

    def _gradient(self, weights: str) -> dict[str, float]:
        task = self._task(weights)
        shares = []
        for root in self._args.test:
            dataset = validation_dataset(task, TrainingSource(RecordingPath(Path(root)), Path(root) / "exact"))
            batches = (default_collate([dataset[i]]) for i in range(0, len(dataset), GRADIENT_STEP))
            shares += [depth_gradient(task.net, batch).shares() for batch in batches]
        felt, held = np.nanmean(shares, axis=0)
        return {"gradient on objects": float(felt), "points on objects": float(held)}


def show(seeds: Sequence[dict[str, dict[str, float]]]) -> None:
    """Means, and the least and most of the seeds."""
    table = Table("points", *FIGURES)
    for variant in seeds[0]:
        values = [[each[variant].get(name, np.nan) for each in seeds] for name in FIGURES]
        table.add_row(variant, *(f"{np.mean(v):.3f} ({min(v):.3f}-{max(v):.3f})" for v in values))
    Console().print(table)
    for number, each in enumerate(seeds):
        ours = each["end-to-end"]
        of_gradient, of_points = ours["gradient on objects"], ours["points on objects"]
        print(f"seed {number}: gradient on objects {of_gradient:.3f}, points {of_points:.3f}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is not trained yet, score it and print the tables."""
    args = parser().parse_args(arguments)
    show([Study(args, seed).run() for seed in range(args.seeds)])


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--learn", nargs=2, action="append", required=True, metavar=("DATAROOT", "DEPTH"))
    out.add_argument("--test", action="append", required=True, metavar="DATAROOT")
    out.add_argument("--out", required=True)
    out.add_argument("--config", default="pl-miniature")
    out.add_argument("--seeds", type=int, default=3)
    out.add_argument("--epochs", type=int, default=12, help="apart, before the couplings part")
    out.add_argument("--more-epochs", type=int, default=4)
    out.add_argument("--lidar-epochs", type=int, default=8)
    out.add_argument("--rate", type=float, default=0.0015, help="learning rate of --more-epochs")
    out.add_argument("--depth-rate", type=float, default=0.1, help="of the depth net's to that")
    out.add_argument("--bias", type=float, nargs="*", default=[1.05])
    out.add_argument("--watch", type=float, default=0.04, help="share of the scenes to learn from that is watched")
    return out


if __name__ == "__main__":
    main()
