"""An engine on a recording: the same results.json as `densegt predict` writes of a checkpoint, without torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.batch.scene_lock import scene_lock
from densegt.datasets import RecordingPath
from densegt.datasets.keyframes import Keyframe
from densegt.datasets.recording import Recording, TakesSubmissions
from densegt.depth.partial_file import write_whole
from densegt.detection.bev.grid import BevGrid
from densegt.detection.data.camera_sets import with_all_cameras
from densegt.detection.data.labels import Labels, labels_of
from densegt.detection.data.sweep_points import EarlierSweeps, aged_points
from densegt.detection.points.pseudo_lidar.scores import PlScores
from densegt.detection.prediction import Prediction
from densegt.detection.scoring.nuscenes_results import Detections, result_rows, write_results
from densegt.errors import InputError
from densegt.geometry import se3
from densegt.quantisation.engine import Arrays
from densegt.quantisation.lift_engine import AnyEngine, open_engine
from densegt.quantisation.readers import reader_of
from densegt.quantisation.view_reader import ViewReader

Progress = Callable[[int, int], None]
# Nothing here estimates depth.
NO_DEPTH_M = 1.0, 100.0


@dataclass(frozen=True)
class EngineJob:
    """What to look at, and where to write.

    Attributes:
        score: compare with the recording's boxes.
        threads: of onnxruntime.
    """

    engine: Path
    recording: RecordingPath
    out: Path
    scenes: tuple[str, ...] | None = None
    score: bool = True
    threads: int = 1
    overwrite: bool = False


class EngineKeyframes:
    """A recording's keyframes as an engine reads them; see `DepthDataset` for what has the same name.

    Args:
        facts: the engine's `reader`.
    """

    def __init__(self, recording: Recording, facts: Mapping[str, Any], scenes: Sequence[str] | None = None) -> None:
        self.recording, self._facts = recording, facts
        self._sweeps = facts.get("earlier_sweeps", 0)
        self._earlier = EarlierSweeps(recording, self._sweeps)
        names = recording.scene_names if scenes is None else scenes
        self._reader = reader_of(facts)
        self.keyframes = [self._mapped(keyframe) for name in names for keyframe in recording.keyframes(name)]
        if not self.keyframes:
            raise InputError(f"{recording.root}: no keyframe in it")
        if isinstance(self._reader, ViewReader):
            _, self.keyframes = with_all_cameras(self.keyframes, recording.root)

    def __len__(self) -> int:
        return len(self.keyframes)

    def __getitem__(self, index: int) -> Arrays:
        """See `inputs`."""
        return self.inputs(self.keyframes[index])

    def inputs(self, keyframe: Keyframe) -> Arrays:
        """What the engine reads of one."""
        if isinstance(self._reader, ViewReader):
            return self._reader.inputs(self._reader.views(keyframe))
        return self._reader.inputs(self.points(keyframe))

    def labels(self, index: int) -> Labels:
        """Boxes of one, in ref."""
        keyframe = self.keyframes[index]
        return labels_of(keyframe.boxes, se3.inverse(keyframe.T_global_ego), self._facts["min_points"])

    def points(self, keyframe: Keyframe) -> NDArray[np.float32]:
        """(N,4) m in ref and age in s of its sweeps and those before; NaN is none."""
        sweeps = [(sweep, self.recording.read_points(sweep)) for sweep in keyframe.sweeps]
        sweeps += self._earlier.before(keyframe)
        T_ref_global = np.linalg.inv(keyframe.T_global_ego)
        return aged_points(sweeps, T_ref_global, keyframe.sweeps[0].timestamp_us, turns=1 + self._sweeps)

    def _mapped(self, keyframe: Keyframe) -> Keyframe:
        boxes, categories = keyframe.boxes, self._facts["categories"]
        classes = tuple(categories.get(c, name) for c, name in zip(boxes.categories, boxes.classes, strict=True))
        return replace(keyframe, boxes=replace(boxes, classes=classes))


def run(job: EngineJob, progress: Progress | None = None) -> dict[str, Any] | None:
    """Write results.json and, where there are boxes, scores.json; gives the scores. Goes on after an interruption.

    Raises:
        InputError: the engine or the recording cannot be read, or results are there already.
    """
    results = job.out / "results.json"
    if results.exists() and not job.overwrite:
        raise InputError(f"{results}: exists already; --overwrite replaces it")
    engine = open_engine(job.engine, threads=job.threads)
    keyframes = EngineKeyframes(job.recording.open(), engine.facts["reader"], job.scenes)
    job.out.mkdir(parents=True, exist_ok=True)
    with scene_lock(job.out, "prediction") as acquired:
        if not acquired:
            raise InputError(f"{job.out}: another prediction is at it; wait for it, or name another --out")
        return _run(job, engine, keyframes, results, progress)


def _run(
    job: EngineJob, engine: AnyEngine, keyframes: EngineKeyframes, results: Path, progress: Progress | None
) -> dict[str, Any] | None:
    parts = _Parts(job, keyframes.recording)
    found = list(detections(engine, keyframes, parts, progress))
    write_results(results, found, use_lidar=engine.facts["reader"]["kind"] != "views")
    recording = keyframes.recording
    if isinstance(recording, TakesSubmissions):
        rows = {sample.sample_token: result_rows(sample) for sample in found}
        recording.write_submission(job.out / recording.submission_name, rows, keyframes.keyframes)
    parts.remove()
    if not job.score or not any(len(keyframes.labels(i)) for i in range(len(keyframes))):
        return None
    scores = scored(found, keyframes, BevGrid(**engine.facts["reader"]["grid"]))
    write_whole(job.out / "scores.json", json.dumps(scores, indent=1).encode() + b"\n")
    return scores


def scored(found: Sequence[Detections], keyframes: EngineKeyframes, grid: BevGrid) -> dict[str, Any]:
    """Scores as of a checkpoint."""
    scores = PlScores(grid, NO_DEPTH_M)
    nothing = np.zeros((0, 1, 1), np.float32)
    for index, each in enumerate(found):
        prediction = Prediction(found=each, depth_m=nothing, sigma_m=nothing, truth_m=nothing)
        scores.update(prediction, keyframes.labels(index))
    computed = scores.compute(keyframes)
    del computed["depth"]
    return computed


def detections(
    engine: AnyEngine, keyframes: EngineKeyframes, parts: _Parts | None = None, progress: Progress | None = None
) -> Iterator[Detections]:
    """What is found in every keyframe, in order; scenes that are in `parts` are read from there."""
    reader = reader_of(engine.facts["reader"])
    done = 0
    for scene, mine in _by_scene(keyframes.keyframes):
        known = parts.read(scene) if parts else None
        found = []
        for keyframe in mine:
            if known is None:
                outputs = engine.run(keyframes.inputs(keyframe))
                found.append(reader.found(outputs, keyframe.sample_token, keyframe.T_global_ego))
            done += 1
            if progress:
                progress(done, len(keyframes))
        if known is None and parts:
            parts.write(scene, found)
        yield from found if known is None else known


def _by_scene(keyframes: Sequence[Keyframe]) -> Iterator[tuple[str, list[Keyframe]]]:
    scenes: dict[str, list[Keyframe]] = {}
    for keyframe in keyframes:
        scenes.setdefault(keyframe.scene, []).append(keyframe)
    yield from scenes.items()


class _Parts:
    """Detections of finished scenes, until all are; those of another engine or another recording are not taken."""

    def __init__(self, job: EngineJob, recording: Recording) -> None:
        self._folder, self._recording = job.out / "parts", recording
        self._engine = hashlib.sha256(job.engine.read_bytes()).hexdigest()

    def read(self, scene: str) -> list[Detections] | None:
        """What is known of a scene."""
        try:
            part = json.loads((self._folder / f"{scene}.json").read_text())
            if part["key"] != self._key(scene):
                return None
            return [_of_json(each) for each in part["found"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, scene: str, found: Sequence[Detections]) -> None:
        """Keep a scene."""
        part = {"key": self._key(scene), "found": [_to_json(each) for each in found]}
        write_whole(self._folder / f"{scene}.json", json.dumps(part).encode(), below=self._folder.parent)

    def remove(self) -> None:
        """They are in the results now."""
        for path in self._folder.glob("*.json"):
            path.unlink()
        self._folder.rmdir()

    def _key(self, scene: str) -> list[str]:
        return [self._engine, self._recording.fingerprint(scene)]


_ARRAYS = {
    "boxes": np.float64,
    "classes": np.int64,
    "attributes": np.int64,
    "scores": np.float64,
    "T_global_ref": float,
}


def _to_json(found: Detections) -> dict[str, Any]:
    return {"sample_token": found.sample_token, **{name: getattr(found, name).tolist() for name in _ARRAYS}}


def _of_json(part: Mapping[str, Any]) -> Detections:
    arrays = {name: np.array(part[name], dtype) for name, dtype in _ARRAYS.items()}
    arrays["boxes"] = arrays["boxes"].reshape(-1, 9)
    return Detections(sample_token=part["sample_token"], **arrays)
