"""Accumulation as a job over the scenes of a recording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import ExaminedScene, examine
from densegt.accumulation.scene_to_store import accumulate_to_store
from densegt.accumulation.sweep_returns import stored_votes
from densegt.batch.job import ReportProgress, SceneResult
from densegt.batch.progress import SceneProgress
from densegt.batch.recording_handle import RecordingHandle
from densegt.datasets import RecordingPath
from densegt.datasets.recording import Recording
from densegt.datasets.sanity.finding import in_lines
from densegt.datasets.scene import Camera, Scene
from densegt.depth.depth_map import DepthMap
from densegt.depth.hdf5_file import read_header
from densegt.depth.store import SceneWriter
from densegt.errors import InputError

# Raise it with every change after which equal input and options give other depth: then no file made before counts as
# finished.
ALGORITHM = 8


@dataclass(frozen=True)
class AccumulateJob:
    """Accumulate the scenes of a recording into a depth store; see `densegt.batch.run.run_scenes`.

    Attributes:
        cameras: channels, all where empty.
        overwrite: also make finished scenes again.
        sanity: what comes of a scene whose poses, calibration, units or clocks contradict its points.
        threads: at work on each scene; its file is the same for any number.
        votes: store of `densegt predict-motion`, votes on what moves beside free space.
    """

    counts: ClassVar[tuple[str, ...]] = ("sweeps", "points")

    recording: RecordingPath
    out: Path
    config: AccumulateConfig
    cameras: tuple[str, ...] = ()
    overwrite: bool = False
    sanity: Literal["refuse", "warn", "off"] = "refuse"
    threads: int = 1
    votes: Path | None = None

    @cached_property
    def _handle(self) -> RecordingHandle:
        return RecordingHandle(self.recording)

    @property
    def opened(self) -> Recording:
        """The recording, opened once in each process."""
        return self._handle.recording

    def check(self) -> None:
        """Open the recording, and look for the votes.

        Raises:
            InputError: it cannot be opened, or there are no votes.
        """
        _ = self.opened
        if self.votes is not None and not self.votes.is_dir():
            raise InputError(f"{self.votes}: no such folder; densegt predict-motion --out {self.votes} makes it")
        if self.votes is not None and self.votes.resolve() == self.out.resolve():
            raise InputError(f"{self.out}: --out is the store of votes that is read; name another folder")

    def saved_config(self, scene: str) -> dict[str, Any]:
        """What a scene's file keeps as `config`: with its input, all that decides its content."""
        return {
            "algorithm": ALGORITHM,
            "accumulate": self.config.model_dump(mode="json"),
            "cameras": sorted(set(self.cameras)),
            **({} if self.votes is None else {"motion_votes": self._votes_config(scene)}),
        }

    def _votes_config(self, scene: str) -> dict[str, Any]:
        """What the scene's votes say they were made with."""
        path = self._votes_path(scene)
        return {} if path is None or not scene else read_header(path).config

    def _votes_path(self, scene: str) -> Path | None:
        """The scene's file of votes; None where votes are not asked for."""
        if self.votes is None:
            return None
        path = self.votes / f"{scene}.h5"
        if scene and not path.is_file():
            raise InputError(f"{path}: no such file; densegt predict-motion --scene {scene} --out {self.votes}")
        return path

    def input_digest(self, scene: str) -> str:
        """The recording's fingerprint of the scene."""
        return self.opened.fingerprint(scene)

    def input_path(self, scene: str) -> Path:
        """The recording's file or folder that lists its content."""
        return self.opened.source

    def size(self, scene: str) -> SceneProgress:
        """Sweeps to read and images to write, and keyframes of a scene."""
        return SceneProgress(self.opened.steps(scene), self.opened.keyframe_count(scene))

    def process(self, scene: str, report: ReportProgress) -> SceneResult:
        """Accumulate a scene into its file, whole or not at all."""
        config, digest = self.saved_config(scene), self.input_digest(scene)
        new_writer = partial(SceneWriter, self.out, scene, config, input_digest=digest, overwrite=True)
        path = self._votes_path(scene)
        votes = None if path is None else stored_votes(path)
        return accumulate_to_store(
            self._examined(scene),
            self.config,
            new_writer,
            threads=self.threads,
            report=report,
            votes=votes,
            finish=self._finish(scene),
        )

    def _finish(self, scene: str) -> Callable[[Camera, DepthMap], DepthMap]:
        """What is done to the scene's depth maps before they are written: nothing."""
        return lambda camera, depth: depth

    def _examined(self, name: str) -> ExaminedScene:
        """The scene, unless it contradicts itself or has nothing to render.

        Raises:
            InputError: it does, or it cannot be read.
        """
        own_only = self.config.window_s == 0
        scene = self.opened.scene(name, cameras=self.cameras, keyframes_only=own_only)
        if not scene.cameras:
            raise InputError(f"{self.opened.source}: scene {name} has no keyframe camera to render")
        return sane_scene(scene, self.config, self.opened.source, sanity=self.sanity, strict=self.recording.strict)

    def summary(self) -> dict[str, Any]:
        """Dataroot and configuration."""
        return {"dataroot": str(self.recording.root), "config": self.saved_config("")}


def sane_scene(
    scene: Scene,
    config: AccumulateConfig,
    source: Path,
    *,
    sanity: Literal["refuse", "warn", "off"],
    strict: bool,
) -> ExaminedScene:
    """A scene with a model for each lidar, unless it contradicts itself.

    Args:
        source: what it is from, for messages.
        sanity: what comes of it if it does; strict: see `examine`.

    Raises:
        InputError: it does, or it cannot be read.
    """
    examined = examine(scene, config.lidar, sane=sanity != "off", strict=strict)
    fatal = [finding for finding in examined.findings if finding.fatal]
    if fatal and sanity == "refuse":
        more = "; --sanity warn goes on all the same"
        raise InputError(f"{source}: {' | '.join(in_lines(fatal))}{more}")
    return examined
