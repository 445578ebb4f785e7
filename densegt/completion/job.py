"""Completion as a job over the scenes of a depth store."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar

from densegt.batch.job import ReportProgress, SceneResult
from densegt.batch.progress import SceneProgress
from densegt.completion.calibration import calibration_path
from densegt.completion.choice import AUTO, Choice, choose_method
from densegt.completion.registry import open_method, weights_path
from densegt.completion.scene_to_store import HowCompleted, complete_to_store
from densegt.completion.weights import CLASSICAL_CALIBRATION
from densegt.depth.hdf5_file import read_header
from densegt.depth.selection import select_images
from densegt.depth.store import SceneReader, SceneWriter
from densegt.errors import InputError


@dataclass(frozen=True)
class CompletionJob:
    """Complete the scenes of a depth store into another; see `densegt.batch.run.run_scenes`.

    Attributes:
        image_root: folder that the images' `filename` in the store is relative to.
        depth: the store to read.
        checkpoint: weights, for a method that has some; None is its own choice.
        cameras: channels, all where empty.
        method: a name of `registry.METHODS`, or "auto": see `choice`.
        min_confidence: what is filled with less stays unknown.
        overwrite: also make finished scenes again.
        strict: refuse a scene of which an image cannot be read; otherwise that is left out.
    """

    counts: ClassVar[tuple[str, ...]] = ("measured_pixels", "rejected_pixels")

    image_root: Path
    depth: Path
    out: Path
    method: str = AUTO
    checkpoint: Path | None = None
    cameras: tuple[str, ...] = ()
    min_confidence: float = 0.0
    overwrite: bool = False
    strict: bool = False

    def settings(self, method: str) -> dict[str, Any]:
        """What a scene's file keeps beside the configuration of its input, by the method that completes it.

        Raises:
            InputError: there is no such method or no such checkpoint.
        """
        weights = self._weights(method)
        calibration = CLASSICAL_CALIBRATION if weights is None else calibration_path(weights)
        return {
            "method": method,
            "checkpoint_sha256": None if weights is None else self._weights_sha256,
            "calibration_sha256": _digest(calibration) if calibration.is_file() else None,
            "cameras": sorted(set(self.cameras)),
            "min_confidence": self.min_confidence,
        }

    def _weights(self, method: str) -> Path | None:
        # What auto was given for the network is nothing that the classical method could take.
        unused = self.method == AUTO and method == "classical"
        return weights_path(method, None if unused else self.checkpoint)

    @cached_property
    def _weights_sha256(self) -> str | None:
        weights = self._weights("network" if self.method == AUTO else self.method)
        return None if weights is None else _digest_of_folder(weights) if weights.is_dir() else _digest(weights)

    def choice(self, scene: str) -> Choice:
        """The method for a scene.

        Raises:
            InputError: it depends on an image that cannot be read.
        """
        if self.method != AUTO:
            return Choice(self.method, "")
        return choose_method(SceneReader(self.input_path(scene)), self.checkpoint)

    def check(self) -> None:
        """Look for the weights.

        Raises:
            InputError: the method cannot be had, or the output would replace what is read.
        """
        if self.out.resolve() == self.depth.resolve():
            raise InputError(f"{self.out}: --out is the store that is read; name another folder")
        if self.min_confidence > 0 and self.method not in (AUTO, "classical", "network"):
            raise InputError(f"--min-confidence: {self.method} does not say how sure it is; classical and network do")
        self.settings("network" if self.method == AUTO else self.method)

    def saved_config(self, scene: str) -> dict[str, Any]:
        """What a scene's file keeps as `config`: that of its input, and how it was completed."""
        method = self.choice(scene).method
        return {**read_header(self.input_path(scene)).config, "complete": self.settings(method)}

    def input_digest(self, scene: str) -> str:
        """SHA-256 of the file that is completed."""
        return _digest(self.input_path(scene))

    def input_path(self, scene: str) -> Path:
        """The file that is completed."""
        return self.depth / f"{scene}.h5"

    def size(self, scene: str) -> SceneProgress:
        """Images and keyframes of a scene; none where it cannot be read, which is an error of that scene alone."""
        try:
            keys = select_images(SceneReader(self.input_path(scene)), self.cameras)
        except InputError:
            return SceneProgress(0, 0)
        return SceneProgress(len(keys), len({sample_token for sample_token, _ in keys}))

    def process(self, scene: str, report: ReportProgress) -> SceneResult:
        """Complete a scene into its file, whole or not at all."""
        reader, digest = SceneReader(self.input_path(scene)), self.input_digest(scene)
        keys = select_images(reader, self.cameras)
        writer = SceneWriter(self.out, scene, self.saved_config(scene), input_digest=digest, overwrite=True)
        choice = self.choice(scene)
        checkpoint = None if choice.method == "classical" and self.method == AUTO else self.checkpoint
        how = HowCompleted(_open_once(choice.method, checkpoint), self.min_confidence, self.strict)
        records = (reader.read(*key) for key in keys)
        result = complete_to_store(records, self.image_root, how, writer, report=report)
        return replace(result, notes=(choice.why, *result.notes)) if choice.why else result

    def summary(self) -> dict[str, Any]:
        """Folders and settings."""
        settings = {
            "method": self.method,
            "checkpoint": None if self.checkpoint is None else str(self.checkpoint),
            "cameras": sorted(set(self.cameras)),
            "min_confidence": self.min_confidence,
        }
        return {"dataroot": str(self.image_root), "depth": str(self.depth), "config": {"complete": settings}}


# Reading weights takes long, and every scene of a process uses the same.
_open_once = cache(open_method)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def _digest_of_folder(folder: Path) -> str:
    """Of a model in several files: of their names and contents."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".json", ".safetensors", ".bin"))
    return hashlib.sha256("".join(f"{path.name} {_digest(path)}\n" for path in files).encode()).hexdigest()
