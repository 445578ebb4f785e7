"""From a checkpoint and recordings to a file at eight bits."""

from __future__ import annotations

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
from densegt.depth.partial_file import check_writable, write_whole
from densegt.detection.checkpoint import read_task
from densegt.errors import InputError
from densegt.quantisation.arithmetic import LEVELS
from densegt.quantisation.calibration import Parts, Place, calibration_places, parts_of
from densegt.quantisation.config import Method, QuantiseConfig
from densegt.quantisation.dense_part import DensePart, centre_loss, dense_part
from densegt.quantisation.engine import FORMAT
from densegt.quantisation.export import float_model
from densegt.quantisation.graph import Graph, read_graph
from densegt.quantisation.grid_search import GridSettings, search
from densegt.quantisation.learning import Progress, learn
from densegt.quantisation.plan import make_plan
from densegt.quantisation.qdq import quantised_model, write_metadata
from densegt.quantisation.ranges import Inputs, max_min_ranges, percentile_ranges, scales_of
from densegt.quantisation.sensitivity import sensitive_layers
from densegt.quantisation.simulated import Quantisation, SimulatedGraph

if TYPE_CHECKING:
    from onnx import ModelProto

    from densegt.detection.task import DetectionTask

Report = Callable[[str], None]


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
class Prepared:
    """A detector's graph with what it is calibrated on.

    Attributes:
        frames: inputs of the calibration's keyframes; places: what they are.
    """

    task: DetectionTask
    part: DensePart
    model: ModelProto
    graph: Graph
    parts: Parts
    places: tuple[Place, ...]
    frames: tuple[Inputs, ...]


def run(job: QuantiseJob, report: Report, progress: Progress | None = None) -> None:
    """Write the file.

    Raises:
        InputError: the checkpoint or a recording cannot be read, the detector has no graph, or the file is there.
    """
    with sole(job):
        prepared = prepare(job, report)
        state = job.out.with_name(f".{job.out.name}.{_key(job, prepared)}.learned")
        model = quantise(prepared, job.config, state, report, progress)
        write_metadata(model, facts(job, prepared))
        write_whole(job.out, model.SerializeToString())
        state.unlink(missing_ok=True)


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
    part = dense_part(task, job.checkpoint)
    parts = parts_of(task, job.checkpoint, job.recordings)
    places = calibration_places(parts.learned, job.config.frames, job.config.seed)
    frames = tuple(part.inputs(place.batch()) for place in places)
    scenes = {(id(p.dataset), p.dataset.keyframes[p.index].scene) for p in places}
    report(f"{len(places)} keyframes of {len(scenes)} scenes to calibrate with")
    if not any(bool((value != 0).any()) for frame in frames for value in frame.values()):
        raise InputError(
            f"{job.recordings[0].root}: nothing but zeros to calibrate with; are there points in the grid?"
        )
    model = float_model(part, frames[0])
    return Prepared(task, part, model, read_graph(model), parts, tuple(places), frames)


def quantise(
    prepared: Prepared,
    config: QuantiseConfig,
    state: Path,
    report: Report,
    progress: Progress | None = None,
) -> ModelProto:
    """A model of a detector's graph, its metadata still to be written.

    Args:
        state: a file that learning goes on from, and writes.
    """
    if config.method == "float":
        return prepared.model
    kept: Sequence[str] = ()
    if config.keep_float:
        kept = sensitive_layers(prepared.graph, prepared.frames, config)[: config.keep_float]
        report(f"kept at full precision: {', '.join(kept)}")
    made = quantisation_of(prepared.graph, prepared.frames, config, kept)
    if config.method in ("rounding", "full"):
        task_loss = centre_loss(config) if config.method == "full" else None
        learn(prepared.graph, made, prepared.frames, config, task_loss, state=state, progress=progress)
    return quantised_model(prepared.model, prepared.graph, made)


def quantisation_of(
    graph: Graph, frames: Sequence[Inputs], config: QuantiseConfig, kept: Sequence[str] = ()
) -> Quantisation:
    """Scales by calibration alone; what is learned begins with them."""
    plan, levels, float_graph = make_plan(graph, kept), LEVELS[config.target], SimulatedGraph(graph)
    with torch.no_grad():
        ranges = max_min_ranges(float_graph, frames)
        if config.method == "percentile":
            ranges = percentile_ranges(float_graph, frames, ranges, config.percentile)
        made = Quantisation(plan, levels, scales_of(plan, ranges, levels))
        if config.method in ("grid", "rounding", "full"):
            some = frames[:: max(1, -(-len(frames) // config.grid_frames))]
            search(graph, made, some, GridSettings(config.factors, config.least_factor))
    return made


def facts(job: QuantiseJob, prepared: Prepared) -> dict[str, Any]:
    """What the file says of itself."""
    return {
        "format": FORMAT,
        "format_version": 1,
        "densegt_version": densegt.__version__,
        "detector": prepared.task.settings.detector,
        "reader": prepared.part.reader,
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
