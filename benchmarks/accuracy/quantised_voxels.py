"""What eight bits would cost CenterPoint on sparse voxels: AP of each method beside float, on worlds held out.

No ONNX file carries sparse convolutions, so that they are simulated: weights by output channel, what a layer reads by
one scale, each layer in turn; the dense layers behind them as in the files of `densegt quantise`. A table a target, as
of `quantised_detectors`. What is done already is kept in --out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.accuracy.quantised_detectors import table
from densegt.datasets import RecordingPath
from densegt.detection.checkpoint import read_task
from densegt.detection.fit import TrainingSource
from densegt.detection.predict import validation_dataset
from densegt.quantisation.bev_ap import BevAp
from densegt.quantisation.calibration import calibration_places, parts_of
from densegt.quantisation.config import METHODS, QuantiseConfig
from densegt.quantisation.voxels import SIMULATED, PreparedVoxels, frame_of, prepare_voxels


def scores(prepared: PreparedVoxels, config: QuantiseConfig, asked: Sequence[Any]) -> dict[str, Any]:
    """AP by class and range."""
    simulated, sums = prepared.simulated(config), BevAp(prepared.net.grid)
    for frame, batch, labels in asked:
        sums.update(simulated.found(frame, batch), labels)
    return sums.compute()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--checkpoint", type=Path, action="append", required=True)
    made.add_argument("--dataroot", type=Path, action="append", required=True, help="to calibrate with")
    made.add_argument("--score-on", type=Path, action="append", required=True)
    made.add_argument("--target", action="append", choices=("cpu", "tensorrt"))
    made.add_argument("--class-name", default="car")
    made.add_argument("--out", type=Path, required=True, help="JSON, of all classes and ranges")
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    given = parser().parse_args(arguments)
    torch.set_num_threads(1)
    targets, methods = given.target or ["cpu", "tensorrt"], [name for name in METHODS if name in SIMULATED]
    known: dict[str, dict[str, Any]] = json.loads(given.out.read_text()) if given.out.is_file() else {}
    recordings = tuple(RecordingPath(path) for path in given.dataroot)
    wanted = ["float", *(f"{target} {method}" for target in targets for method in methods if method != "float")]
    for checkpoint in given.checkpoint:
        mine = known.setdefault(str(checkpoint), {})
        missing = [name for name in wanted if name not in mine]
        if not missing:
            continue
        task, base = read_task(checkpoint), QuantiseConfig()
        places = calibration_places(parts_of(task, checkpoint, recordings).learned, base.frames, base.seed)
        prepared = prepare_voxels(task, checkpoint, [place.batch() for place in places])
        asked = []
        for world in given.score_on:
            dataset = validation_dataset(task, TrainingSource(RecordingPath(world)))
            for index in range(len(dataset)):
                batch = torch.utils.data.default_collate([dataset[index]])
                asked.append((frame_of(task, batch), batch, dataset.labels(index)))
        for each in missing:
            target, _, method = each.rpartition(" ")
            mine[each] = scores(prepared, base.model_copy(update={"target": target or "cpu", "method": method}), asked)
            given.out.write_text(json.dumps(known, indent=1))
            print(checkpoint, each, {name: round(100 * v["all"], 1) for name, v in mine[each].items()}, flush=True)
    found = [known[str(checkpoint)] for checkpoint in given.checkpoint]
    for target in targets:
        print(table(target, methods, found, given.class_name) + "\n")


if __name__ == "__main__":
    main()
