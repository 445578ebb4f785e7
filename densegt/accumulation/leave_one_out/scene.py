"""Depth scored on a real scene: rebuilt without a keyframe's own sweeps, and compared with them.

The prediction comes from the very code of `accumulate`, given a scene without those sweeps: their points fill no pixel,
hide nothing, violate no free space and refine no pose. (What stays is the scene's lidar model and the annotated boxes.)
The truth is those sweeps alone, seen by the camera with their own surfels as occluders. Two limits follow. Only what
the lidar measured is scored: windows, sky and what lies above its beams are not. And one sweep leaves gaps through
which a hidden point may pass for a visible one. So each point is sure, ambiguous or hidden (see `sight`), and the
figures that count are those of sure points. A beam that went through a window is sure too: the camera looks through
the same pane.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.leave_one_out.sight import Sight, Sights
from densegt.accumulation.moments import Moments
from densegt.accumulation.pipeline import accumulate_scene, build_cloud
from densegt.accumulation.render.renderer import render
from densegt.accumulation.sweep_returns import not_own
from densegt.accumulation.z_buffer_baseline import global_returns, z_buffer_baseline
from densegt.datasets.scene import Camera, Points, Scene, Sweep
from densegt.depth.depth_map import DepthMap, Source
from densegt.depth.kind import Kind
from densegt.depth.metrics import DepthMetrics
from densegt.errors import InputError

Progress = Callable[[int, int], None]


# One sweep's rings lie up to 1.33 degrees apart. Its surfels must reach across to hide what lies behind; those of many
# sweeps need not.
ONE_SWEEP = {"max_half_m": 2.0}

# The codes under which `DepthMetrics` keeps the points of moving boxes and all others apart.
MOVERS, REST = Kind.LABELLED_MOVER, Kind.STANDING

NOTHING = Points(np.zeros((0, 3), np.float32), np.zeros(0, np.float32), np.zeros(0, np.uint16))


@dataclass(frozen=True)
class HeldOutKeyframe:
    """A keyframe's cameras, and all sweeps of its moment as indices into the scene's."""

    sweeps: list[int]
    cameras: tuple[Camera, ...]


class MethodMetrics:
    """Two methods on the same held-out points: densegt, and the z-buffer baseline over the same sweeps."""

    def __init__(self, *, max_depth_m: float) -> None:
        self.densegt = DepthMetrics(max_depth_m=max_depth_m)
        self.z_buffer_baseline = DepthMetrics(max_depth_m=max_depth_m)

    def update(self, depth: DepthMap, baseline_m: NDArray[np.float32], truth: DepthMap, *, annotated: bool) -> None:
        """Add one image; where there are annotations, points in moving boxes are counted apart from the rest."""
        mover = truth.source == Source.MOVER
        kind = np.where(mover, MOVERS, REST).astype(np.uint8) if annotated else None
        self.densegt.update(depth.depth_m, truth.depth_m, source=depth.source, kind=kind)
        self.z_buffer_baseline.update(baseline_m, truth.depth_m, kind=kind)

    def merge(self, other: MethodMetrics) -> None:
        """Add all that `other` has counted."""
        self.densegt.merge(other.densegt)
        self.z_buffer_baseline.merge(other.z_buffer_baseline)


class LeaveOneOutMetrics:
    """Both methods on all held-out points, and on those of each `Sight`."""

    def __init__(self, *, max_depth_m: float) -> None:
        self.all = MethodMetrics(max_depth_m=max_depth_m)
        self.by_sight = {sight: MethodMetrics(max_depth_m=max_depth_m) for sight in Sight}

    def update(
        self,
        depth: DepthMap,
        baseline_m: NDArray[np.float32],
        truth: DepthMap,
        sight: NDArray[np.uint8],
        *,
        annotated: bool,
    ) -> None:
        """Add one image; `sight` (H,W) of its points."""
        self.all.update(depth, baseline_m, truth, annotated=annotated)
        for code, metrics in self.by_sight.items():
            chosen = replace(truth, depth_m=np.where(sight == code, truth.depth_m, np.float32(0)))
            metrics.update(depth, baseline_m, chosen, annotated=annotated)

    def merge(self, other: LeaveOneOutMetrics) -> None:
        """Add all that `other` has counted."""
        self.all.merge(other.all)
        for sight, metrics in self.by_sight.items():
            metrics.merge(other.by_sight[sight])


def score_scene(
    scene: Scene,
    config: AccumulateConfig,
    *,
    every: int = 1,
    max_depth_m: float = 60.0,
    progress: Progress = lambda done, total: None,
) -> LeaveOneOutMetrics:
    """Metrics of every keyframe camera of a scene against the sweeps left out.

    Each sweep is read once; the cloud is built anew for each keyframe, so this takes about as many times as long as
    `accumulate` as there are keyframes.

    Args:
        every: score the first keyframe and every n-th after it.
        max_depth_m: points from here on are not counted.
        progress: called with (steps done, steps in all).

    Raises:
        InputError: a sweep cannot be read, or without its own sweeps a keyframe cannot be rebuilt.
    """
    if config.window_s == 0:
        raise InputError(f"{scene.name}: a window of 0 is the keyframe's own sweep alone; nothing to rebuild from")
    keyframes = held_out_keyframes(scene)[::every]
    if not keyframes:
        raise InputError(f"{scene.name}: no keyframe has both a camera and a lidar sweep; nothing to score")
    for keyframe in keyframes:
        if len(keyframe.sweeps) == len(scene.sweeps):
            raise InputError(f"{scene.name}: no sweep but the keyframe's own; nothing to rebuild from")
    total = sum(len(scene.sweeps) - len(k.sweeps) + len(k.cameras) for k in keyframes)
    steps = iter(range(1, total + 1))
    scene = in_memory(scene)
    returns, sights = global_returns(scene, config), Sights.of(scene, config)
    metrics = LeaveOneOutMetrics(max_depth_m=max_depth_m)
    for keyframe in keyframes:
        predictions = accumulate_scene(
            without(scene, keyframe), config, progress=lambda: progress(next(steps, total), total)
        )
        for (camera, depth), truth in zip(predictions, held_out_depth(scene, keyframe, config), strict=True):
            allowed = others_in_window(scene, keyframe, camera, config.window_s)
            baseline_m = z_buffer_baseline(returns, camera, allowed, max_depth_m=config.max_depth_m)
            sight = sights.of_points(truth.depth_m, camera, keyframe.sweeps)
            metrics.update(depth, baseline_m, truth, sight, annotated=bool(scene.tracks))
    return metrics


def in_memory(scene: Scene) -> Scene:
    """The same scene, each sweep read from its file once and then kept."""
    kept: dict[str, Points] = {}

    def read(sweep: Sweep) -> Points:
        if sweep.token not in kept:
            kept[sweep.token] = scene.read_points(sweep)
        return kept[sweep.token]

    return replace(scene, read_points=read)


def held_out_keyframes(scene: Scene) -> list[HeldOutKeyframe]:
    """Keyframes with both a sweep of their own and a camera, in order of time."""
    moments = Moments.of(scene)
    tokens = dict.fromkeys(camera.sample_token for camera in scene.cameras)
    own: dict[str, list[int]] = {token: [] for token in tokens}
    for index, sweep in enumerate(scene.sweeps):
        if sweep.is_keyframe and sweep.sample_token in own:
            own[sweep.sample_token].append(index)
    return [
        HeldOutKeyframe(
            moments.with_other_lidars(np.array(sweeps)).tolist(),
            tuple(c for c in scene.cameras if c.sample_token == token),
        )
        for token, sweeps in own.items()
        if sweeps
    ]


def without(scene: Scene, keyframe: HeldOutKeyframe) -> Scene:
    """The scene without the keyframe's sweeps, and with its cameras alone."""
    others = tuple(sweep for index, sweep in enumerate(scene.sweeps) if index not in keyframe.sweeps)
    return replace(scene, sweeps=others, cameras=keyframe.cameras)


def others_in_window(
    scene: Scene, keyframe: HeldOutKeyframe, camera: Camera, window_s: float | None
) -> NDArray[np.bool_]:
    """Which sweeps (S,) a prediction without the keyframe's own is made from."""
    away_s = np.array([abs(sweep.timestamp_us - camera.timestamp_us) * 1e-6 for sweep in scene.sweeps])
    allowed = np.ones(len(away_s), dtype=np.bool_) if window_s is None else away_s <= window_s + 1e-3
    allowed[keyframe.sweeps] = False
    return allowed


def held_out_depth(scene: Scene, keyframe: HeldOutKeyframe, config: AccumulateConfig) -> Iterator[DepthMap]:
    """Depth of the held-out sweeps in each of a keyframe's cameras: measured pixels alone.

    Points get their own time; those in moving boxes are carried from there to the exposure, whatever `config.motion`
    says; returns of the recording car, mixed pixels and the lowest slice of moving boxes are left out.
    """
    own = [scene.sweeps[index] for index in keyframe.sweeps]
    if not any(not_own(scene.read_points(sweep).xyz_lidar, sweep, config.ego).any() for sweep in own):
        raise InputError(f"{own[0].path}: no return in this sweep but the recording car's own; nothing to score")
    surfels = config.surfels.model_copy(update=ONE_SWEEP)
    # Every point counts: a choice by confidence would leave out what is hard for all methods.
    anyhow = config.confidence.model_copy(update={"least_measured": 0.0})
    alone = config.model_copy(
        update={
            "motion": "boxes",
            "surface": False,
            "window_s": None,
            "refine_poses": False,
            "surfels": surfels,
            "confidence": anyhow,
        }
    )
    tokens = {sweep.token for sweep in own}
    cloud = build_cloud(
        replace(scene, read_points=lambda sweep: scene.read_points(sweep) if sweep.token in tokens else NOTHING), alone
    )
    for camera in keyframe.cameras:
        yield render(cloud, camera, alone)
