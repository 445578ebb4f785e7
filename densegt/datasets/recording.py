"""Recording: what every stage asks of a data set, whatever its format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.keyframes import Keyframe
from densegt.datasets.scene import Points, Scene, Sweep
from densegt.errors import InputError, UnknownCameraError
from densegt.suggestion import closest


@dataclass(frozen=True)
class RecordingOptions:
    """What a format leaves to its user.

    Attributes:
        keyframe_rate_hz: about as many keyframes a second, where the format marks none.
        keyframe_every: every n-th sweep is one instead.
        exposure: where a format's own stamps of images are in doubt, whether cameras expose at the sweep's stamp, when
            the beam faces ahead, or at the image's.
        strict: refuse a scene in which anything is bad; otherwise that is left out, see `Scene.set_aside`.
    """

    keyframe_rate_hz: float = 2.0
    keyframe_every: int | None = None
    exposure: Literal["sweep", "image"] = "sweep"
    strict: bool = False

    def keyframe_rows(self, stamps_us: NDArray[np.int64]) -> NDArray[np.intp]:
        """Which of a lidar's sweeps, in order of time, are keyframes: evenly many apart, the first among them."""
        every = self.keyframe_every
        if every is None:
            period_s = float(np.median(np.diff(stamps_us))) * 1e-6 if len(stamps_us) > 1 else np.inf
            every = max(1, round(1.0 / (self.keyframe_rate_hz * max(period_s, 1e-6))))
        return np.arange(0, len(stamps_us), every)


class Recording(Protocol):
    """A data set on disk: names its scenes and builds each as a `Scene`.

    A recording can be pickled: each process that receives it opens it for itself. Its methods raise `InputError` in one
    line that names the file.
    """

    @property
    def root(self) -> Path:
        """The folder that was opened; image file names are relative to it."""

    @property
    def source(self) -> Path:
        """The file or folder that tells what there is, for messages."""

    @property
    def scene_names(self) -> Sequence[str]:
        """Names of its scenes, each of which can name a file."""

    def scene(self, name: str, *, cameras: Sequence[str] = (), keyframes_only: bool = False) -> Scene:
        """One scene; points and images stay on disk.

        Args:
            cameras: channels to keep; all where empty.
            keyframes_only: leave the sweeps between keyframes out; their files need not be there.
        """

    def keyframes(self, name: str) -> list[Keyframe]:
        """A scene's keyframes in order of time, with their boxes; only files of keyframes need be there."""

    def keyframe_count(self, name: str) -> int:
        """How many keyframes a scene has; without opening it, for progress."""

    def steps(self, name: str) -> int:
        """How many sweeps to read and keyframe images to write a scene has; without opening it, for progress."""

    def point_count(self, name: str) -> int:
        """Returns in all sweeps of a scene, at least about; for estimates of memory."""

    def fingerprint(self, name: str) -> str:
        """A digest of all that the scene is made of, but for the contents of sweeps and images: equal, equal input."""

    def read_points(self, sweep: Sweep) -> Points:
        """One sweep's returns."""

    def validation_scenes(self) -> frozenset[str]:
        """Names that the data set's own split holds out for validation."""


@runtime_checkable
class TakesSubmissions(Protocol):
    """A recording whose data set has a small submission format of its own for detections."""

    def write_submission(
        self, path: Path, results: Mapping[str, Sequence[Mapping[str, Any]]], keyframes: Sequence[Keyframe]
    ) -> None:
        """Write detections, given as nuScenes result rows by sample token, in that format."""

    @property
    def submission_name(self) -> str:
        """Name of its file."""


def check_cameras(recording: Recording, scenes: Sequence[str], channels: Sequence[str]) -> None:
    """Whether any of some scenes has these cameras; before a run, which would find out scene by scene.

    Raises:
        UnknownCameraError: none has.
    """
    first: UnknownCameraError | None = None
    for name in scenes if channels else ():
        try:
            recording.scene(name, cameras=channels, keyframes_only=True)
        except UnknownCameraError as error:
            first = first or error
        except InputError:  # of this scene alone; the run says so
            return
        else:
            return
    if first:
        raise first


def unknown_camera(where: Path, channel: str, known: Sequence[str]) -> UnknownCameraError:
    """The error about a camera that is not there."""
    alike = closest(channel, known)
    meant = f"; did you mean {alike}?" if alike else ""
    return UnknownCameraError(f"{where}: no camera {channel!r}; there is {some(known, 12)}{meant}")


def unknown_scene(where: Path, name: str, known: Sequence[str]) -> InputError:
    """The error about a scene that is not there."""
    alike = closest(name, known)
    meant = f"; did you mean {alike}?" if alike else ""
    return InputError(f"{where}: no scene {name!r}; there is {some(known)}{meant}")


def some(names: Sequence[str], most: int = 5) -> str:
    """The first names, for messages."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + more
