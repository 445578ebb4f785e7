"""What eight bits cost a detector, over several trainings: AP of each method beside float, on worlds held out.

`densegt quantise --report` says the same of one training and one target; here keyframes are read once for all of them.
A table a target: BEV AP at 0.5 of cars in %, each training and their mean; of a Lift-Splat `--class-name vehicles` is
the IoU of its map of vehicles. Files are computed exactly, as by a processor with VNNI, whatever this one is. What is
done already is kept in --out.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from densegt.datasets import RecordingPath
from densegt.detection.bev.bev_target import segmentation_target
from densegt.detection.bev.grid import BevGrid
from densegt.detection.bev.losses import VEHICLE_CLASSES
from densegt.detection.data.labels import Labels
from densegt.detection.scoring.vehicle_iou import VehicleIou
from densegt.quantisation.bev_ap import BevAp
from densegt.quantisation.config import METHODS, Method, QuantiseConfig
from densegt.quantisation.engine import Arrays
from densegt.quantisation.engine_file import write_engine
from densegt.quantisation.lift_engine import open_engine
from densegt.quantisation.predict import EngineKeyframes
from densegt.quantisation.quantise import (
    Prepared,
    QuantiseJob,
    Searched,
    facts,
    prepare,
    quantise,
    remove_state,
    with_method,
)
from densegt.quantisation.readers import reader_of

# Of Lift-Splat's answer: where vehicles stand; its score is their intersection over union.
VEHICLES = "vehicles"


class Asked(NamedTuple):
    """A keyframe to score on."""

    token: str
    T_global_ref: Any
    inputs: Arrays
    labels: Labels


def asked(reader: dict[str, Any], worlds: Sequence[Path]) -> list[Asked]:
    """All keyframes of recordings."""
    found = []
    for world in worlds:
        keyframes = EngineKeyframes(RecordingPath(world).open(), reader)
        for index, each in enumerate(keyframes.keyframes):
            found.append(Asked(each.sample_token, each.T_global_ego, keyframes.inputs(each), keyframes.labels(index)))
    return found


def scores(
    job: QuantiseJob, prepared: Prepared, keyframes: Sequence[Asked], searched: Searched, *, exact: bool
) -> dict[str, Any]:
    """AP by class and range of one file."""
    folder = job.out.parent
    path, state = folder / f"{job.config.target}-{job.config.method}.onnx", folder / ".learned"
    models = quantise(prepared, job.config, state, lambda line: None, searched=searched)
    remove_state(state, prepared)
    write_engine(path, models, facts(job, prepared))
    engine, reader = open_engine(path, exact=exact), reader_of(prepared.reader)
    grid = BevGrid(**prepared.reader["grid"])
    sums, vehicles = BevAp(grid), VehicleIou(grid.shape)
    for each in keyframes:
        outputs = engine.run(each.inputs)
        sums.update(reader.found(outputs, each.token, each.T_global_ref), each.labels)
        if VEHICLES in outputs:
            vehicles.update(outputs[VEHICLES][0, 0] > 0, footprints(each.labels, grid))
    return sums.compute() | ({VEHICLES: {"all": vehicles.compute()["IoU"]}} if VEHICLES in outputs else {})


def footprints(labels: Labels, grid: BevGrid) -> NDArray[np.bool_]:
    """(Y,X) cells in a vehicle."""
    boxes, classes = torch.from_numpy(labels.boxes)[None], torch.from_numpy(labels.classes)[None]
    found: NDArray[np.bool_] = segmentation_target(boxes, classes, VEHICLE_CLASSES, grid)[0].numpy()
    return found


def table(target: str, methods: Sequence[Method], found: Sequence[dict[str, Any]], name: str) -> str:
    """Rows of methods, columns of trainings."""
    heads = [f"training {k + 1}" for k in range(len(found))]
    lines = [f"| {target} | {' | '.join(heads)} | mean | loss |", f"| --- |{' ---: |' * (len(found) + 2)}"]
    floats = [each["float"][name]["all"] for each in found]
    for method in methods:
        values = [each[method if method == "float" else f"{target} {method}"][name]["all"] for each in found]
        shown = " | ".join(f"{100 * value:.1f}" for value in (*values, np.mean(values)))
        losses = 100 * (np.array(floats) - np.array(values))
        spread = f" ± {losses.std(ddof=1):.1f}" if len(losses) > 1 else ""
        lines.append(f"| {method} | {shown} | {losses.mean():.1f}{spread} |")
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--checkpoint", type=Path, action="append", required=True)
    made.add_argument("--dataroot", type=Path, action="append", required=True, help="to calibrate with")
    made.add_argument("--score-on", type=Path, action="append", required=True)
    made.add_argument("--target", action="append", choices=("cpu", "tensorrt"))
    made.add_argument("--method", action="append", choices=METHODS)
    made.add_argument("--steps", type=int, default=QuantiseConfig().steps)
    made.add_argument("--weight-bits", type=int, choices=(7, 8), default=8)
    made.add_argument("--as-run", action="store_true", help="as onnxruntime does it here: without VNNI it clips")
    made.add_argument("--class-name", default="car")
    made.add_argument("--out", type=Path, required=True, help="JSON, of all classes and ranges")
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    given = parser().parse_args(arguments)
    targets, methods = given.target or ["cpu", "tensorrt"], given.method or list(METHODS)
    known: dict[str, dict[str, Any]] = json.loads(given.out.read_text()) if given.out.is_file() else {}
    keyframes: list[Asked] = []
    wanted = ["float", *(f"{target} {method}" for target in targets for method in methods if method != "float")]
    recordings = tuple(RecordingPath(path) for path in given.dataroot)
    settings = QuantiseConfig(steps=given.steps, weight_bits=given.weight_bits)
    how = f"{given.steps} steps, {given.weight_bits} bits{', as run' if given.as_run else ''}"
    for checkpoint in given.checkpoint:
        mine = known.setdefault(f"{checkpoint} {how}", {})
        missing = [name for name in wanted if name not in mine]
        if not missing:
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            job = QuantiseJob(checkpoint, recordings, folder / "engine.onnx", settings)
            prepared = prepare(job, print)
            # Pillars have the training's own weights in them.
            if not keyframes or prepared.reader["kind"] == "pillars":
                keyframes = asked(prepared.reader, given.score_on)
            searched: Searched = {}
            for each in missing:
                begun = time.process_time()
                target, _, method = each.rpartition(" ")
                config = with_method(job.config.model_copy(update={"target": target or "cpu"}), method)
                one = QuantiseJob(checkpoint, recordings, job.out, config)
                mine[each] = scores(one, prepared, keyframes, searched, exact=not given.as_run)
                given.out.write_text(json.dumps(known, indent=1))
                aps = {key: round(100 * v["all"], 1) for key, v in mine[each].items()}
                print(f"{checkpoint} {each} {aps}, {time.process_time() - begun:.0f} s of a processor", flush=True)
    found = [known[f"{checkpoint} {how}"] for checkpoint in given.checkpoint]
    for target in targets:
        print(table(target, ["float", *(m for m in methods if m != "float")], found, given.class_name) + "\n")


if __name__ == "__main__":
    main()
