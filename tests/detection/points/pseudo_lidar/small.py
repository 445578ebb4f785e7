"""A network small enough to train in a test, and a batch for it."""

from __future__ import annotations

import torch

from densegt.detection.data.depth_dataset import DatasetOptions, DepthDataset, InputOptions, LabelOptions
from densegt.detection.points.pseudo_lidar.config import PlConfig

SIZE = (48, 80)
MODEL = {
    "size": SIZE,
    "depth": {
        "stride": 4, "backbone_widths": [8, 12, 16], "features": 16, "points_stride": 2,
        "bins": {"kind": "LID", "min_m": 1, "max_m": 60, "count": 24},
    },
    "grid": {"half_m": 24, "cell_m": 1, "z_min_m": -1, "z_max_m": 3},
    "pixor": {"cell_m": 0.5, "layers": 8, "stem": 8, "widths": [16, 24], "blocks": 1, "channels": 16},
}  # fmt: skip
POINTRCNN = {
    "points": 256, "widths": [24, 16], "bin_m": 0.75, "proposals": 12, "likely": 64, "regions": 8, "region_points": 16,
    "levels": [{"centres": 64, "radius_m": 2, "widths": [16]}, {"centres": 16, "radius_m": 5, "widths": [24]}],
    "region_widths": [16], "region_levels": [{"centres": 8, "radius_m": 1, "widths": [16]}], "region_features": 16,
}  # fmt: skip
TINY = {"batch": 2, "epochs": 2, "loader_processes": 0, "threads": 1, "keep_images": 50, "model": MODEL}


def config(model=None, **changes):
    """`model` gives values of the model's first level."""
    return PlConfig.model_validate({**TINY, "supervision": "dense", **changes, "model": {**MODEL, **(model or {})}})


def batch(dataroot, *, count=2, lidar=False, **options):
    given = {"size": SIZE, "labels": LabelOptions(max_boxes=64), "inputs": InputOptions(sweep_points=lidar), **options}
    data = DepthDataset(dataroot, dataroot / "exact", DatasetOptions(**given))
    return torch.utils.data.default_collate([data[i] for i in range(count)])
