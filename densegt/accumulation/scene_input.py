"""From a recording and a configuration to the scene that every stage works on: the one place where the two meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from densegt.accumulation.config import AccumulateConfig, LidarConfig
from densegt.accumulation.read_ahead import ReadAhead
from densegt.datasets.infer_lidar_model import LidarModelEvidence, infer_lidar_models
from densegt.datasets.lidar_model import LIDAR_MODELS, LidarModel
from densegt.datasets.recording import Recording
from densegt.datasets.sanity.check_scene import check_scene
from densegt.datasets.sanity.finding import SanityFinding
from densegt.datasets.scene import Scene


def read_scene(recording: Recording, name: str, config: AccumulateConfig, *, cameras: Sequence[str] = ()) -> Scene:
    """A scene whose lidars have the configuration's model, or the recording's own, or the one inferred from it.

    Sweeps read for that are not read from their files again.

    Raises:
        InputError: unknown scene or camera, a file is missing or damaged.
    """
    return examine(recording.scene(name, cameras=cameras), config.lidar, sane=False).scene


@dataclass(frozen=True)
class ExaminedScene:
    """A scene that can be accumulated, and what its data say of it.

    Attributes:
        lidars: of each lidar's model.
        findings: contradictions, see `densegt.datasets.sanity`.
    """

    scene: Scene
    lidars: tuple[LidarModelEvidence, ...]
    findings: tuple[SanityFinding, ...]


def examine(scene: Scene, config: LidarConfig, *, sane: bool = True) -> ExaminedScene:
    """The scene with a model for each lidar; a given model holds whatever the data say.

    Args:
        sane: look for contradictions too.

    Raises:
        InputError: a sweep cannot be read.
    """
    model = configured_model(config)
    given = {} if model is None else {lidar.channel: model for lidar in scene.lidars}
    ahead = ReadAhead(scene.read_points)
    found = infer_lidar_models(scene, given, ahead)
    used = scene.with_lidar_models({channel: evidence.used for channel, evidence in found.items()})
    findings = tuple(check_scene(used, ahead)) if sane else ()
    ahead.stop()
    return ExaminedScene(replace(used, read_points=ahead), tuple(found.values()), findings)


def configured_model(config: LidarConfig) -> LidarModel | None:
    """The lidar model that the configuration names or spells out; None leaves it to the recording."""
    if config.model == "auto":
        return None
    if config.model != "custom":
        return LIDAR_MODELS[config.model]
    return LidarModel(
        clockwise=config.clockwise,
        period_s=config.period_s,
        seam_rad=float(np.deg2rad(config.seam_deg)),
        stamp_fraction=config.stamp_fraction,
        compensated=config.compensated,
    )
