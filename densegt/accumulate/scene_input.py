"""From a recording and a configuration to the scene that every stage works on: the one place where the two meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from densegt.accumulate.config import AccumulateConfig, LidarConfig
from densegt.datasets.infer_lidar_model import with_inferred_models
from densegt.datasets.lidar_model import LIDAR_MODELS, LidarModel
from densegt.datasets.recording import Recording
from densegt.datasets.scene import Scene


def read_scene(recording: Recording, name: str, config: AccumulateConfig, *, cameras: Sequence[str] = ()) -> Scene:
    """A scene whose lidars have the configuration's model, or the recording's own, or the one inferred from it.

    Raises:
        InputError: unknown scene or camera, a file is missing or damaged.
    """
    scene = recording.scene(name, cameras=cameras)
    model = configured_model(config.lidar)
    if model is None:
        return with_inferred_models(scene)
    return scene.with_lidar_models({lidar.channel: model for lidar in scene.lidars})


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
