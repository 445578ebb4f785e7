"""What each point of a scene is learned to be: exact, of boxes, of lidarseg, or found by densegt itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.sweep_returns import MotionVotes
from densegt.datasets.scene import Scene
from densegt.motion_net.config import Labels
from densegt.motion_net.labels.automatic import automatic_labels
from densegt.motion_net.labels.boxes import box_labels
from densegt.motion_net.labels.exact import exact_labels
from densegt.motion_net.labels.lidarseg import lidarseg_labels
from densegt.motion_net.labels.point_labels import PointLabels
from densegt.motion_net.scans import SceneScans

Labeller = Callable[[Path, Scene, SceneScans, AccumulateConfig], PointLabels]
# Of what others have written; "auto" is densegt's own.
LABELLERS: dict[str, Labeller] = {"exact": exact_labels, "boxes": box_labels, "lidarseg": lidarseg_labels}


def labels_of(
    kind: Labels,
    root: Path,
    scene: Scene,
    scans: SceneScans,
    config: AccumulateConfig,
    *,
    votes: MotionVotes | None = None,
) -> PointLabels:
    """Labels of a scene's points.

    Args:
        votes: of a network of an earlier round, which automatic labels are made with.

    Raises:
        InputError: the recording has none of this kind.
    """
    if kind == "auto":
        return automatic_labels(scene, scans, config, votes)
    return LABELLERS[kind](root, scene, scans, config)
