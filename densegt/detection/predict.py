"""A trained detector on a recording: result JSON, depth maps as a depth store, pictures, scores."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch.utils.data import DataLoader

from densegt.datasets import RecordingPath
from densegt.datasets.keyframes import Keyframe
from densegt.datasets.recording import TakesSubmissions
from densegt.depth.partial_file import write_whole
from densegt.detection.checkpoint import read_task
from densegt.detection.data.batch import Supervision
from densegt.detection.estimated_depth_store import EstimatedDepthStore
from densegt.detection.fit import TrainingSource, last_line
from densegt.detection.prediction import KeyframeDataset, Picture, Prediction
from densegt.detection.scoring.nuscenes_results import result_rows, write_results
from densegt.detection.task import DetectionTask
from densegt.errors import InputError
from densegt.training.sole_writer import sole_writer

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PredictJob:
    """What to look at, and where to write.

    Attributes:
        truth: a store of depth to score against; without one it is the lidars' own sweeps.
        boxes_2d: for detectors that are told of them.
        pictures: as many are drawn, spread evenly over the keyframes.
        score: compare with the recording's boxes.
        device: as torch names it; `auto` is the GPU where there is one.
    """

    checkpoint: Path
    recording: RecordingPath
    out: Path
    scenes: tuple[str, ...] | None = None
    truth: Path | None = None
    boxes_2d: Path | None = None
    pictures: int = 12
    score: bool = True
    device: str = "auto"
    overwrite: bool = False


def run(job: PredictJob, progress: Progress | None = None) -> dict[str, Any] | None:
    """Write results.json, depth/, pictures/ and, where there are boxes, scores.json; gives the scores.

    Raises:
        InputError: the checkpoint or the recording cannot be read, or results are there already.
    """
    results = _unused(job)
    with sole_writer(job.out, "prediction"):
        return _run(job, results, progress)


def _run(job: PredictJob, results: Path, progress: Progress | None) -> dict[str, Any] | None:
    task = read_task(job.checkpoint).to(_device(job.device))
    source = TrainingSource(job.recording, job.truth, job.boxes_2d)
    dataset = validation_dataset(task, source, scenes=job.scenes)
    scores, found, pictures = task.scores(), [], []
    every = max(1, len(dataset) // max(job.pictures, 1))
    with _depth_store(job, task) if task.estimates_depth else nullcontext() as depth:
        for index, (prediction, batch) in enumerate(predictions(task, dataset, progress)):
            keyframe = dataset.keyframes[index]
            scores.update(prediction, dataset.labels(index))
            found.append(prediction.found)
            if depth is not None:
                depth.add(keyframe, prediction.depth_m, prediction.sigma_m)
            picture = task.picture(prediction, batch) if job.pictures and index % every == 0 else None
            if picture is not None:
                pictures.append(picture)
                _save(picture, job.out, keyframe)
    write_results(results, found, use_lidar=task.reads_lidar)
    if isinstance(dataset.recording, TakesSubmissions):
        rows = {sample.sample_token: result_rows(sample) for sample in found}
        dataset.recording.write_submission(job.out / dataset.recording.submission_name, rows, dataset.keyframes)
    if not job.score or not any(len(dataset.labels(i)) for i in range(len(dataset))):
        return None
    computed = scores.compute(dataset) | _mean_figures(pictures)
    write_whole(job.out / "scores.json", json.dumps(computed, indent=1).encode() + b"\n")
    return computed


def predictions(
    task: DetectionTask, dataset: KeyframeDataset, progress: Progress | None = None
) -> Iterator[tuple[Prediction, Any]]:
    """What is said of every keyframe in order, on the device that the network is on, and what it was said of."""
    loader: DataLoader[Any] = DataLoader(cast(Any, dataset), 1, num_workers=task.settings.loader_processes)
    task.eval()
    try:
        for index, batch in enumerate(loader):
            with torch.inference_mode():
                prediction = task.prediction(batch)
            yield prediction, batch
            if progress:
                progress(index + 1, len(dataset))
    except InputError as error:
        raise InputError(last_line(error)) from None


def validation_dataset(
    task: DetectionTask, source: TrainingSource, *, scenes: Sequence[str] | None = None
) -> KeyframeDataset:
    """A recording as the network wants it, not augmented; the source's depth is the truth to score against."""
    options = task.dataset_options(learned=False, has_depth=source.depth is not None)
    depth: Supervision = "completed" if source.depth is not None else "sparse" if task.needs_depth else "none"
    return task.dataset(source, replace(options, supervision=depth, keep_images=0), scenes)


def _unused(job: PredictJob) -> Path:
    """Where results go.

    Raises:
        InputError: there are some already, and they are not to be replaced.
    """
    results = job.out / "results.json"
    if results.exists() and not job.overwrite:
        raise InputError(f"{results}: exists already; --overwrite replaces it")
    return results


def _device(name: str) -> torch.device:
    """As torch names it; `auto` is the GPU where there is one.

    Raises:
        InputError: there is no such device.
    """
    try:
        device = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name}: {str(error).splitlines()[0]}") from None
    return device


def _depth_store(job: PredictJob, task: DetectionTask) -> EstimatedDepthStore:
    options = task.dataset_options(learned=False, has_depth=False)
    config = {"predict": {"checkpoint": job.checkpoint.name, "dataroot": str(job.recording.root)}}
    return EstimatedDepthStore(job.out / "depth", config, options.size, options.augmentation.image)


def _save(picture: Picture, out: Path, keyframe: Keyframe) -> None:
    path = out / "pictures" / f"{keyframe.scene}-{keyframe.sample_token}.png"
    write_whole(path, picture.png(), below=out)


def _mean_figures(pictures: Sequence[Picture]) -> dict[str, dict[str, float]]:
    """By what pictures show: the means of their figures, NaN left out."""
    found: dict[str, dict[str, list[float]]] = {}
    for picture in pictures:
        for name, value in picture.figures.items():
            found.setdefault(picture.shows, {}).setdefault(name, []).append(value)
    return {
        shows: {name: float(np.nanmean(values)) for name, values in figures.items()} for shows, figures in found.items()
    }
