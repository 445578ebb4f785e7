"""What eight bits cost a detector, over several trainings: AP of each method beside float, on worlds held out.

`densegt quantise --report` says the same of one training and one target; here keyframes are read once for all of them.
A table a target: BEV AP at 0.5 of cars in %, each training and their mean. What is done already is kept in --out.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from densegt.datasets import RecordingPath
from densegt.detection.bev.grid import BevGrid
from densegt.detection.data.labels import Labels
from densegt.quantisation.bev_ap import BevAp
from densegt.quantisation.config import METHODS, Method, QuantiseConfig
from densegt.quantisation.engine import Arrays, Engine
from densegt.quantisation.point_reader import reader_of
from densegt.quantisation.predict import EngineKeyframes
from densegt.quantisation.qdq import write_metadata
from densegt.quantisation.quantise import Prepared, QuantiseJob, facts, prepare, quantise, with_method


class Asked(NamedTuple):
    """A keyframe to score on."""

    token: str
    T_global_ref: Any
    inputs: Arrays
    labels: Labels


def asked(reader: dict[str, Any], worlds: Sequence[Path]) -> list[Asked]:
    """All keyframes of recordings."""
    made, found = reader_of(reader), []
    for world in worlds:
        keyframes = EngineKeyframes(RecordingPath(world).open(), reader)
        for index, each in enumerate(keyframes.keyframes):
            inputs = made.inputs(keyframes.points(each))
            found.append(Asked(each.sample_token, each.T_global_ego, inputs, keyframes.labels(index)))
    return found


def scores(job: QuantiseJob, prepared: Prepared, keyframes: Sequence[Asked], folder: Path) -> dict[str, Any]:
    """AP by class and range of one file."""
    path = folder / f"{job.config.target}-{job.config.method}.onnx"
    model = quantise(prepared, job.config, folder / ".learned", lambda line: None)
    (folder / ".learned").unlink(missing_ok=True)
    write_metadata(model, facts(job, prepared))
    path.write_bytes(model.SerializeToString())
    engine, reader = Engine(path), reader_of(prepared.part.reader)
    sums = BevAp(BevGrid(**prepared.part.reader["grid"]))
    for each in keyframes:
        sums.update(reader.found(engine.run(each.inputs), each.token, each.T_global_ref), each.labels)
    return sums.compute()


def table(target: str, methods: Sequence[Method], found: Sequence[dict[str, Any]], name: str) -> str:
    """Rows of methods, columns of trainings."""
    heads = [f"training {k + 1}" for k in range(len(found))]
    lines = [f"| {target} | {' | '.join(heads)} | mean | loss |", f"| --- |{' ---: |' * (len(found) + 2)}"]
    floats = [each["float"][name]["all"] for each in found]
    for method in methods:
        values = [each[method if method == "float" else f"{target} {method}"][name]["all"] for each in found]
        shown = " | ".join(f"{100 * value:.1f}" for value in (*values, np.mean(values)))
        lines.append(f"| {method} | {shown} | {100 * (np.mean(floats) - np.mean(values)):.1f} |")
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--checkpoint", type=Path, action="append", required=True)
    made.add_argument("--dataroot", type=Path, action="append", required=True, help="to calibrate with")
    made.add_argument("--score-on", type=Path, action="append", required=True)
    made.add_argument("--target", action="append", choices=("cpu", "tensorrt"))
    made.add_argument("--method", action="append", choices=METHODS)
    made.add_argument("--steps", type=int, default=QuantiseConfig().steps)
    made.add_argument("--class-name", default="car")
    made.add_argument("--out", type=Path, required=True, help="JSON, of all classes and ranges")
    return made


def main() -> None:
    given = parser().parse_args()
    targets, methods = given.target or ["cpu", "tensorrt"], given.method or list(METHODS)
    known: dict[str, dict[str, Any]] = json.loads(given.out.read_text()) if given.out.is_file() else {}
    keyframes: list[Asked] = []
    wanted = ["float", *(f"{target} {method}" for target in targets for method in methods if method != "float")]
    recordings = tuple(RecordingPath(path) for path in given.dataroot)
    for checkpoint in given.checkpoint:
        mine = known.setdefault(f"{checkpoint} {given.steps}", {})
        missing = [name for name in wanted if name not in mine]
        if not missing:
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            job = QuantiseJob(checkpoint, recordings, folder / "engine.onnx", QuantiseConfig(steps=given.steps))
            prepared = prepare(job, print)
            # Pillars have the training's own weights in them.
            if not keyframes or prepared.part.reader["kind"] == "pillars":
                keyframes = asked(prepared.part.reader, given.score_on)
            for each in missing:
                target, _, method = each.rpartition(" ")
                config = with_method(job.config.model_copy(update={"target": target or "cpu"}), method)
                one = QuantiseJob(checkpoint, recordings, job.out, config)
                mine[each] = scores(one, prepared, keyframes, folder)
                given.out.write_text(json.dumps(known, indent=1))
                print(checkpoint, each, {key: round(100 * v["all"], 1) for key, v in mine[each].items()}, flush=True)
    found = [known[f"{checkpoint} {given.steps}"] for checkpoint in given.checkpoint]
    for target in targets:
        print(table(target, ["float", *(m for m in methods if m != "float")], found, given.class_name) + "\n")


if __name__ == "__main__":
    main()
