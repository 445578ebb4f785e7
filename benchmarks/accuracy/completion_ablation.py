"""What each part of the completion network's training is good for: short trainings from nothing, each without one part.

python -m benchmarks.accuracy.completion_ablation --worlds DIR --learn city-1 varied-3001 simple-1 --test own:city-17 \
    foreign:kitti-2021 --arms whole "no variation of images" --seeds 0 1 2 --epochs 2 --out study

A world is DIR/<name>, written by `densegt simulate`, with stores DIR/depth/<name> (`accumulate --motion free`) and
DIR/sweeps/<name> (`--window 0 --no-surface`). Scored are whole images of the worlds after --test, by group: RMSE, MAE
and outliers as parts of the classical method's on the same pixels, and how much of the sky is filled. Trainings that
are in `<out>/rows.jsonl` are not made again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from densegt.completion import batches
from densegt.completion.examples import Sources, keys_of, read_example
from densegt.completion.method import Method
from densegt.completion.registry import open_method
from densegt.completion.train import Run, train
from densegt.completion.train_config import TrainConfig
from densegt.depth.matching import best_match

Float32 = NDArray[np.float32]
MAX_DEPTH_M = 60.0
CONFIG: dict[str, Any] = {
    "draws": 1, "batch": 3, "crop": (224, 320), "learning_rate": 0.0015, "precision": "bf16-mixed",
    "validation_share": 0.05, "validation_images": 1, "validate_every": 100, "loader_processes": 0,
    "keep_images": 1000, "threads": 1,
}  # fmt: skip
# What an arm changes, by the place of a constant or a function; "worlds" keeps those whose names begin so.
ARMS: Mapping[str, Mapping[str, Any]] = {
    "whole": {},
    "no weight by object": {"densegt.completion.examples.OF_IMAGE": 0.0},
    "no variation of images": {"densegt.completion.sampling._recoloured": lambda image, rng: image},
    "no thinning of depth": {"densegt.completion.sampling.SOME_LESS": (1.0, 0.0, 0.0, 0.0, 0.0)},
    "no loss of the choice": {"densegt.completion.task.CHOICE_WEIGHT": 0.0},
    "no care for the far": {"densegt.completion.sampling.SEEK_FAR": 0.0},
    "cities of one rig alone": {"worlds": "city"},
    "all but simple streets": {"worlds": ("city", "varied")},
}
INPUTS = ("accumulated", "one sweep")
FIGURES = ("RMSE", "MAE", "outliers", "sky %")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and score what was asked for; print a table of all that is there."""
    options = parser().parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    rows_file = options.out / "rows.jsonl"
    rows = [json.loads(line) for line in rows_file.read_text().splitlines()] if rows_file.exists() else []
    for seed in options.seeds:
        for arm in options.arms:
            if any((row["arm"], row["seed"], row["epochs"]) == (arm, seed, options.epochs) for row in rows):
                continue
            rows.append(run(arm, seed, options))
            with rows_file.open("a") as lines:
                lines.write(json.dumps(rows[-1]) + "\n")
    Console(width=200).print(table(rows))


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--worlds", type=Path, required=True, metavar="DIR")
    out.add_argument("--learn", nargs="+", required=True, metavar="NAME", help="worlds to learn from")
    out.add_argument("--test", nargs="+", required=True, metavar="GROUP:NAME", help="worlds to score on")
    out.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), metavar="ARM", help=", ".join(ARMS))
    out.add_argument("--seeds", nargs="+", type=int, default=[0])
    out.add_argument("--epochs", type=int, default=2)
    out.add_argument("--every", type=int, default=5, help="only every so manyeth image is scored")
    out.add_argument("--out", type=Path, required=True, metavar="DIR")
    return out


def run(arm: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """One training and its figures."""
    torch.set_num_threads(1)
    changes = dict(ARMS[arm])
    kept = tuple(np.atleast_1d(changes.pop("worlds", "")))
    learned = tuple(sources(options.worlds, name) for name in options.learn if name.startswith(kept))
    config = TrainConfig(seed=seed, epochs=options.epochs, **CONFIG)
    out = options.out / f"{arm.replace(' ', '-')}-{seed}-{options.epochs}"
    # Images that were read for another arm have its weights.
    batches.reader.cache_clear()
    start = time.process_time()
    with ExitStack() as changed:
        for place, value in changes.items():
            changed.enter_context(patch(place, value))
        weights = train(Run(learned, out, config), print)
    seconds = time.process_time() - start
    network = open_method("network", weights)
    groups: dict[str, list[str]] = {}
    for word in options.test:
        group, _, name = word.partition(":")
        groups.setdefault(group, []).append(name)
    figures = {group: scored(network, [sources(options.worlds, n) for n in names], options.every)
               for group, names in groups.items()}  # fmt: skip
    return {"arm": arm, "seed": seed, "epochs": options.epochs, "seconds": round(seconds), "figures": figures}


def sources(worlds: Path, name: str) -> Sources:
    """The folders of a world."""
    return Sources(worlds / name, worlds / "depth" / name, worlds / "sweeps" / name, worlds / name / "exact")


def scored(network: Method, folders: Sequence[Sources], every: int) -> dict[str, dict[str, float]]:
    """By input: figures of the network over those of the classical method, on pixels that both answer."""
    classical = open_method("classical")
    sums = {name: np.zeros((2, 4)) for name in INPUTS}
    sky = {name: np.zeros(2) for name in INPUTS}
    for key in keys_of(folders)[::every]:
        example = read_example(key)
        truth_m = example.target_m
        for name, given in zip(INPUTS, example.inputs, strict=True):
            depths = [method(given).depth_m for method in (network, classical)]
            counted = (truth_m > 0) & (truth_m < MAX_DEPTH_M) & (depths[0] > 0) & (depths[1] > 0)
            sums[name] += [errors(depth_m, truth_m, counted) for depth_m in depths]
            sky[name] += [((truth_m == 0) & (depths[0] > 0)).sum(), (truth_m == 0).sum()]
    return {name: dict(zip(FIGURES, shares(sums[name], *sky[name]), strict=True)) for name in INPUTS}


def errors(depth_m: Float32, truth_m: Float32, counted: NDArray[np.bool_]) -> list[float]:
    """Count, and sums of squared and absolute errors and of outliers."""
    error = (depth_m - truth_m)[counted].astype(np.float64)
    return [
        error.size,
        np.square(error).sum(),
        np.abs(error).sum(),
        (np.abs(best_match(depth_m, truth_m, counted)) > 1).sum(),
    ]


def shares(sums: NDArray[np.float64], filled: float, sky: float) -> Iterator[float]:
    """FIGURES, of sums (2,4) of the network and the classical method."""
    network, classical = sums[:, 1:] / sums[:, :1].clip(1)
    yield float(np.sqrt(network[0] / classical[0]))
    yield float(network[1] / classical[1])
    yield float(network[2] / classical[2])
    yield float(100 * filled / max(sky, 1))


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """A row each training; one sweep / accumulated."""
    groups = list(dict.fromkeys(group for row in rows for group in row["figures"]))
    out = Table("arm", "seed", "epochs", "CPU s", *(f"{group}: {name}" for group in groups for name in FIGURES))
    for row in rows:
        cells = []
        for group in groups:
            found = row["figures"].get(group)
            for name in FIGURES:
                digits = 1 if name == "sky %" else 2
                pair = [f"{found[i][name]:.{digits}f}" for i in reversed(INPUTS)] if found else ["-"]
                cells.append(" / ".join(pair))
        out.add_row(row["arm"], str(row["seed"]), str(row["epochs"]), str(row["seconds"]), *cells)
    return out


if __name__ == "__main__":
    main()
