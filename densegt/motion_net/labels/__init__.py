"""What each point of a scene is learned to be: exact, of boxes, of lidarseg, or found by densegt itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from densegt.accumulation.config import AccumulateConfig
from densegt.datasets.scene import Scene
from densegt.errors import InputError
from densegt.motion_net.config import Labels
from densegt.motion_net.labels.automatic import automatic_labels
from densegt.motion_net.labels.boxes import box_labels
from densegt.motion_net.labels.exact import exact_labels
from densegt.motion_net.labels.lidarseg import lidarseg_labels
from densegt.motion_net.labels.point_labels import PointLabels
from densegt.motion_net.scans import SceneScans

Labeller = Callable[[Path, Scene, SceneScans, AccumulateConfig], PointLabels]
LABELLERS: dict[str, Labeller] = {
    "exact": exact_labels,
    "boxes": box_labels,
    "lidarseg": lidarseg_labels,
    "auto": automatic_labels,
}


def labels_of(kind: Labels, root: Path, scene: Scene, scans: SceneScans, config: AccumulateConfig) -> PointLabels:
    """Labels of a scene's points.

    Raises:
        InputError: the recording has none of this kind.
    """
    if kind not in LABELLERS:
        raise InputError(f"labels {kind!r}: neither of {', '.join(LABELLERS)}")
    return LABELLERS[kind](root, scene, scans, config)
