"""What completion methods are compared on: single sweeps and accumulated depth of a recording, with what is true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.leave_one_out.scene import HeldOutKeyframe, held_out_depth, held_out_keyframes, without
from densegt.accumulation.leave_one_out.sight import Sight, Sights
from densegt.accumulation.pipeline import accumulate_scene
from densegt.completion.images import given_of_depth
from densegt.completion.method import SparseDepth
from densegt.datasets.scene import Camera, Points, Scene, Sweep
from densegt.depth.store import SceneReader
from densegt.errors import InputError

Float32 = NDArray[np.float32]
ONE_SWEEP, ACCUMULATED = "one sweep", "accumulated"
INPUTS = (ONE_SWEEP, ACCUMULATED)
# Of a recording without exact depth every other beam is given, and the rest is asked for.
EVERY_OTHER = 2
MIN_BEAMS = 4


@dataclass(frozen=True)
class CompletionCase:
    """An image, what is known of its depth, and what is true.

    Attributes:
        input: of INPUTS.
        truth_m: (H,W) m, 0 = not known, or nothing there.
        kind: (H,W) codes of `Kind`; None where nobody knows.
        exact: where truth is 0, nothing is there.
    """

    input: str
    given: SparseDepth
    truth_m: Float32
    kind: NDArray[np.uint8] | None
    exact: bool


def held_out_cases(scene: Scene, config: AccumulateConfig, every: int) -> Iterator[CompletionCase]:
    """Cases of a real recording, scored on points of the keyframe's own sweep that the camera surely sees.

    One sweep: every other beam of it is given, the others are true. Accumulated: all other sweeps are given, the whole
    sweep is true.

    Raises:
        InputError: nothing can be held out, or a sweep or an image cannot be read.
    """
    keyframes = held_out_keyframes(scene)[::every]
    if not keyframes:
        raise InputError(f"{scene.name}: no keyframe has both a camera and a lidar sweep; nothing to score")
    sights = Sights.of(scene, config)
    given, asked = _beams(scene, 0), _beams(scene, 1)
    for keyframe in keyframes:
        if len(keyframe.sweeps) == len(scene.sweeps):
            raise InputError(f"{scene.name}: no sweep but the keyframe's own; nothing to accumulate")
        pairs = {
            ONE_SWEEP: (accumulate_scene(_alone(given, keyframe), one_sweep(config)), asked),
            ACCUMULATED: (accumulate_scene(without(scene, keyframe), config), scene),
        }
        for name, (depths, true) in pairs.items():
            truths = held_out_depth(true, keyframe, config)
            for (camera, depth), truth in zip(depths, truths, strict=True):
                sure = sights.of_points(truth.depth_m, camera, keyframe.sweeps) == Sight.SURE
                truth_m = np.where(sure, truth.depth_m, np.float32(0))
                yield CompletionCase(name, given_of_depth(camera, depth), truth_m, None, exact=False)


def exact_cases(scene: Scene, config: AccumulateConfig, every: int, truth: Path) -> Iterator[CompletionCase]:
    """Cases of a recording whose exact depth is known, from a scene's file of a store.

    Raises:
        InputError: the store lacks an image, or a sweep or an image cannot be read.
    """
    exact, tokens = SceneReader(truth), dict.fromkeys(camera.sample_token for camera in scene.cameras)
    chosen = set(list(tokens)[::every])
    some = replace(scene, cameras=tuple(camera for camera in scene.cameras if camera.sample_token in chosen))
    own = replace(some, sweeps=tuple(sweep for sweep in scene.sweeps if sweep.is_keyframe))
    for name, scene_given, how in ((ONE_SWEEP, own, one_sweep(config)), (ACCUMULATED, some, config)):
        for camera, depth in accumulate_scene(scene_given, how):
            yield _exact_case(name, camera, given_of_depth(camera, depth), exact)


def one_sweep(config: AccumulateConfig) -> AccumulateConfig:
    """As `accumulate --window 0 --no-surface`."""
    return config.model_copy(update={"window_s": 0.0, "surface": False})


def _exact_case(name: str, camera: Camera, given: SparseDepth, exact: SceneReader) -> CompletionCase:
    if (camera.sample_token, camera.channel) not in exact:
        raise InputError(f"{exact.path}: no image {camera.sample_token}/{camera.channel}; was it made from --dataroot?")
    truth = exact.read(camera.sample_token, camera.channel)
    if truth.depth_m.shape != given.depth_m.shape:
        raise InputError(f"{exact.path}: depth is {truth.depth_m.shape}, the image {given.depth_m.shape}")
    return CompletionCase(name, given, truth.depth_m, truth.layers.get("kind"), exact=True)


def _alone(scene: Scene, keyframe: HeldOutKeyframe) -> Scene:
    """The scene of that keyframe's sweeps and cameras alone."""
    return replace(scene, sweeps=tuple(scene.sweeps[i] for i in keyframe.sweeps), cameras=keyframe.cameras)


def _beams(scene: Scene, first: int) -> Scene:
    """The scene with every other beam of each sweep, from the first or second on, in the order of rings."""

    def read(sweep: Sweep) -> Points:
        points = scene.read_points(sweep)
        rings = np.unique(points.ring)
        if len(rings) < MIN_BEAMS:
            raise InputError(f"{sweep.path}: {len(rings)} rings in it; to hold out every other beam takes {MIN_BEAMS}")
        return points.take(np.flatnonzero(np.isin(points.ring, rings[first::EVERY_OTHER])))

    return replace(scene, read_points=read)
