"""radar-camera-fusion-depth as its program goes about it: image by image, sweep by sweep, point by point.

`baselines.masked_objects` is the method done with numpy; this is the work that the program does, told from its
description, no code copied. For each image, each of the 160 sweeps is read again, plotted into the image of the same
camera taken nearest in time, freed there of what is masked, brought back to points, plotted into the target image, and
laid over what is there, every point by itself in Python. Kinder than the program: it opens two JPEGs and a mask for
every sweep besides; here boxes stand for masks and each is drawn once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.baselines import (
    MASKED,
    MAX_DEPTH_M,
    MIN_DEPTH_M,
    Depths,
    Float32,
    Float64,
    box_mask,
    own_sweep,
)
from densegt.accumulation.config import EgoConfig
from densegt.accumulation.sweep_returns import not_own
from densegt.datasets.scene import Camera, Scene, Sweep
from densegt.geometry import se3
from densegt.geometry.camera import project

SWEEPS = 80


def masked_objects(scene: Scene, cameras: Sequence[Camera]) -> Depths:
    """The depth of some of a scene's images, one after the other."""
    tracks = [track for track in scene.tracks if track.category.startswith(MASKED)]
    by_token = {(camera.sample_token, camera.channel): camera for camera in [*scene.cameras, *cameras]}

    @cache
    def mask(sample_token: str, channel: str) -> NDArray[np.bool_]:
        return box_mask(tracks, by_token[sample_token, channel])

    for camera in cameras:
        own = own_sweep(scene, camera)
        same = [other for other in by_token.values() if other.channel == camera.channel]
        depth_m = plotted(_points(scene, scene.sweeps[own]), camera)
        for sweep in _around(scene, own):
            source = min(same, key=lambda other: abs(other.timestamp_us - sweep.timestamp_us))
            there_m = plotted(_points(scene, sweep), source)
            there_m[mask(source.sample_token, source.channel)] = 0
            here_m = plotted(_back(there_m, source), camera)
            here_m[mask(camera.sample_token, camera.channel)] = 0
            lay_over(depth_m, here_m)
        yield camera, depth_m


def _around(scene: Scene, own: int) -> Iterator[Sweep]:
    yield from scene.sweeps[own + 1 : own + 1 + SWEEPS]
    yield from reversed(scene.sweeps[max(own - SWEEPS, 0) : own])


def _points(scene: Scene, sweep: Sweep) -> Float64:
    """(N,3) in global, by the pose at the stamp."""
    xyz = scene.read_points(sweep).xyz_lidar
    return se3.apply(sweep.T_global_lidar, xyz[not_own(xyz, sweep, EgoConfig())])


def plotted(xyz_global: Float64, camera: Camera) -> Float32:
    """(H,W) m, 0 where no point (N,3) falls; where several do, the last one stays."""
    xyz = se3.apply(se3.inverse(camera.T_global_cam), xyz_global)
    uv, z = project(camera.K, xyz[(xyz[:, 2] > MIN_DEPTH_M) & (xyz[:, 2] < MAX_DEPTH_M)])
    inside = ((uv >= -0.5) & (uv < (camera.width_px - 0.5, camera.height_px - 0.5))).all(axis=1)
    depth_m = np.zeros((camera.height_px, camera.width_px), np.float32)
    for (col, row), z_m in zip(np.floor(uv[inside] + 0.5).astype(np.intp), z[inside], strict=True):
        depth_m[row, col] = z_m
    return depth_m


def _back(depth_m: Float32, camera: Camera) -> Float64:
    """(N,3) in global of the pixels that have a depth."""
    rows, cols = np.nonzero(depth_m)
    rays = np.linalg.solve(camera.K, np.stack([cols, rows, np.ones_like(rows)]).astype(np.float64))
    return se3.apply(camera.T_global_cam, (rays * depth_m[rows, cols]).T)


def lay_over(depth_m: Float32, more_m: Float32) -> None:
    """Put in what is nearer than what is there, or where nothing is; in place."""
    pixels: Iterable[tuple[int, int]] = zip(*np.nonzero(more_m), strict=True)
    for row, col in pixels:
        if depth_m[row, col] == 0 or more_m[row, col] < depth_m[row, col]:
            depth_m[row, col] = more_m[row, col]
