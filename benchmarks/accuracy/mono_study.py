"""Monocular detectors compared: what 3D is learned from, which losses, another lens. One row a training.

python -m benchmarks.accuracy.mono_study --worlds w1 w2 --test w3 w4 --depth stores --arms dense sparse exact \
    --seeds 0 1 2 --rigs w5 --out study

A world is a folder of `densegt simulate`; dense depth is `<world>/exact` unless `--depth DIR` names a folder with a
store of each world's name. Rigs are worlds with other cameras, each scored for itself. Rows are kept in
`<out>/rows.jsonl`; what is there is not trained again. Objects are kept in `<out>/objects`: remove them where worlds or
stores have changed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from densegt.configuration import load_config, overridden
from densegt.datasets import RecordingPath
from densegt.detection.data.depth_dataset import DatasetOptions
from densegt.detection.fit import TrainingSource
from densegt.detection.mono.batch import MonoBatch
from densegt.detection.mono.config import MonoConfig
from densegt.detection.mono.dataset import MonoObjects
from densegt.detection.mono.keyframe_objects import joined
from densegt.detection.mono.object_errors import ObjectErrors
from densegt.detection.mono.task import MonoTask

# What differs from the configuration.
ARMS: dict[str, dict[str, Any]] = {
    "dense": {},
    "sparse": {"supervision": "sparse"},
    "exact": {"supervision": "exact"},
    "exact boxes and dense": {"supervision": "autolabel"},
    "no hindsight": {"model": {"hypotheses": 1}},
    "no exploration": {"loss": {"explore_every": 0}},
    "no depth": {"weights": {"depth": 0}},
    "no free space": {"weights": {"free_space": 0}},
    "no ground": {"weights": {"ground": 0}},
    "no silhouette": {"weights": {"silhouette": 0}},
    "no 2D box": {"weights": {"box_2d": 0}},
    "no size prior": {"weights": {"size": 0}},
    "no shape prior": {"weights": {"shape": 0}},
}
SHOWN = ("BEV > 0.3", "BEV > 0.5", "BEV > 0.7", "centre m", "yaw deg", "flips", "length m", "width m", "height m")


class Study:
    """Trainings on the same worlds."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._kept: dict[Path, KeptObjects] = {}
        base = load_config(MonoConfig, "mono-miniature", {"supervision": "dense", "epochs": args.epochs})
        self._base = overridden(base, {"batch": args.batch})

    def row(self, arm: str, seed: int) -> dict[str, Any]:
        """Errors on the test worlds of one training, and its time on the processor."""
        config = overridden(self._base, {"seed": seed, **ARMS[arm]})
        torch.manual_seed(seed)
        task = MonoTask(config.model_dump())
        args = self._args
        samples = MonoObjects(cast(Any, self._objects(args.worlds, task, learned=True)), seed, config.augment)
        began = time.process_time()
        self._train(task, samples)
        seconds = time.process_time() - began
        return {
            "arm": arm, "seed": seed, "objects": len(samples), "epochs": config.epochs, "seconds": round(seconds, 1),
            "test": errors(task, self._objects(args.test, task)),
            "train": errors(task, self._objects(args.worlds, task, learned=True)),
            "rigs": {Path(rig).name: errors(task, self._objects([rig], task)) for rig in args.rigs},
        }  # fmt: skip

    def _train(self, task: MonoTask, samples: MonoObjects) -> None:
        config = task.settings
        each = len(samples) // config.batch
        optimizer = torch.optim.AdamW(task.net.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, config.learning_rate, total_steps=each * config.epochs, pct_start=0.1, final_div_factor=1e3
        )
        task.train()
        for step, number in enumerate(self._order(len(samples), each, config)):
            rows: list[Any] = [samples[int(i)] for i in number]
            batch: Any = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
            loss = torch.stack(list(task.losses(batch, step).values())).sum()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(task.net.parameters(), config.clip_gradient)
            optimizer.step()
            schedule.step()

    def _order(self, count: int, each: int, config: MonoConfig) -> Iterator[np.ndarray]:
        for epoch in range(config.epochs):
            order = epoch * count + np.random.default_rng((config.seed, epoch)).permutation(count)
            for step in range(each):
                yield order[step * config.batch : (step + 1) * config.batch]

    def _objects(self, worlds: Sequence[str], task: MonoTask, *, learned: bool = False) -> list[KeptObjects]:
        """Of each world; what is measured on those that are not learned from does not matter."""
        kind = "sparse" if learned and task.settings.supervision == "sparse" else "dense"
        return [self._of_world(Path(world), kind, task) for world in worlds]

    def _of_world(self, world: Path, kind: str, task: MonoTask) -> KeptObjects:
        path = self._args.out / "objects" / f"{kind}-{world.name}.pt"
        if path not in self._kept:
            if not path.exists():
                path.parent.mkdir(exist_ok=True)
                store = world / "exact" if self._args.depth is None else self._args.depth / world.name
                # Labels are read whatever is learned from.
                source, options = TrainingSource(RecordingPath(world), store), DatasetOptions(cast(Any, kind))
                torch.save(dict(task.dataset(source, options, None).objects()), path)
            self._kept[path] = KeptObjects(torch.load(path, weights_only=True))
        return self._kept[path]


class KeptObjects:
    """Objects of a world, in memory."""

    def __init__(self, kept: MonoBatch) -> None:
        self._objects = kept

    def objects(self) -> MonoBatch:
        """As of `MonoDataset`."""
        return self._objects


@torch.no_grad()
def errors(task: MonoTask, datasets: Sequence[KeptObjects]) -> dict[str, dict[str, float]]:
    """Of all labelled objects of some worlds."""
    found, every = ObjectErrors(), joined([dataset.objects() for dataset in datasets])
    task.eval()
    boxes = []
    for start in range(0, len(every["kind"]), 128):
        batch: Any = {name: values[start : start + 128] for name, values in every.items()}
        boxes.append(task.boxes(task(batch), batch)[0])
    cut = every["cut"].any(1).numpy()
    found.update(np.concatenate(boxes), every["box"].double().numpy(), every["moving"].double().numpy(), cut)
    return found.compute()


def parser() -> argparse.ArgumentParser:
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--worlds", nargs="+", required=True)
    out.add_argument("--test", nargs="+", required=True)
    out.add_argument("--depth", type=Path)
    out.add_argument("--rigs", nargs="+", default=[])
    out.add_argument("--arms", nargs="+", choices=list(ARMS), default=["dense", "sparse", "exact"])
    out.add_argument("--seeds", nargs="+", type=int, default=[0])
    out.add_argument("--epochs", type=int, default=12)
    out.add_argument("--batch", type=int, default=16)
    out.add_argument("--out", type=Path, required=True)
    return out


def main() -> None:
    """Train what is missing, and print all rows."""
    args = parser().parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    path, study = args.out / "rows.jsonl", Study(args)
    done = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    for seed in args.seeds:
        for arm in args.arms:
            if not any((row["arm"], row["seed"]) == (arm, seed) for row in done):
                done.append(study.row(arm, seed))
                with path.open("a") as file:
                    file.write(json.dumps(done[-1]) + "\n")
    print("| arm | seed | s | " + " | ".join(SHOWN) + " |")
    for row in done:
        figures = " | ".join(f"{row['test']['all'][name]:.2f}" for name in SHOWN)
        print(f"| {row['arm']} | {row['seed']} | {row['seconds']:.0f} | {figures} |")


if __name__ == "__main__":
    main()
