"""How a training went, from its TensorBoard log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

TAGS = ("vehicle IoU", "depth MAE m")


def curves_of(folder: Path, tags: Sequence[str] = TAGS) -> dict[str, list[tuple[int, float]]]:
    """Step and value of what validation found, by name; a training that was resumed has one log for each time."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    log.Reload()
    there = log.Tags()["scalars"]
    # A step that was done again after an interruption counts as it went the last time.
    return {
        tag: sorted({event.step: float(event.value) for event in log.Scalars(tag)}.items())
        for tag in tags
        if tag in there
    }
