"""Batches: examples of any number of points, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from densegt.motion_net.config import NetConfig
from densegt.motion_net.examples import Example, ScanPoints
from densegt.motion_net.pillars import CHANNELS, cells_of, fill_scan, share_map, slices_of
from densegt.motion_net.scans import FREE_SPACE_COLUMNS

# Place in the cell, height, distance, intensity.
OWN_FEATURES = 5
POINT_FEATURES = OWN_FEATURES + FREE_SPACE_COLUMNS


class MotionBatch(NamedTuple):
    """B examples of K scans each, the one asked about first; all their points (P) one after another.

    Attributes:
        pillars: (B,K,C,H,W); shares: (B,F,H,W) what free space says of the first scan's cells.
        gap_s: (B,K); there: (B,K) 1 where the scan is there.
        example: (P,) int64; cell: (P,2) int64 row and column; slice: (P,) int64; xy_m: (P,2).
        features: (P,F).
    """

    pillars: Tensor
    shares: Tensor
    gap_s: Tensor
    there: Tensor
    example: Tensor
    cell: Tensor
    slice: Tensor
    xy_m: Tensor
    features: Tensor


class Targets(NamedTuple):
    """What the points (P) of a batch are; see `PointLabels`. offset_m: (P,2) to the object's middle, in the frame."""

    moving: Tensor
    kind: Tensor
    thing: Tensor
    speed_mps: Tensor
    offset_m: Tensor


def make_batch(examples: Sequence[Example], net: NetConfig) -> MotionBatch:
    """The batch of some examples; scans that are not there are empty."""
    scans, size = net.scans, net.cells
    maps = np.zeros((len(examples), scans, size, size, CHANNELS), dtype=np.float32)
    gap_s, there = np.zeros((len(examples), scans), np.float32), np.zeros((len(examples), scans), np.float32)
    for b, example in enumerate(examples):
        for k, points in enumerate((example.base, *example.others)[:scans]):
            fill_scan(points, net, maps[b, k])
            gap_s[b, k], there[b, k] = points.gap_s, 1
    shares = [share_map(example.base, example.free_space, net) for example in examples]
    asked = [example.base if example.asked is None else example.base.take(example.asked) for example in examples]
    cells = [cells_of(points.xyh, net) for points in asked]
    return MotionBatch(
        pillars=torch.from_numpy(maps).permute(0, 1, 4, 2, 3),
        shares=torch.from_numpy(np.stack(shares)),
        gap_s=torch.from_numpy(gap_s),
        there=torch.from_numpy(there),
        example=torch.from_numpy(np.repeat(np.arange(len(examples)), [len(cell) for cell in cells])),
        cell=torch.from_numpy(np.concatenate(cells)),
        slice=torch.from_numpy(np.concatenate([slices_of(points.xyh[:, 2]) for points in asked])),
        xy_m=torch.from_numpy(np.concatenate([points.xyh[:, :2] for points in asked])),
        features=torch.from_numpy(
            np.concatenate([_features(*pair, net) for pair in zip(examples, asked, strict=True)])
        ),
    )


def _features(example: Example, asked: ScanPoints, net: NetConfig) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    x, y, height = asked.xyh.T.copy()
    # To nothing in which the frame could be told from a turned one.
    a, b = (np.abs(t - np.floor(t) - np.float32(0.5)) for t in (x / np.float32(net.cell_m), y / np.float32(net.cell_m)))
    range_m = np.hypot(x - np.float32(example.lidar_xy[0]), y - np.float32(example.lidar_xy[1]))
    own = [np.minimum(a, b), np.maximum(a, b), height.clip(-1, 6) / 2, range_m / 30, asked.intensity]
    shares = example.free_space if example.asked is None else example.free_space[example.asked]
    return np.column_stack([*own, shares]).astype(np.float32)


def make_targets(labels: Sequence[tuple[np.ndarray, ...]]) -> Targets:  # type: ignore[type-arg]
    """The targets of a batch from (moving, kind, thing, speed, offset) of each example's points."""
    moving, kind, thing, speed, offset = (np.concatenate(column) for column in zip(*labels, strict=True))
    return Targets(
        torch.from_numpy(moving.astype(np.int64)), torch.from_numpy(kind.astype(np.int64)),
        torch.from_numpy(thing.astype(np.int64)), torch.from_numpy(speed.astype(np.float32)),
        torch.from_numpy(offset.astype(np.float32)),
    )  # fmt: skip
