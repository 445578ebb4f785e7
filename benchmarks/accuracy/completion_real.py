"""Completion of single sweeps on a real recording, against depth accumulated without them.

python -m benchmarks.accuracy.completion_real --dataroot kitti-street [--skip 4] [--json FILE]

Each keyframe's own sweep is completed; the truth is what `accumulate` makes of all other sweeps. That truth has gaps
and errors of its own (see `densegt evaluate --leave-one-out`), which all methods bear alike. Errors are over the pixels
nearer than 60 m that the truth knows and that every method answers.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.accuracy.completion import MAX_DEPTH_M, Pooled, as_rich, methods_of
from benchmarks.accuracy.completion_inputs import ACCUMULATED, ONE_SWEEP
from densegt.accumulation.leave_one_out.scene import held_out_keyframes, without
from densegt.accumulation.pipeline import accumulate_scene
from densegt.accumulation.scene_input import read_scene
from densegt.completion.images import given_of_depth
from densegt.completion.method import SparseDepth
from densegt.datasets import open_recording


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--dataroot", type=Path, required=True, metavar="DIR")
    out.add_argument("--skip", type=int, default=0, metavar="N", help="leave out the first keyframes of each scene")
    out.add_argument("--checkpoint", type=Path, metavar="FILE", help="the network's weights")
    out.add_argument("--json", type=Path, metavar="FILE")
    return out


def main(arguments: Sequence[str] | None = None) -> None:
    """Score all methods; print, and write what was asked for."""
    options = parser().parse_args(arguments)
    methods = methods_of(options.checkpoint)
    pooled = {name: Pooled() for name in methods}
    for given, truth_m in pairs(options.dataroot, options.skip):
        done = {name: method(given).depth_m for name, method in methods.items()}
        common = (truth_m > 0) & (truth_m < MAX_DEPTH_M) & np.all([depth > 0 for depth in done.values()], axis=0)
        for name, depth_m in done.items():
            error = (depth_m - truth_m).astype(np.float64)
            outlier = np.abs(error) > np.maximum(0.5, 0.05 * truth_m)
            for group, pixels in (("all", common), ("not measured", common & (given.depth_m == 0))):
                pooled[name].add(group, error[pixels], outlier[pixels])
    figures = {name: errors.figures() for name, errors in pooled.items()}
    rows = [
        (name, *(f"{groups[g][key]:.3f}" for g in groups for key in ("mae_m", "rmse_m", "outlier_percent")))
        for name, groups in figures.items()
    ]
    names = [f"{g}: {key}" for g in ("all", "not measured") for key in ("MAE m", "RMSE m", "outlier %")]
    Console(width=150).print(as_rich(f"{options.dataroot.name}: one sweep", ("method", *names), rows))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def pairs(dataroot: Path, skip: int) -> Iterator[tuple[SparseDepth, NDArray[np.float32]]]:
    """A keyframe's own sweep with its image, and depth made without it."""
    dataset = open_recording(dataroot)
    for name in dataset.scene_names:
        scene = read_scene(dataset, name, ACCUMULATED)
        for keyframe in held_out_keyframes(scene)[skip:]:
            own = accumulate_scene(replace(scene, cameras=keyframe.cameras), ONE_SWEEP)
            others = accumulate_scene(without(scene, keyframe), ACCUMULATED)
            for (camera, depth), (_, truth) in zip(own, others, strict=True):
                yield given_of_depth(camera, depth), truth.depth_m


if __name__ == "__main__":
    main()
