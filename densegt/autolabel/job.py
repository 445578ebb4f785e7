"""Labelling as a job over the scenes of a recording."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar

from densegt.accumulation.scene_input import examine
from densegt.autolabel.boxes_2d import ImageObjects, read_image_objects
from densegt.autolabel.config import AutolabelConfig
from densegt.autolabel.pipeline import Knowledge, label_scene
from densegt.autolabel.publish import SceneLabels, write_labels
from densegt.autolabel.verification import Judge
from densegt.autolabel.weights import JUDGES
from densegt.batch.job import ReportProgress, SceneResult
from densegt.batch.progress import SceneProgress
from densegt.batch.recording_handle import RecordingHandle
from densegt.batch.stage_seconds import StageSeconds
from densegt.datasets import RecordingPath
from densegt.datasets.recording import Recording
from densegt.datasets.set_aside import as_dicts, in_one_line
from densegt.errors import InputError
from densegt.shapes.prior import ShapePrior
from densegt.shapes.weights import PRIOR

# Raise it with every change after which equal input and options give other labels.
ALGORITHM = 3


@dataclass(frozen=True)
class AutolabelJob:
    """Label the scenes of a recording; see `densegt.batch.run.run_scenes`.

    Attributes:
        prior: of shapes, other than the one that ships.
        boxes_2d: file of objects in images.
        overwrite: also make finished scenes again.
    """

    counts: ClassVar[tuple[str, ...]] = ("sweeps", "labels", "verified")

    recording: RecordingPath
    out: Path
    config: AutolabelConfig
    prior: Path | None = None
    boxes_2d: Path | None = None
    overwrite: bool = False

    @cached_property
    def _handle(self) -> RecordingHandle:
        return RecordingHandle(self.recording)

    @property
    def opened(self) -> Recording:
        """The recording, opened once in each process."""
        return self._handle.recording

    def check(self) -> None:
        """Open the recording, and read the prior and the objects in images.

        Raises:
            InputError: one of them cannot be.
        """
        _ = self.opened, knowledge(self.prior), self._objects

    @cached_property
    def _objects(self) -> ImageObjects | None:
        return None if self.boxes_2d is None else read_image_objects(self.boxes_2d)

    def saved_config(self, scene: str) -> dict[str, Any]:
        """What a scene's file keeps as `config`: with its input, all that decides its content."""
        prior = None if self.prior is None else str(self.prior)
        said = {"algorithm": ALGORITHM, "autolabel": self.config.model_dump(mode="json"), "prior": prior}
        if self.boxes_2d is None:
            return said
        return said | {"boxes_2d": hashlib.sha256(self.boxes_2d.read_bytes()).hexdigest()}

    def input_digest(self, scene: str) -> str:
        """The recording's fingerprint of the scene."""
        return self.opened.fingerprint(scene)

    def input_path(self, scene: str) -> Path:
        """The recording's file or folder that lists its content."""
        return self.opened.source

    def size(self, scene: str) -> SceneProgress:
        """Two steps, reading and fitting, and the keyframes of a scene."""
        return SceneProgress(2, self.opened.keyframe_count(scene))

    def process(self, scene: str, report: ReportProgress) -> SceneResult:
        """Label a scene into its file, whole or not at all."""
        examined = examine(
            self.opened.scene(scene), self.config.accumulate.lidar, sane=False, strict=self.recording.strict
        )
        keyframes = tuple(dict.fromkeys(s.sample_token for s in examined.scene.sweeps if s.is_keyframe))
        if not keyframes:
            raise InputError(f"{self.opened.source}: scene {scene} has no keyframe to label")
        seconds, steps = StageSeconds("gather"), 0

        def step() -> None:
            nonlocal steps
            steps += 1
            seconds.enter("fit" if steps == 1 else "write")
            report(SceneProgress(steps, 0 if steps == 1 else len(keyframes)))

        labels = label_scene(examined.scene, knowledge(self.prior), self.config, self._objects, progress=step)
        path = self.out / f"{scene}.h5"
        found = SceneLabels(scene, keyframes, tuple(labels))
        write_labels(path, found, self.saved_config(scene), self.input_digest(scene))
        verified = sum(one.verified for one in labels)
        return SceneResult(
            name=scene,
            status="done",
            path=path,
            images=len(keyframes),
            coverage=verified / max(len(labels), 1),
            keyframes=len(keyframes),
            bytes=path.stat().st_size,
            counts={"sweeps": len(examined.scene.sweeps), "labels": len(labels), "verified": verified},
            seconds=seconds.end(),
            details={"set_aside": as_dicts(examined.set_aside)},
            notes=examined.scene.notes,
            warnings=tuple(in_one_line(examined.set_aside)),
        )

    def summary(self) -> dict[str, Any]:
        """Dataroot and configuration."""
        return {"dataroot": str(self.recording.root), "config": self.saved_config("")}


@cache
def knowledge(prior: Path | None) -> Knowledge:
    """Read once in each process.

    Raises:
        InputError: the prior cannot be read, or knows no cars.
    """
    shapes = ShapePrior.load(prior or PRIOR)
    if missing := {"car", "van", "truck", "bus"} - shapes.families.keys():
        raise InputError(f"{prior}: no shape prior of vehicles (no {', '.join(sorted(missing))})")
    return Knowledge(shapes, *(Judge.load(path) for path in JUDGES))
