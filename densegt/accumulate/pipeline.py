"""The line for a scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from densegt.accumulate.cloud import Cloud, gather
from densegt.accumulate.config import AccumulateConfig, LidarConfig
from densegt.accumulate.motion.tracks import moving_tracks
from densegt.accumulate.poses.refinement import refine_poses
from densegt.accumulate.render.renderer import render
from densegt.datasets.lidar_model import LIDAR_MODELS
from densegt.datasets.scene import Camera, LidarModel, Scene
from densegt.depth.depth_map import DepthMap


def accumulate_scene(
    scene: Scene,
    config: AccumulateConfig,
    tick: Callable[[], None] = lambda: None,
    stage: Callable[[str], None] = lambda name: None,
    gathered: Callable[[Cloud], None] = lambda cloud: None,
) -> Iterator[tuple[Camera, DepthMap]]:
    """Dense depth of every keyframe camera of a scene, in order of time.

    Args:
        tick: called after each sweep and image.
        stage: told when rendering begins.
        gathered: given the cloud before.
    """
    scene = refine_poses(scene, config)
    tracks = moving_tracks(scene, config.tracks) if config.motion in ("auto", "boxes") else []
    cloud = gather(scene, tracks, config, progress=tick)
    gathered(cloud)
    stage("render")
    for camera in scene.cameras:
        yield camera, render(cloud, camera, config)
        tick()


def spin_of(config: LidarConfig) -> LidarModel | None:
    """The spin model that the configuration names or spells out; None leaves it to the recording."""
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
