"""Scenes read for the network, with labels where something is learned from them or compared with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import examine
from densegt.accumulation.sweep_returns import stored_votes
from densegt.datasets import RecordingPath
from densegt.errors import InputError
from densegt.motion_net.config import Labels
from densegt.motion_net.examples import Example
from densegt.motion_net.labels import labels_of
from densegt.motion_net.labels.point_labels import PointLabels
from densegt.motion_net.scans import SceneScans, read_scans

Say = Callable[[str], None]


@dataclass(frozen=True)
class SceneData:
    """A scene.

    Attributes:
        free_space: (N, FREE_SPACE_COLUMNS) uint8 of all points, see `SceneScans.free_space`.
    """

    name: str
    scans: SceneScans
    free_space: NDArray[np.uint8]
    labels: PointLabels

    def targets(self, example: Example) -> tuple[NDArray[np.generic], ...]:
        """Moving, class, object, speed and offset in the frame, of the example's points."""
        rows, labels = example.rows, self.labels
        away = labels.centre[rows] - self.scans.xyz[rows, :2]
        offset = away @ example.R_base_global.T.astype(np.float32)
        return labels.moving[rows], labels.kind[rows], labels.thing[rows], labels.speed_mps[rows], offset


def read_scenes(
    recordings: Sequence[RecordingPath],
    labels: Labels,
    config: AccumulateConfig,
    say: Say,
    *,
    votes: Sequence[Path] = (),
) -> list[SceneData]:
    """All scenes of some recordings, with labels of one kind.

    Args:
        votes: a store of votes for each recording, which automatic labels are made with; or none.

    Raises:
        InputError: a recording cannot be opened, or has no such labels.
    """
    out = []
    for number, path in enumerate(recordings):
        recording = path.open()
        for name in recording.scene_names:
            scene = examine(recording.scene(name), config.lidar, sane=False, strict=path.strict).scene
            scans = read_scans(scene, config)
            said = stored_votes(votes[number] / f"{name}.h5") if votes else None
            told = labels_of(labels, Path(recording.root), scene, scans, config, votes=said)
            free_space = scans.free_space(np.arange(len(scans.xyz)), config.free_space)
            out.append(SceneData(f"{path.root.name}/{name}", scans, free_space, told))
            asked = told.moving >= 0
            say(
                f"{out[-1].name}: {len(scans)} scans, {len(scans.xyz)} points, {asked.mean():.0%} labelled, "
                f"{(told.moving == 1).mean():.2%} moving"
            )
    if not out:
        raise InputError("no scene to learn from")
    return out
