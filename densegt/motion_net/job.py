"""Votes as a job over the scenes of a recording."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import examine
from densegt.batch.job import ReportProgress, SceneResult
from densegt.batch.progress import SceneProgress
from densegt.batch.recording_handle import RecordingHandle
from densegt.datasets import RecordingPath
from densegt.datasets.recording import Recording
from densegt.datasets.set_aside import as_dicts, in_one_line
from densegt.depth.point_votes import VotesWriter
from densegt.errors import InputError
from densegt.motion_net.checkpoint import read_network
from densegt.motion_net.classes import CLASSES
from densegt.motion_net.infer import of_sweeps, votes_of_scene, with_reach
from densegt.motion_net.network import MotionNet
from densegt.motion_net.scans import read_scans

# Raise it with every change after which equal input and weights give other votes.
ALGORITHM = 2


@dataclass(frozen=True)
class VotesJob:
    """Votes on the points of a recording's scenes; see `densegt.batch.run.run_scenes`.

    Attributes:
        reach_m: how far to each side votes are cast.
        overwrite: also make finished scenes again.
    """

    counts: ClassVar[tuple[str, ...]] = ("points", "voted", "moving")

    recording: RecordingPath
    out: Path
    checkpoint: Path
    reach_m: float = 48.0
    overwrite: bool = False

    @cached_property
    def _handle(self) -> RecordingHandle:
        return RecordingHandle(self.recording)

    @property
    def opened(self) -> Recording:
        """The recording, opened once in each process."""
        return self._handle.recording

    @cached_property
    def _digest(self) -> str:
        return _digest(self.checkpoint)

    def check(self) -> None:
        """Open the recording and read the weights.

        Raises:
            InputError: one of them cannot be.
        """
        _ = self.opened
        _network(self.checkpoint, self.reach_m)

    def saved_config(self, scene: str) -> dict[str, Any]:
        """What a scene's file keeps as `config`."""
        own = {"checkpoint_sha256": self._digest, "reach_m": self.reach_m}
        return {"algorithm": ALGORITHM, "predict-motion": own, "classes": list(CLASSES)}

    def input_digest(self, scene: str) -> str:
        """The recording's fingerprint of the scene."""
        return self.opened.fingerprint(scene)

    def input_path(self, scene: str) -> Path:
        """The recording's file or folder that lists its content."""
        return self.opened.source

    def size(self, scene: str) -> SceneProgress:
        """Sweeps to read and keyframes; about, as images are not looked at."""
        return SceneProgress(self.opened.steps(scene), self.opened.keyframe_count(scene))

    def process(self, scene: str, report: ReportProgress) -> SceneResult:
        """Vote on a scene's points into its file, whole or not at all."""
        config = AccumulateConfig()
        examined = examine(self.opened.scene(scene), config.lidar, sane=False, strict=self.recording.strict)
        steps = _Steps(report)
        scans = read_scans(examined.scene, config, progress=steps)
        votes = votes_of_scene(_network(self.checkpoint, self.reach_m), scans, config.free_space, progress=steps)
        writer = VotesWriter(
            self.out, scene, self.saved_config(scene), input_digest=self.input_digest(scene), overwrite=True
        )
        with writer:
            if examined.set_aside:
                writer.set_aside(as_dicts(examined.set_aside))
            for sweep, said in zip(scans.sweeps, of_sweeps(votes, scans), strict=True):
                writer.write(sweep.lidar.channel, sweep.timestamp_us, said)
        voted = np.isfinite(votes.moving)
        return SceneResult(
            name=scene,
            status="done",
            path=writer.path,
            images=len(scans.sweeps),
            coverage=float(voted.mean()) if len(voted) else 0.0,
            keyframes=self.opened.keyframe_count(scene),
            bytes=writer.path.stat().st_size,
            counts={
                "points": len(voted),
                "voted": int(voted.sum()),
                "moving": int((np.nan_to_num(votes.moving) > 0.5).sum()),
            },
            details={"set_aside": as_dicts(examined.set_aside)},
            warnings=in_one_line(examined.set_aside),
        )

    def summary(self) -> dict[str, Any]:
        """Folders and settings."""
        return {"dataroot": str(self.recording.root), "config": self.saved_config("")}


class _Steps:
    """Counts what was done of a scene."""

    def __init__(self, report: ReportProgress) -> None:
        self._report, self._done = report, 0

    def __call__(self) -> None:
        self._done += 1
        self._report(SceneProgress(self._done, 0))


@cache
def _network(checkpoint: Path, reach_m: float) -> MotionNet:
    """Read once in each process; one thread, since scenes are worked on side by side."""
    torch.set_num_threads(1)
    return with_reach(read_network(checkpoint), reach_m)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
