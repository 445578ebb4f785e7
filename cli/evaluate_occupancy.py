"""`densegt evaluate` of an occupancy store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

ROWS = (
    ("voxels observed", "observed"),
    ("occupied: intersection over union", "occupied_iou"),
    ("occupied: precision", "occupied_precision"),
    ("free: intersection over union", "free_iou"),
    ("free: precision", "free_precision"),
    ("dynamic objects: recall", "mover_recall"),
    ("dynamic objects: precision", "mover_precision"),
    ("wake of dynamic objects that is occupied", "wake_occupied"),
    ("the same, apart from true surfaces", "trail_occupied"),
    ("flow of dynamic objects right within 0.5 m/s", "flow_right"),
    ("classes: mean IoU", "class_miou"),
    ("classes: mean IoU of things", "class_miou_things"),
    ("RayIoU", "ray_iou"),
    ("camera mask: agreement", "mask_agreement"),
    ("camera mask: agreement with exact depth", "mask_by_depth_agreement"),
    ("camera mask: intersection over union", "mask_iou"),
)


def evaluate(pred: Path, truth: Path) -> dict[str, Any]:
    """Figures of a store against the exact voxels of the simulated city that it was made from; prints them.

    Args:
        truth: the city's folder, or `exact` in it.
    """
    from densegt.occupancy.evaluate import evaluate_occupancy

    figures = evaluate_occupancy(pred, truth.parent if truth.name == "exact" else truth).compute()
    for title, key in ROWS:
        click.echo(f"{title:<40}{_shown(figures[key])}")
    for kind, value in figures["recall_by_kind"].items():
        click.echo(f"{f'recall of {kind}':<40}{_shown(value)}")
    for part, values in figures["by_range_m"].items():
        click.echo(f"{f'occupied at {part} m: IoU':<40}{_shown(values['occupied_iou'])}")
    return figures


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:6.2f} %"
