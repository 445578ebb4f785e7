"""densegt's own stages, added one at a time. What no option switches off is left out by calling the stages here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.accuracy.baselines import Depths
from densegt.accumulation.config import AccumulateConfig, SurfelConfig
from densegt.accumulation.pipeline import accumulate_scene, build_cloud
from densegt.accumulation.render.frustum import VisibleSurfels, select_visible
from densegt.accumulation.render.renderer import point_z_buffers
from densegt.accumulation.render.surfel_layers import SurfaceLayer, front_surface
from densegt.datasets.scene import Camera, Scene

FULL = AccumulateConfig()
MEASURED = FULL.model_copy(update={"surface": False})
# Nothing is left out for being unsure.
ANY = FULL.model_copy(update={"confidence": FULL.confidence.model_copy(update={"least": 0.0, "least_measured": 0.0})})
# Tracks are handed over all the same where a step is to use them.

Front = Callable[[VisibleSurfels, Camera, SurfelConfig], SurfaceLayer]


def sound_points(scene: Scene) -> Depths:
    """The whole scene's z-buffer baseline, without returns that hang between two surfaces."""
    return _points(scene, "none", nothing_hides)


def motion(scene: Scene) -> Depths:
    """Points at their own time, objects along cubic tracks to each camera's exposure."""
    return _points(scene, "boxes", nothing_hides)


def visibility(scene: Scene) -> Depths:
    """Surfels of surface hide what lies behind them."""
    return _points(scene, "boxes", front)


def free_space(scene: Scene) -> Depths:
    """What other sweeps' beams refute is shown at its own time only, and what stands behind glass not at all."""
    return _points(scene, "auto", front)


def enclosure(scene: Scene) -> Depths:
    """What shows through gaps in something near is dropped."""
    config = ANY.model_copy(update={"surface": False})
    return ((camera, depth.depth_m) for camera, depth in accumulate_scene(scene, config))


def surface(scene: Scene) -> Depths:
    """Pixels between measured ones are filled."""
    return ((camera, depth.depth_m) for camera, depth in accumulate_scene(scene, ANY))


def measured(scene: Scene) -> Depths:
    """`densegt accumulate --no-surface`."""
    return ((camera, depth.depth_m) for camera, depth in accumulate_scene(scene, MEASURED))


def full(scene: Scene) -> Depths:
    """`densegt accumulate`."""
    return ((camera, depth.depth_m) for camera, depth in accumulate_scene(scene, FULL))


def front(view: VisibleSurfels, camera: Camera, config: SurfelConfig) -> SurfaceLayer:
    """The surface that shows at each pixel."""
    return front_surface(view, camera, config).front


def nothing_hides(view: VisibleSurfels, camera: Camera, config: SurfelConfig) -> SurfaceLayer:
    """No surface at any pixel, so the nearest point wins."""
    shape = (camera.height_px, camera.width_px)
    nowhere, none = np.full(shape, np.inf, dtype=np.float32), np.full(shape, -1, dtype=np.int32)
    return SurfaceLayer(nowhere, np.zeros_like(nowhere), none)


def _points(scene: Scene, motion: str, front: Front) -> Depths:
    """The nearest point in each pixel that the front surface does not hide."""
    config = FULL.model_copy(update={"motion": motion, "refine_poses": False})
    cloud = build_cloud(scene, config)
    for camera in scene.cameras:
        view = select_visible(cloud, camera, config)
        surface = front(view, camera, config.surfels)
        depth_m = point_z_buffers(view, camera, surface, config.surfels).pixels.depth_m
        yield camera, np.where(depth_m <= config.max_depth_m, depth_m, np.float32(0))
