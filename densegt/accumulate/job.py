"""What to accumulate, and what came of a scene."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from densegt.accumulate.config import AccumulateConfig
from densegt.datasets import RecordingPath

# Raise it with every change after which equal input and options give other depth: then no file made before counts as
# finished.
ALGORITHM = 5


@dataclass(frozen=True)
class Job:
    """What to accumulate and where to.

    Attributes:
        cameras: channels, all where empty.
        overwrite: also scenes that are finished.
    """

    recording: RecordingPath
    out: Path
    config: AccumulateConfig
    cameras: tuple[str, ...] = ()
    overwrite: bool = False

    def path(self, scene: str) -> Path:
        """A scene's file."""
        return self.out / f"{scene}.h5"

    def saved(self) -> dict[str, Any]:
        """What a scene's file keeps of it: all that decides its content."""
        return {
            "algorithm": ALGORITHM,
            "accumulate": self.config.model_dump(mode="json"),
            "cameras": sorted(set(self.cameras)),
        }


@dataclass(frozen=True)
class SceneDone:
    """A scene's file and its images, or why there is none.

    Attributes:
        status: skipped where the file was there already.
        path: of the file; None where it failed.
        coverage: share of pixels with a depth.
        points: returns read from its sweeps.
        bytes: of the file.
        seconds: by stage.
        lidars: by channel, the model it was made with and what the data say of it.
        notes: what was inferred, one line a lidar; warnings: what could not be told, or what the data contradict.
        error: one line; by_input where the user can mend it, and the traceback of an unforeseen error.
    """

    name: str
    status: Literal["done", "skipped", "failed"]
    path: Path | None = None
    images: int = 0
    coverage: float = 0.0
    keyframes: int = 0
    sweeps: int = 0
    points: int = 0
    bytes: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    lidars: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None
    by_input: bool = False
    traceback: str | None = None
