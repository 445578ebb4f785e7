"""Occupancy as a job over the scenes of a recording."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from densegt.accumulation.job import ALGORITHM as ACCUMULATION
from densegt.accumulation.job import sane_scene
from densegt.batch.job import ReportProgress, SceneResult
from densegt.batch.progress import SceneProgress
from densegt.batch.recording_handle import RecordingHandle
from densegt.datasets import RecordingPath
from densegt.datasets.recording import Recording
from densegt.occupancy.classes import SceneClasses
from densegt.occupancy.config import OccupancyConfig
from densegt.occupancy.grid import VoxelGrid
from densegt.occupancy.labels import lidarseg_points, voted_points
from densegt.occupancy.scene_to_store import ClassSource, occupancy_to_store
from densegt.occupancy.store import OccupancyWriter

# Raise it with every change after which equal input and options give other voxels.
ALGORITHM = 7


@dataclass(frozen=True)
class OccupancyJob:
    """The voxels of a recording's scenes into an occupancy store; see `densegt.batch.run.run_scenes`.

    Attributes:
        semantics: auto takes boxes' classes, and lidarseg's where there are some; none; or a folder of motion votes.
        overwrite: also make finished scenes again.
        sanity: what comes of a scene whose poses, calibration, units or clocks contradict its points.
    """

    counts: ClassVar[tuple[str, ...]] = ("sweeps", "occupied_voxels")

    recording: RecordingPath
    out: Path
    grid: VoxelGrid
    config: OccupancyConfig
    semantics: str = "auto"
    overwrite: bool = False
    sanity: Literal["refuse", "warn", "off"] = "refuse"

    @cached_property
    def _handle(self) -> RecordingHandle:
        return RecordingHandle(self.recording)

    @property
    def opened(self) -> Recording:
        """The recording, opened once in each process."""
        return self._handle.recording

    def check(self) -> None:
        """Open the recording.

        Raises:
            InputError: it cannot be opened.
        """
        _ = self.opened

    def saved_config(self, scene: str) -> dict[str, Any]:
        """What a scene's file keeps as `config`: with its input, all that decides its content."""
        return {
            "algorithm": f"{ACCUMULATION}.{ALGORITHM}",
            "occupancy": self.config.model_dump(mode="json"),
            "grid": self.grid.described(),
            "semantics": self.semantics,
        }

    def input_digest(self, scene: str) -> str:
        """The recording's fingerprint of the scene."""
        return self.opened.fingerprint(scene)

    def input_path(self, scene: str) -> Path:
        """The recording's file or folder that lists its content."""
        return self.opened.source

    def size(self, scene: str) -> SceneProgress:
        """Steps at most and keyframes of a scene."""
        return SceneProgress(self.opened.steps(scene), self.opened.keyframe_count(scene))

    def process(self, scene: str, report: ReportProgress) -> SceneResult:
        """Make a scene's file, whole or not at all."""
        config, digest = self.saved_config(scene), self.input_digest(scene)
        new_writer = partial(OccupancyWriter, self.out, scene, config, input_digest=digest, overwrite=True)
        read = self.opened.scene(scene, keyframes_only=self.config.window_s == 0)
        examined = sane_scene(read, self.config, self.opened.source, sanity=self.sanity, strict=self.recording.strict)
        return occupancy_to_store(
            examined, self.grid, self.config, new_writer, classes=self._classes(scene), report=report
        )

    def _classes(self, scene: str) -> ClassSource:
        known = object_classes(self.opened, scene)
        if self.semantics == "none":
            return lambda cloud, read: None
        if self.semantics != "auto":
            votes = Path(self.semantics)
            return lambda cloud, read: SceneClasses.of(cloud, read, known, voted_points(votes, read))
        root = self.opened.root
        return lambda cloud, read: SceneClasses.of(cloud, read, known, lidarseg_points(root, read))

    def summary(self) -> dict[str, Any]:
        """Dataroot and configuration."""
        return {"dataroot": str(self.recording.root), "config": self.saved_config("")}


def object_classes(recording: Recording, scene: str) -> dict[str, str | None]:
    """Detection class by category of a scene's boxes, as its format tells it."""
    boxes = [keyframe.boxes for keyframe in recording.keyframes(scene)]
    return {category: name for at in boxes for category, name in zip(at.categories, at.classes, strict=True)}
