"""Examples with targets, and what is changed of them while learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch.utils.data import Dataset

from densegt.motion_net.batches import MotionBatch, Targets, make_batch, make_targets
from densegt.motion_net.config import NetConfig
from densegt.motion_net.examples import Example, ScanPoints, cropped, make_example, repeated, turned
from densegt.motion_net.labels.point_labels import moving_by_speed
from densegt.motion_net.scene_data import SceneData

# How often a scan is repeated in place of the others, so that nothing moves.
REPEATED = 0.06
# How often a lidar of half or a quarter of the beams is shown, and one that turns half as often.
FEW_BEAMS, SLOW = 0.2, 0.2
# How often time is shown slowed down, by as much as the groups of sweeps asked by free space lie apart.
SLOWED, SLOWER = 0.3, 4.0
# How often a part of a scan is about an object, else about any of its points.
ABOUT_OBJECT = 0.7
# Standard deviation of the others' poses, m.
POSE_M = 0.02

Sample = tuple[Example, tuple[np.ndarray, ...]]  # type: ignore[type-arg]


@dataclass(frozen=True)
class ScanKey:
    """A scan of a scene."""

    scene: int
    scan: int


class LearnedScans(Dataset[Sample]):
    """Scans to learn from; each epoch others, turned, mirrored, and thinned.

    Args:
        every: so many scans apart are those of one epoch.
        points: as many of a scan's are asked about.
        crop_m: a square of which so much lies to each side is shown, not all that the network reaches; None for all.
    """

    def __init__(
        self, scenes: Sequence[SceneData], net: NetConfig, *, every: int, points: int, seed: int,
        crop_m: float | None = None,
    ) -> None:  # fmt: skip
        self._scenes, self._net, self._every, self._seed = scenes, net, every, seed
        self._points, self._crop_m = points, crop_m
        self._keys = [ScanKey(s, k) for s, data in enumerate(scenes) for k in range(0, len(data.scans), every)]

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: int) -> Sample:
        """By a number that goes on over the epochs."""
        rng = np.random.default_rng([self._seed, index])
        epoch, place = divmod(index, len(self._keys))
        key = self._keys[place]
        data = self._scenes[key.scene]
        scan = min(key.scan + epoch % self._every, len(data.scans) - 1)
        net, slower = self._net, rng.random() < SLOWED
        if slower:
            net = net.model_copy(update={"farthest_s": net.farthest_s / SLOWER})
        elif rng.random() < SLOW and net.scans > 1:
            net = net.model_copy(update={"farthest_s": net.farthest_s * float(rng.uniform(0.5, 1.5))})
        example = make_example(data.scans, scan, net, data.free_space)
        targets = data.targets(example)
        if slower:
            example, targets = slowed(example, targets)
        sample = augmented(example, targets, rng)
        if self._crop_m is not None:
            sample = some_place(*sample, self._crop_m, rng)
        return some_asked(*sample, self._points, rng)


class HeldOutScans(Dataset[Sample]):
    """Scans as they are."""

    def __init__(self, scenes: Sequence[SceneData], keys: Sequence[ScanKey], net: NetConfig) -> None:
        self._scenes, self._keys, self._net = scenes, keys, net

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: int) -> Sample:
        data = self._scenes[self._keys[index].scene]
        example = make_example(data.scans, self._keys[index].scan, self._net, data.free_space)
        return example, data.targets(example)


def augmented(example: Example, targets: tuple[np.ndarray, ...], rng: np.random.Generator) -> Sample:  # type: ignore[type-arg]
    """The example changed at random; offsets turn with it."""
    moving, kind, thing, speed, offset = targets
    if rng.random() < FEW_BEAMS:
        step = int(rng.choice([2, 4]))
        kept = example.base.ring % step == 0
        example = replace(
            example, base=example.base.take(kept), rows=example.rows[kept], free_space=example.free_space[kept],
            others=tuple(points.take(points.ring % step == 0) for points in example.others),
        )  # fmt: skip
        moving, kind, thing, speed, offset = (part[kept] for part in (moving, kind, thing, speed, offset))
    if rng.random() < REPEATED:
        example, moving = repeated(example), np.where(moving < 0, moving, 0)
        speed = np.zeros_like(speed)
    before = example.R_base_global
    example = turned(example, float(rng.uniform(-np.pi, np.pi)), mirrored=bool(rng.random() < 0.5))
    offset = offset @ (example.R_base_global @ before.T).T.astype(np.float32)
    return replace(example, others=tuple(shifted(p, rng) for p in example.others)), (moving, kind, thing, speed, offset)


def slowed(example: Example, targets: tuple[np.ndarray, ...]) -> Sample:  # type: ignore[type-arg]
    """The example as if time had passed SLOWER times as slowly: columns of cars become jams, which are rare.

    Args:
        example: its others lie so many times nearer in time than they will be said to.
    """
    moving, kind, thing, speed, offset = targets
    speed = speed / SLOWER
    asked = (moving >= 0) & np.isfinite(speed)
    moving = np.where(asked, moving_by_speed(speed), moving)
    # What was told of sweeps near in time is of sweeps farther now; of the nearest nothing has been passed yet.
    shares = np.roll(example.free_space, 2, axis=1)
    shares[:, 0], shares[:, 1] = 0, example.free_space[:, 1]
    others = tuple(replace(points, gap_s=points.gap_s * SLOWER) for points in example.others)
    return replace(example, others=others, free_space=shares), (moving, kind, thing, speed, offset)


def some_asked(example: Example, targets: tuple[np.ndarray, ...], count: int, rng: np.random.Generator) -> Sample:  # type: ignore[type-arg]
    """The example, asked about some of its points."""
    if len(example.rows) <= count:
        return example, targets
    asked = np.sort(rng.choice(len(example.rows), count, replace=False))
    return replace(example, asked=asked), tuple(part[asked] for part in targets)


def some_place(example: Example, targets: tuple[np.ndarray, ...], reach_m: float, rng: np.random.Generator) -> Sample:  # type: ignore[type-arg]
    """A part of the example about one of its points, most often of an object, be it one that moves or not."""
    on_objects = np.unique(targets[2][targets[2] > 0])
    rows = np.arange(len(example.rows))
    if len(on_objects) and rng.random() < ABOUT_OBJECT:
        rows = np.flatnonzero(targets[2] == rng.choice(on_objects))
    if not len(rows):
        return example, targets
    middle = example.base.xyh[rng.choice(rows), :2] + rng.uniform(-reach_m / 2, reach_m / 2, 2)
    part, kept = cropped(example, middle, reach_m)
    return part, tuple(column[kept] for column in targets)


def shifted(points: ScanPoints, rng: np.random.Generator) -> ScanPoints:
    """A scan whose pose is a little off."""
    away = np.append(rng.normal(0, POSE_M, 2), 0.0).astype(np.float32)
    return replace(points, xyh=points.xyh + away)


class Collate:
    """Samples to a batch; can be sent to other processes."""

    def __init__(self, net: NetConfig) -> None:
        self._net = net

    def __call__(self, samples: Sequence[Sample]) -> tuple[MotionBatch, Targets]:
        """One batch."""
        return make_batch([sample[0] for sample in samples], self._net), make_targets([s[1] for s in samples])
