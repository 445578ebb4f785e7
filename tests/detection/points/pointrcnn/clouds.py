"""Small clouds with boxes in them, and a PointRCNN small enough to train in a test."""

from __future__ import annotations

import math

import numpy as np
import torch

from densegt.detection.bev.grid import BevGrid
from densegt.detection.points.pointrcnn import PointRcnn, PointRcnnConfig
from densegt.detection.points.pointrcnn.config import LevelConfig
from densegt.detection.points.pseudo_lidar.detector import Boxes
from densegt.detection.points.pseudo_lidar.points import PointBatch

GRID = BevGrid(-16, 16, -16, 16, 1, -2, 4)


def config(**changes):
    small = {
        "points": 512, "bin_m": 1.0, "proposals": 24, "likely": 128, "regions": 16, "region_points": 32,
        "levels": (
            LevelConfig(centres=128, radius_m=1.0, neighbours=12, widths=(16, 32)),
            LevelConfig(centres=32, radius_m=3.0, neighbours=12, widths=(32, 64)),
        ),
        "widths": (64, 32), "region_widths": (24, 24), "region_features": 48,
        "region_levels": (LevelConfig(centres=12, radius_m=1.0, neighbours=8, widths=(32, 32)),),
    }  # fmt: skip
    return PointRcnnConfig(**{**small, **changes})


def net(seed=0, **changes):
    torch.manual_seed(seed)
    return PointRcnn(config(**changes), GRID)


def points(*clouds):
    """A `PointBatch` of clouds (N,3)."""
    xyz = torch.cat([torch.as_tensor(cloud, dtype=torch.float32).reshape(-1, 3) for cloud in clouds])
    sample = torch.cat([torch.full((len(cloud),), b) for b, cloud in enumerate(clouds)])
    return PointBatch(xyz, sample, torch.full_like(sample, -1), len(clouds))


def boxes(*each, labels=None):
    """`Boxes` of lists of (9,) boxes, cars if not told otherwise."""
    most = max(1, *map(len, each))
    out, label = torch.full((len(each), most, 9), math.nan), torch.full((len(each), most), -1)
    for b, mine in enumerate(each):
        for m, box in enumerate(mine):
            out[b, m], label[b, m] = torch.as_tensor(box), 0 if labels is None else labels[b][m]
    return Boxes(out, label, torch.full_like(label, -1))


def car(x_m, y_m, yaw_rad, z_m=0.8):
    return [x_m, y_m, z_m, 4.4, 1.9, 1.6, yaw_rad, 0.0, 0.0]


def on_surface(box, count, rng):
    """Points (count,3) on a box's sides and top."""
    x, y, z, length, width, height, yaw, *_ = box
    unit = rng.uniform(-0.5, 0.5, (count, 3))
    axis = rng.integers(0, 3, count)
    unit[np.arange(count), axis] = np.where(axis == 2, 0.49, 0.49 * rng.choice([-1, 1], count))
    local = unit * [length, width, height]
    c, s = math.cos(yaw), math.sin(yaw)
    return np.column_stack(
        [c * local[:, 0] - s * local[:, 1] + x, s * local[:, 0] + c * local[:, 1] + y, local[:, 2] + z]
    )


def street(rng, cars=3, ground=300, on_each=60):
    """A cloud (N,3) of flat ground and cars that do not touch, and the cars."""
    places = rng.permutation(9)[:cars]
    found = [
        car(-10 + 10 * (p // 3) + rng.uniform(-1, 1), -10 + 10 * (p % 3) + rng.uniform(-1, 1), rng.uniform(-3, 3))
        for p in places.tolist()
    ]
    flat = np.column_stack([rng.uniform(-15, 15, (ground, 2)), rng.normal(0, 0.02, ground)])
    return np.concatenate([flat, *(on_surface(box, on_each, rng) for box in found)]).astype(np.float32), found
