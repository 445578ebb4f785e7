"""From a recording and a configuration to the scene that every stage works on: the one place where the two meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from densegt.accumulate.config import AccumulateConfig, LidarConfig
from densegt.accumulate.read_ahead import ReadAhead
from densegt.datasets.infer_lidar_model import LidarModelEvidence, infer_lidar_models
from densegt.datasets.lidar_model import LIDAR_MODELS, LidarModel
from densegt.datasets.recording import Recording
from densegt.datasets.scene import Scene


def read_scene(recording: Recording, name: str, config: AccumulateConfig, *, cameras: Sequence[str] = ()) -> Scene:
    """A scene whose lidars have the configuration's model, or the recording's own, or the one inferred from it.

    Sweeps read for that are not read from their files again.

    Raises:
        InputError: unknown scene or camera, a file is missing or damaged.
    """
    return with_lidar_models(recording.scene(name, cameras=cameras), config.lidar)[0]


def with_lidar_models(scene: Scene, config: LidarConfig) -> tuple[Scene, tuple[LidarModelEvidence, ...]]:
    """The scene with a model for each lidar, and what the data say of it; a given model holds whatever they say.

    Raises:
        InputError: a sweep cannot be read.
    """
    model = configured_model(config)
    given = {} if model is None else {lidar.channel: model for lidar in scene.lidars}
    ahead = ReadAhead(scene.read_points)
    found = infer_lidar_models(scene, given, ahead)
    ahead.stop()
    used = scene.with_lidar_models({channel: evidence.used for channel, evidence in found.items()})
    return replace(used, read_points=ahead), tuple(found.values())


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
