"""From a checkpoint and recordings to a file at eight bits."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import densegt
from densegt.batch.scene_lock import scene_lock
from densegt.datasets import RecordingPath
from densegt.depth.partial_file import check_writable
from densegt.detection.checkpoint import read_task
from densegt.errors import InputError
from densegt.quantisation.arithmetic import LEVELS, weight_limit
from densegt.quantisation.calibration import Parts, Place, calibration_places, parts_of
from densegt.quantisation.config import Method, QuantiseConfig
from densegt.quantisation.dense_part import DensePart, centre_loss
from densegt.quantisation.engine import FORMAT
from densegt.quantisation.engine_file import write_engine
from densegt.quantisation.export import float_model
from densegt.quantisation.graph import Graph, read_graph
from densegt.quantisation.grid_search import GridSettings, search
from densegt.quantisation.learning import Progress, learn
from densegt.quantisation.parts import dense_parts
from densegt.quantisation.plan import make_plan
from densegt.quantisation.qdq import quantised_model
from densegt.quantisation.ranges import Inputs, max_min_ranges, percentile_ranges, scales_of
from densegt.quantisation.sensitivity import sensitive_layers
from densegt.quantisation.simulated import Quantisation, SimulatedGraph
from densegt.quantisation.windows import window_share, windowed, windows

if TYPE_CHECKING:
    from onnx import ModelProto

    from densegt.detection.task import DetectionTask

Report = Callable[[str], None]
# Methods that search ranges, all in the same way.
SEARCHED: tuple[Method, ...] = ("grid", "rounding", "full")
LEARNED: tuple[Method, ...] = ("rounding", "full")


@dataclass(frozen=True)
class QuantiseJob:
    """What to quantise, with what, and where to.

    Attributes:
        recordings: to calibrate with; what the training held out of them is left out.
        out: an ONNX file.
    """

    checkpoint: Path
    recordings: tuple[RecordingPath, ...]
    out: Path
    config: QuantiseConfig = field(default_factory=QuantiseConfig)
    overwrite: bool = False


@dataclass(frozen=True)
class Stage:
    """One graph with what it is calibrated on: its inputs of the calibration's keyframes."""

    part: DensePart
    model: ModelProto
    graph: Graph
    frames: tuple[Inputs, ...]


@dataclass(frozen=True)
class Prepared:
    """A detector's graphs, in the order in which they are run, and the keyframes that they are calibrated on."""

    task: DetectionTask
    stages: tuple[Stage, ...]
    parts: Parts
    places: tuple[Place, ...]

    @property
    def reader(self) -> dict[str, Any]:
        """See `DensePart`."""
        return self.stages[0].part.reader


def run(job: QuantiseJob, report: Report, progress: Progress | None = None) -> None:
    """Write the file.

    Raises:
        InputError: the checkpoint or a recording cannot be read, the detector has no graph, or the file is there.
    """
    with sole(job):
        prepared = prepare(job, report)
        state = job.out.with_name(f".{job.out.name}.{_key(job, prepared)}.learned")
        models = quantise(prepared, job.config, state, report, progress)
        write_engine(job.out, models, facts(job, prepared))
        remove_state(state, prepared)


@contextmanager
def sole(job: QuantiseJob) -> Iterator[None]:
    """Keep other runs from the same file.

    Raises:
        InputError: the file is there, cannot be written, or another run is at it.
    """
    if job.out.suffix != ".onnx":
        raise InputError(f"{job.out}: an engine's name ends in .onnx")
    if job.out.exists() and not job.overwrite:
        raise InputError(f"{job.out}: exists already; --overwrite replaces it")
    check_writable(job.out.parent)
    job.out.parent.mkdir(parents=True, exist_ok=True)
    with scene_lock(job.out.parent, job.out.stem) as acquired:
        if not acquired:
            raise InputError(f"{job.out}: another densegt quantise is at it; wait for it, or name another --out")
        yield


def prepare(job: QuantiseJob, report: Report) -> Prepared:
    """Read, export, and lay the calibration's keyframes ready."""
    task = read_task(job.checkpoint)
    if task.settings.threads:
        torch.set_num_threads(task.settings.threads)
    made = dense_parts(task, job.checkpoint)
    parts = parts_of(task, job.checkpoint, job.recordings)
    places = calibration_places(parts.learned, job.config.frames, job.config.seed)
    inputs: list[list[Inputs]] = [[] for _ in made]
    for batch in (place.batch() for place in places):
        for part, frames in zip(made, inputs, strict=True):
            frames += part.inputs(batch)
    scenes = {(id(p.dataset), p.dataset.keyframes[p.index].scene) for p in places}
    report(f"{len(places)} keyframes of {len(scenes)} scenes to calibrate with")
    if not any(bool((value != 0).any()) for frame in inputs[0] for value in frame.values()):
        raise InputError(
            f"{job.recordings[0].root}: nothing but zeros to calibrate with; are there points in the grid?"
        )
    stages = tuple(_stage(part, tuple(frames)) for part, frames in zip(made, inputs, strict=True))
    return Prepared(task, stages, parts, tuple(places))


def _stage(part: DensePart, frames: tuple[Inputs, ...]) -> Stage:
    model = float_model(part, frames[0])
    return Stage(part, model, read_graph(model), frames)


# What the search of ranges found, by target and stage.
Searched = dict[tuple[str, int], Quantisation]


def quantise(
    prepared: Prepared,
    config: QuantiseConfig,
    state: Path,
    report: Report,
    progress: Progress | None = None,
    searched: Searched | None = None,
) -> list[ModelProto]:
    """A model of each of a detector's graphs, metadata still to be written.

    Args:
        state: a file that learning goes on from, and writes; further stages have one beside it.
        searched: of before, with the same settings; it is added to.
    """
    known: Searched = {} if searched is None or config.method not in SEARCHED else searched
    models = []
    for number, stage in enumerate(prepared.stages):
        if config.method == "float":
            models.append(stage.model)
            continue
        kept: Sequence[str] = ()
        if config.keep_float:
            kept = sensitive_layers(stage.graph, stage.frames, config)[: config.keep_float]
            report(f"kept at full precision: {', '.join(kept)}")
        key = (config.target, number)
        if key not in known:
            known[key] = quantisation_of(stage.graph, stage.frames, config, kept)
        made = copy.deepcopy(known[key])
        if config.method in LEARNED:
            # What looks at images finds nothing yet.
            task_loss = centre_loss(config) if config.method == "full" and "heat" in stage.part.outputs else None
            at = state_of(state, number)
            learn(stage.graph, made, stage.frames, config, task_loss, state=at, progress=progress)
        models.append(quantised_model(stage.model, stage.graph, made))
    return models


def state_of(state: Path, number: int) -> Path:
    """Of a stage's learning."""
    return state if number == 0 else state.with_name(f"{state.name}.{number}")


def remove_state(state: Path, prepared: Prepared) -> None:
    """All stages are learned."""
    for number in range(len(prepared.stages)):
        state_of(state, number).unlink(missing_ok=True)


def quantisation_of(
    graph: Graph, frames: Sequence[Inputs], config: QuantiseConfig, kept: Sequence[str] = ()
) -> Quantisation:
    """Scales by calibration alone; what is learned begins with them."""
    plan, levels, float_graph = make_plan(graph, kept), LEVELS[config.target], SimulatedGraph(graph)
    with torch.no_grad():
        ranges = max_min_ranges(float_graph, frames)
        if config.method == "percentile":
            ranges = percentile_ranges(float_graph, frames, ranges, config.percentile)
        made = Quantisation(plan, levels, scales_of(plan, ranges, levels), weight_limit(config.weight_bits))
        if config.method in SEARCHED:
            share = window_share(graph)
            some = windows(frames[:: max(1, -(-len(frames) // config.grid_frames))], share, config.seed)
            search(windowed(graph, share), made, some, GridSettings(config.factors, config.least_factor))
    return made


def facts(job: QuantiseJob, prepared: Prepared) -> dict[str, Any]:
    """What the file says of itself."""
    return {
        "format": FORMAT,
        "format_version": 1,
        "densegt_version": densegt.__version__,
        "detector": prepared.task.settings.detector,
        "reader": prepared.reader,
        "checkpoint": {"name": job.checkpoint.name, "sha256": hashlib.sha256(job.checkpoint.read_bytes()).hexdigest()},
        "config": job.config.model_dump(),
        "calibration": [place.token for place in prepared.places],
    }


def _key(job: QuantiseJob, prepared: Prepared) -> str:
    """Of all that decides what is learned."""
    said = [job.config.model_dump_json(), *(place.token for place in prepared.places), torch.__version__]
    digest = hashlib.sha256("\n".join(said).encode())
    digest.update(job.checkpoint.read_bytes())
    return digest.hexdigest()[:12]


def with_method(config: QuantiseConfig, method: Method) -> QuantiseConfig:
    """The same but for the method."""
    return config.model_copy(update={"method": method})
