"""The graphs of a trained detector, by what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from densegt.detection.bev.task import LssTask
from densegt.detection.task import DetectionTask
from densegt.errors import InputError
from densegt.quantisation.dense_part import DensePart, centerpoint_part, pixor_part
from densegt.quantisation.lift_part import lift_parts


def dense_parts(task: DetectionTask, checkpoint: Path) -> tuple[DensePart, ...]:
    """In the order in which they are run.

    Raises:
        InputError: it has none that is worth it.
    """
    name = task.settings.detector
    if name == "centerpoint-voxel":
        raise InputError(
            f"{checkpoint}: {name}'s convolutions are sparse, which no ONNX file carries; what eight bits cost it is "
            "simulated by python -m benchmarks.accuracy.quantised_voxels"
        )
    if isinstance(task, LssTask):
        return lift_parts(task, checkpoint)
    if name not in _PARTS:
        known = ", ".join((*_PARTS, "lss"))
        raise InputError(f"{checkpoint}: {name} works point by point, not in convolutions; {known} can be")
    return (_PARTS[name](task, checkpoint),)


_PARTS: dict[str, Callable[[DetectionTask, Path], DensePart]] = {"pixor": pixor_part, "centerpoint": centerpoint_part}
