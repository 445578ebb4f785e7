"""Inputs for completion from simulated worlds, with their exact depth: beams of a sweep, one sweep, accumulated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.pipeline import accumulate_scene
from densegt.accumulation.scene_input import read_scene
from densegt.completion.images import given_of_depth
from densegt.completion.method import SparseDepth
from densegt.completion.sparsify import scanned
from densegt.datasets import open_recording
from densegt.datasets.scene import Camera, Points, Scene, Sweep
from densegt.depth.camera_image import read_image
from densegt.depth.depth_map import DepthMap
from densegt.depth.store import SceneReader, scene_files

ACCUMULATED = AccumulateConfig()
ONE_SWEEP = AccumulateConfig(window_s=0, surface=False)


@dataclass(frozen=True)
class Sample:
    """One image, what is known of its depth, and the truth.

    Attributes:
        truth_m: (H,W) m, 0 = no surface.
        kind: (H,W), codes of `Kind`.
    """

    given: SparseDepth
    truth_m: NDArray[np.float32]
    kind: NDArray[np.uint8]


def beams(count: int, scene: Scene) -> Scene:
    """The scene with only `count` of the lidar's beams, spread evenly."""

    def read(sweep: Sweep) -> Points:
        points = scene.read_points(sweep)
        rings = np.unique(points.ring)
        kept = rings[np.unique(np.linspace(0, len(rings) - 1, count + 2)[1:-1].round().astype(int))]
        return points.take(np.flatnonzero(np.isin(points.ring, kept)))

    return replace(scene, read_points=read)


INPUTS: Mapping[str, tuple[Callable[[Scene], Scene], AccumulateConfig]] = {
    "1 beam": (partial(beams, 1), ONE_SWEEP),
    "4 beams": (partial(beams, 4), ONE_SWEEP),
    "16 beams": (partial(beams, 16), ONE_SWEEP),
    "one sweep": (lambda scene: scene, ONE_SWEEP),
    "accumulated": (lambda scene: scene, ACCUMULATED),
}
# More beams than the simulated lidar has, so they are drawn over the exact depth, with a lidar's noise.
MANY_BEAMS, NOISE_M = 64, 0.02
NAMES = (*list(INPUTS)[:3], f"{MANY_BEAMS} beams", *list(INPUTS)[3:])


def samples(world: Path, name: str, every: int = 1) -> Iterator[Sample]:
    """Every n-th keyframe image of a world, with an input of that name."""
    if name not in INPUTS:
        yield from many_beams(world, every)
        return
    dataset = open_recording(world)
    for file in scene_files(world / "exact"):
        exact = SceneReader(file)
        thin, config = INPUTS[name]
        scene = read_scene(dataset, file.stem, AccumulateConfig())
        scene = thin(replace(scene, cameras=scene.cameras[::every]))
        for camera, depth in accumulate_scene(scene, config):
            yield sample_of(camera, depth, exact)


def many_beams(world: Path, every: int) -> Iterator[Sample]:
    """The same images, their depth what MANY_BEAMS beams hit of the exact one."""
    dataset = open_recording(world)
    for file in scene_files(world / "exact"):
        exact, rng = SceneReader(file), np.random.default_rng(0)
        for camera in dataset.scene(file.stem).cameras[::every]:
            truth = exact.read(camera.sample_token, camera.channel)
            noise_m = rng.normal(0, NOISE_M, truth.depth_m.shape).astype(np.float32)
            depth_m = np.where(truth.depth_m > 0, truth.depth_m + noise_m, np.float32(0))
            image = read_image(camera.image_path, camera.distortion)
            whole = SparseDepth(image, depth_m, (depth_m > 0).astype(np.uint8), camera.K)
            yield Sample(scanned(whole, MANY_BEAMS, rng), truth.depth_m, truth.layers["kind"])


def sample_of(camera: Camera, depth: DepthMap, exact: SceneReader) -> Sample:
    """Join an input with its image and truth."""
    truth = exact.read(camera.sample_token, camera.channel)
    return Sample(given_of_depth(camera, depth), truth.depth_m, truth.layers["kind"])
