"""What a run over scenes needs of a job, and the result of a scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from densegt.batch.progress import SceneProgress

ReportProgress = Callable[[SceneProgress], None]


@dataclass(frozen=True)
class SceneResult:
    """A scene's file and what is in it, or why there is none.

    Attributes:
        status: skipped where the file was finished before.
        path: of the file; None where the scene failed.
        coverage: share of pixels with a depth.
        bytes: of the file.
        counts: further counts of the job, those named by its `counts`.
        seconds: by stage.
        details: further entries of the job for the summary of the run.
        notes: lines worth knowing; warnings: lines to act on.
        error: one line; by_input: the user can mend it; traceback: of an unforeseen error.
    """

    name: str
    status: Literal["done", "skipped", "failed"]
    path: Path | None = None
    images: int = 0
    coverage: float = 0.0
    keyframes: int = 0
    bytes: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None
    by_input: bool = False
    traceback: str | None = None


class SceneJob(Protocol):
    """Work on scenes, each of which becomes one file of a depth store. Worker processes receive a pickled copy."""

    counts: ClassVar[tuple[str, ...]]

    @property
    def out(self) -> Path:
        """Folder of the depth store that is written."""

    @property
    def overwrite(self) -> bool:
        """Also make finished scenes again."""

    def check(self) -> None:
        """Raise InputError where no scene can succeed; before any work."""

    def saved_config(self, scene: str) -> dict[str, Any]:
        """What a scene's file keeps as `config`: with its input, all that decides its content."""

    def input_digest(self, scene: str) -> str:
        """Digest of what a scene's file is made from."""

    def input_path(self, scene: str) -> Path:
        """Where that lies, for messages."""

    def size(self, scene: str) -> SceneProgress:
        """Steps and keyframes of a scene, without reading it."""

    def process(self, scene: str, report: ReportProgress) -> SceneResult:
        """Make a scene's file, whole or not at all.

        Raises:
            InputError: the scene cannot be read.
        """

    def summary(self) -> dict[str, Any]:
        """What the summary of a run keeps of it."""


def scene_path(job: SceneJob, scene: str) -> Path:
    """A scene's file in the store that a job writes."""
    return job.out / f"{scene}.h5"
