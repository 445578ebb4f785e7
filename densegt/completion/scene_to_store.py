"""One scene of a depth store, completed into its file of another."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.batch.job import ReportProgress, SceneResult
from densegt.batch.progress import SceneProgress
from densegt.batch.stage_seconds import StageSeconds
from densegt.completion.images import camera_of, completed_layers, given_of, without_completed
from densegt.completion.method import Method
from densegt.datasets.set_aside import SetAside, as_dicts, in_one_line
from densegt.depth.store import ImageRecord, SceneWriter
from densegt.errors import InputError


class _Pixels(NamedTuple):
    """Pixels of an image: all, those with a depth, those measured, and of these those that the method rejected."""

    all: int
    known: int
    measured: int
    rejected: int


class HowCompleted(NamedTuple):
    """A method; what it fills with less confidence stays unknown; strict: refuse where an image cannot be read,
    otherwise it is left out."""

    method: Method
    min_confidence: float = 0.0
    strict: bool = False


def complete_to_store(
    records: Iterable[ImageRecord],
    image_root: Path,
    how: HowCompleted,
    writer: SceneWriter,
    *,
    report: ReportProgress = lambda progress: None,
) -> SceneResult:
    """Complete a scene's images and write them.

    Args:
        image_root: folder that the images' `filename` is relative to.
        writer: not yet entered; the file appears whole or not at all.
        report: called after every image.

    Raises:
        InputError: not one image can be read, or all are of another size than their depth; strict: one is.
    """
    seconds, pixels, keyframes = StageSeconds("read"), [], set()
    bad: list[SetAside] = []
    with writer:
        for record in map(without_completed, records):
            try:
                given = given_of(record, image_root)
            except InputError as error:
                if how.strict:
                    raise
                path = str(image_root / record.filename)
                bad.append(SetAside("image", path, str(error).removeprefix(f"{path}: ")))
                continue
            seconds.enter("complete")
            layers = completed_layers(record, how.method(given), min_confidence=how.min_confidence)
            seconds.enter("write")
            writer.write_layers(camera_of(record, image_root), layers)
            pixels.append(_count(record, layers))
            keyframes.add(record.sample_token)
            report(SceneProgress(len(pixels), len(keyframes)))
            seconds.enter("read")
        seconds.enter("write")
        if bad and not pixels:
            raise InputError(str(bad[0]))
        if bad:
            writer.set_aside(as_dicts(bad))
    total = _Pixels(*np.sum(pixels, axis=0).tolist())
    return SceneResult(
        name=writer.path.stem,
        status="done",
        path=writer.path,
        images=len(pixels),
        coverage=total.known / total.all,
        keyframes=len(keyframes),
        bytes=writer.path.stat().st_size,
        counts={"measured_pixels": total.measured, "rejected_pixels": total.rejected},
        seconds=seconds.end(),
        details={"set_aside": as_dicts(bad)},
        warnings=in_one_line(bad),
    )


def _count(record: ImageRecord, layers: dict[str, NDArray[Any]]) -> _Pixels:
    known, measured = layers["depth"] > 0, record.depth_m > 0
    rejected = measured & (layers["source"] != record.source)
    return _Pixels(known.size, *(int(np.count_nonzero(which)) for which in (known, measured, rejected)))
