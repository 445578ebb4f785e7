"""The line for a scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from densegt.accumulate.cloud import Cloud, gather
from densegt.accumulate.config import AccumulateConfig
from densegt.accumulate.motion.tracks import moving_tracks
from densegt.accumulate.poses.refinement import refine_poses
from densegt.accumulate.render.renderer import render
from densegt.datasets.scene import Camera, Scene
from densegt.depth.depth_map import DepthMap


def build_cloud(scene: Scene, config: AccumulateConfig, *, progress: Callable[[], None] = lambda: None) -> Cloud:
    """A scene's cloud: ego poses refined, what moves told from what stands still.

    Args:
        progress: called after each sweep.
    """
    scene = refine_poses(scene, config)
    tracks = moving_tracks(scene, config.tracks) if config.motion in ("auto", "boxes") else []
    return gather(scene, tracks, config, progress=progress)


def accumulate_scene(
    scene: Scene,
    config: AccumulateConfig,
    *,
    progress: Callable[[], None] = lambda: None,
    built: Callable[[Cloud], None] = lambda cloud: None,
) -> Iterator[tuple[Camera, DepthMap]]:
    """Dense depth of every keyframe camera of a scene, in order of time.

    Args:
        progress: called after each sweep and image.
        built: given the cloud before the first image is rendered.
    """
    cloud = build_cloud(scene, config, progress=progress)
    built(cloud)
    for camera in scene.cameras:
        yield camera, render(cloud, camera, config)
        progress()
