"""Is a recording whole and readable? Every scene is opened and every sweep read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from densegt.datasets import RecordingPath, format_of, imported
from densegt.datasets.decode_image import decode_grey
from densegt.datasets.image_size import size_of
from densegt.datasets.recording import Recording
from densegt.datasets.scene import Camera, Scene
from densegt.errors import InputError

Progress = Callable[[int, int], None]


class CheckReport(Protocol):
    """What a check found, a line each."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What has to be mended."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is absent and may be."""

    def summary(self) -> str:
        """The closing line."""


@dataclass(frozen=True)
class RecordingReport:
    """What a check found, a line each, and how much it looked at.

    Attributes:
        problems: what has to be mended.
        notes: what is absent and may be.
    """

    problems: tuple[str, ...]
    notes: tuple[str, ...]
    scenes: int
    sweeps: int
    images: int

    def summary(self) -> str:
        """The closing line, e.g. `0 problems in 1 scene, 30 sweeps, 6 images`."""
        parts = [(self.scenes, "scene"), (self.sweeps, "sweep"), (self.images, "image")]
        looked_at = ", ".join(_count(n, noun) for n, noun in parts)
        return f"{_count(len(self.problems), 'problem')} in {looked_at}"


def check_recording(
    path: RecordingPath, *, decode_images: bool = False, progress: Progress | None = None
) -> CheckReport:
    """Open all there is; what keeps a scene from being opened is said first, so that it can be mended step by step.

    Args:
        decode_images: decode every image too (slow).
        progress: called with (scenes or files done, in all).

    Raises:
        InputError: no recording at all, of a format that has a check of its own.
    """
    own = format_of(path.root, path.format).check
    if own is not None:
        report: CheckReport = imported(own)(path.root, path.version, decode_images=decode_images, progress=progress)
        return report
    try:
        recording = path.open()
    except InputError as error:
        return RecordingReport((f"now missing: {error}",), (), 0, 0, 0)
    problems, notes = [], []
    sweeps = images = 0
    for done, name in enumerate(recording.scene_names):
        if progress:
            progress(done, len(recording.scene_names))
        try:
            scene = recording.scene(name)
            recording.keyframes(name)
        except InputError as error:
            problems.append(f"now missing: {error}")
            continue
        problems += map(str, scene.set_aside)
        found, seen = _sweeps(recording, scene), [camera for camera in scene.cameras if camera.image_path.is_file()]
        problems += found
        problems += [line for camera in seen for line in _image(camera, decode_images)]
        notes += _absent(scene, len(seen))
        sweeps, images = sweeps + len(scene.sweeps), images + len(seen)
    return RecordingReport(tuple(problems), tuple(notes), len(recording.scene_names), sweeps, images)


def _sweeps(recording: Recording, scene: Scene) -> list[str]:
    problems = []
    for sweep in scene.sweeps:
        try:
            recording.read_points(sweep)
        except InputError as error:
            problems.append(str(error))
    return problems


def _image(camera: Camera, decode: bool) -> list[str]:
    """What is wrong with an image: no size in its header, another than the calibration's, or it cannot be decoded."""
    size, wanted = size_of(camera.image_path), (camera.width_px, camera.height_px)
    if size is None:
        return [f"{camera.image_path}: no JPEG or PNG, or damaged"]
    if size != wanted:
        return [f"{camera.image_path}: {size[0]}x{size[1]} px, but the calibration says {wanted[0]}x{wanted[1]}"]
    if not decode:
        return []
    try:
        decode_grey(camera.image_path, wanted)
    except InputError as error:
        return [str(error)]
    return []


def _absent(scene: Scene, images: int) -> list[str]:
    """What a scene may do without, and what it does then."""
    notes = []
    if scene.cameras and images < len(scene.cameras):
        absent = f"{len(scene.cameras) - images} of {len(scene.cameras)} images are absent"
        notes.append(f"{scene.name}: {absent}; depth can be made, not completed or trained on")
    if not scene.cameras:
        notes.append(f"{scene.name}: no camera; there is no image to make depth for")
    if not scene.tracks:
        notes.append(f"{scene.name}: no boxes; what moves is told from free space")
    return notes


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
