"""What each step of quantisation is worth: every method as a file, run on scenes that nobody learned from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import densegt
from densegt.datasets import RecordingPath
from densegt.depth.partial_file import write_whole
from densegt.detection.bev.grid import BevGrid
from densegt.errors import InputError
from densegt.quantisation.bev_ap import BevAp
from densegt.quantisation.config import METHODS, Method
from densegt.quantisation.engine import cpu_flags, milliseconds
from densegt.quantisation.engine_file import copy_engine, megabytes, write_engine
from densegt.quantisation.learning import Progress
from densegt.quantisation.lift_engine import AnyEngine, open_engine
from densegt.quantisation.predict import EngineKeyframes, detections
from densegt.quantisation.quantise import (
    Prepared,
    QuantiseJob,
    Report,
    Searched,
    facts,
    prepare,
    quantise,
    remove_state,
    sole,
    with_method,
)
from densegt.quantisation.sensitivity import layer_gains

SUMMARY = "quantised.json"
# Of the keyframes, to take times on.
TIMED = 5


@dataclass(frozen=True)
class Comparison:
    """Where every method's file goes, and what tells how good it is.

    Attributes:
        recordings: to score on; without any, the scenes that the training held out of those to calibrate with.
    """

    folder: Path
    recordings: tuple[RecordingPath, ...] = ()


def run_compared(job: QuantiseJob, comparison: Comparison, report: Report, progress: Progress | None = None) -> Path:
    """Write the job's file and those of all other methods, and what they are worth; gives the summary's path.

    Raises:
        InputError: see `run` and `compare`.
    """
    with sole(job):
        prepared = prepare(job, report)
        summary = compare(job, prepared, comparison, report, progress)
        copy_engine(comparison.folder / f"{job.config.method}.onnx", job.out)
    return summary


def compare(
    job: QuantiseJob, prepared: Prepared, comparison: Comparison, report: Report, progress: Progress | None = None
) -> Path:
    """Write every method's engine and `quantised.json`; files of before that are of the same are taken as they are.

    Raises:
        InputError: there is nothing to score on, or it was calibrated with.
    """
    comparison.folder.mkdir(parents=True, exist_ok=True)
    keyframes = _scored(job, prepared, comparison)
    report(f"{sum(map(len, keyframes))} keyframes to score on")
    engines: dict[Method, AnyEngine] = {}
    rows: dict[Method, dict[str, Any]] = {}
    searched: Searched = {}
    for method in METHODS:
        path = comparison.folder / f"{method}.onnx"
        one = replace(job, config=with_method(job.config, method), out=path)
        if not _is_made(path, facts(one, prepared)):
            state = comparison.folder / f".{method}.learned"
            models = quantise(prepared, one.config, state, report, progress, searched)
            write_engine(path, models, facts(one, prepared))
            remove_state(state, prepared)
        engines[method] = open_engine(path)
        rows[method] = _row(engines[method], keyframes) | {"MB": megabytes(path)}
        report(f"{method}: {in_words(rows[method])}")
    first = [keyframes[0].inputs(each) for each in keyframes[0].keyframes[:TIMED]]
    times = milliseconds({str(method): engine for method, engine in engines.items()}, first)
    for method, row in rows.items():
        row["ms"] = times[method]
    summary = {
        "densegt_version": densegt.__version__,
        "detector": prepared.task.settings.detector,
        "config": job.config.model_dump(),
        "calibration": {"keyframes": len(prepared.places), "tokens": [place.token for place in prepared.places]},
        "scored": {"keyframes": sum(map(len, keyframes)), "boxes": rows["float"].pop("boxes")},
        "flags": list(cpu_flags()),
        "methods": {name: {k: v for k, v in row.items() if k != "boxes"} for name, row in rows.items()},
        "sensitivity": [
            each._asdict() for stage in prepared.stages for each in layer_gains(stage.graph, stage.frames, job.config)
        ],
    }
    path = comparison.folder / SUMMARY
    write_whole(path, json.dumps(summary, indent=1).encode() + b"\n")
    return path


def in_words(row: dict[str, Any]) -> str:
    """The mean over classes and the commonest class."""
    aps = {name: parts["all"] for name, parts in row["ap"].items()}
    most = max(row["boxes"], key=lambda name: row["boxes"][name])
    return f"BEV AP at 0.5 of {most} {aps[most]:.3f}, mean of {len(aps)} classes {np.mean(list(aps.values())):.3f}"


def _row(engine: AnyEngine, keyframes: Sequence[EngineKeyframes]) -> dict[str, Any]:
    sums = BevAp(BevGrid(**engine.facts["reader"]["grid"]))
    for each in keyframes:
        for index, found in enumerate(detections(engine, each)):
            sums.update(found, each.labels(index))
    return {"ap": sums.compute(), "boxes": sums.counts()}


def _scored(job: QuantiseJob, prepared: Prepared, comparison: Comparison) -> list[EngineKeyframes]:
    reader = prepared.reader
    if comparison.recordings:
        found = [EngineKeyframes(path.open(), reader) for path in comparison.recordings]
    else:
        found = [
            EngineKeyframes(part.recording, reader, list(dict.fromkeys(k.scene for k in part.keyframes)))
            for part in prepared.parts.held_out
        ]
    used = {place.token: place.dataset.keyframes[place.index].scene for place in prepared.places}
    for each in found:
        for keyframe in each.keyframes:
            if keyframe.sample_token in used:
                raise InputError(
                    f"{each.recording.root}: scene {keyframe.scene} is calibrated with, so it cannot be scored on; "
                    "name other recordings with --score-on"
                )
    if not any(len(each.labels(i)) for each in found for i in range(len(each))):
        raise InputError(f"{job.recordings[0].root}: no labelled box to score on; name a recording with --score-on")
    return found


def _is_made(path: Path, wanted: dict[str, Any]) -> bool:
    """Whether a file is there that says the same of itself."""
    try:
        if not path.is_file():
            return False
        made = open_engine(path).facts
        return bool({name: made[name] for name in made if name != "second"} == json.loads(json.dumps(wanted)))
    except InputError:
        return False
