"""Completion of a depth store: reads one made by `densegt accumulate`, writes one of the same format."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from densegt.batch.executor import Executor, Failed, Here
from densegt.batch.scene_lock import scene_lock
from densegt.completion.foundation import model_folder
from densegt.completion.images import camera_of, completed_layers, given_of, without_completed
from densegt.completion.method import open_method
from densegt.completion.weights import SHIPPED
from densegt.depth.store import SceneReader, SceneWriter, read_header, scene_files
from densegt.errors import InputError

# Told (hundredths of scenes done, in all).
Progress = Callable[[int, int], None]
Share = Callable[[float], None]
HERE = Here()
_FIX = "--overwrite replaces it, another --out keeps it"


@dataclass(frozen=True)
class Job:
    """What to complete, how, and where to.

    Attributes:
        dataroot: where the images lie, at the `filename` that the store holds.
        depth: the store to read.
        checkpoint: weights, for a method that has some; None is its own choice.
        cameras: channels, all where empty.
        overwrite: also scenes that are finished.
    """

    dataroot: Path
    depth: Path
    out: Path
    method: str = "classical"
    checkpoint: Path | None = None
    cameras: tuple[str, ...] = ()
    overwrite: bool = False

    def saved(self) -> dict[str, Any]:
        """What a scene's file keeps of it beside what its input says of its own making."""
        path = self.checkpoint
        if self.method == "network":
            path = path or SHIPPED
        elif self.method == "prompt-depth-anything":
            path = model_folder(path)
        weights = None if path is None else _digest_of_all(path) if path.is_dir() else _digest(path)
        return {"method": self.method, "checkpoint_sha256": weights, "cameras": sorted(set(self.cameras))}


@dataclass(frozen=True)
class SceneDone:
    """A scene's file and its images, or why there is none.

    Attributes:
        coverage: share of pixels with a depth.
        given_up: share of measured pixels that the method had evidence against.
        by_input: the user can mend what failed.
    """

    name: str
    status: Literal["done", "skipped", "failed"]
    path: Path | None = None
    images: int = 0
    coverage: float = 0.0
    given_up: float = 0.0
    error: str | None = None
    by_input: bool = False


def scenes_of(store: Path, names: Sequence[str]) -> list[str]:
    """The scenes asked for, each once; all of the store where none is named.

    Raises:
        InputError: no store, or no scene of that name in it.
    """
    there = [path.stem for path in scene_files(store)]
    for name in names:
        if name not in there:
            more = f" and {len(there) - 3} more" if len(there) > 3 else ""
            raise InputError(f"{store}: no scene {name!r}; there is {', '.join(there[:3])}{more}")
    return list(dict.fromkeys(names)) or there


def complete(
    job: Job, names: Sequence[str], *, executor: Executor = HERE, progress: Progress = lambda done, total: None
) -> list[SceneDone]:
    """Complete scenes; one that fails is reported in its result and the others go on. Finished scenes are skipped.

    Returns:
        Results in the order of `names`.

    Raises:
        InputError: the method cannot be had, or the output would replace what is read.
    """
    if job.out.resolve() == job.depth.resolve():
        raise InputError(f"{job.out}: --out is the store that is read; name another folder")
    _method(job.method, job.checkpoint)
    results: dict[str, SceneDone] = {}
    shares: dict[str, float] = {}

    def heard(name: str, share: float) -> None:
        shares[name] = share
        progress(int(100 * sum(shares.values())), 100 * len(names))

    with closing(executor.run(partial(complete_scene, job), names, heard)) as outcomes:
        for name, outcome in outcomes:
            results[name] = _failed(name, outcome) if isinstance(outcome, Failed) else outcome
            heard(name, 1.0)
    return [results[name] for name in names]


def complete_scene(job: Job, name: str, tell: Share) -> SceneDone:
    """Complete one scene into `<out>/<name>.h5`, written whole or not at all; `tell` is told the share done.

    Where another run is at it, wait, and take its file if it is what this one would write.

    Raises:
        InputError: the scene or an image cannot be read, or its file is something else.
    """
    reader = SceneReader(job.depth / f"{name}.h5")
    saved, digest = {**reader.config, "complete": job.saved()}, _digest(reader.path)
    with scene_lock(job.out, name, patient=True):
        path = job.out / reader.path.name
        if not job.overwrite and path.exists():
            _check_finished(path, saved, digest, reader.path)
            return SceneDone(name, "skipped", path)
        with SceneWriter(job.out, name, saved, input_digest=digest, overwrite=True) as writer:
            counts = _write_images(job, reader, writer, tell)
    pixels, answered, measured, given_up = np.sum(counts, axis=0)
    return SceneDone(name, "done", path, len(counts), float(answered / pixels), float(given_up / max(measured, 1)))


def _write_images(job: Job, reader: SceneReader, writer: SceneWriter, tell: Share) -> list[tuple[int, ...]]:
    """Pixels, those with a depth, those measured, and of these those given up, image by image."""
    method, keys, counts = _method(job.method, job.checkpoint), _chosen(reader, job.cameras), []
    for key in keys:
        record = without_completed(reader.read(*key))
        layers = completed_layers(record, method(given_of(record, job.dataroot)))
        writer.write_layers(camera_of(record, job.dataroot), layers)
        answered, measured = layers["depth"] > 0, record.depth_m > 0
        given_up = measured & (layers["source"] != record.source)
        counts.append((answered.size, *(int(np.count_nonzero(which)) for which in (answered, measured, given_up))))
        tell(len(counts) / len(keys))
    return counts


# One a process: reading weights takes long, and every scene uses the same.
_method = cache(open_method)


def _chosen(reader: SceneReader, cameras: Sequence[str]) -> list[tuple[str, str]]:
    channels = sorted({channel for _, channel in reader.keys})
    for camera in cameras:
        if camera not in channels:
            raise InputError(f"{reader.path}: no camera {camera!r}; there is {', '.join(channels) or 'none'}")
    keys = [key for key in reader.keys if not cameras or key[1] in cameras]
    if not keys:
        raise InputError(f"{reader.path}: no image in it")
    return keys


def _check_finished(path: Path, saved: dict[str, Any], digest: str, made_from: Path) -> None:
    """Raises InputError where a file is not what this run would write."""
    try:
        header = read_header(path)
    except InputError as error:
        raise InputError(f"{error}; {_FIX}") from None
    if header.config != saved:
        raise InputError(f"{path}: made with other options; {_FIX}")
    if header.input_digest != digest:
        raise InputError(f"{path}: not made from {made_from} as it is now; {_FIX}")


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def _digest_of_all(folder: Path) -> str:
    """Of a model in several files: of their names and contents."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".json", ".safetensors", ".bin"))
    return hashlib.sha256("".join(f"{path.name} {_digest(path)}\n" for path in files).encode()).hexdigest()


def _failed(name: str, failed: Failed) -> SceneDone:
    return SceneDone(name, "failed", error=failed.why, by_input=failed.by_input)
