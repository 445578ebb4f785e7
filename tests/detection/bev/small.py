"""A network small enough to train in a test, and a batch for it."""

from __future__ import annotations

import torch

from densegt.detection.bev.model_config import BinsConfig, GridConfig, ModelConfig
from densegt.detection.bev.train_config import LssConfig
from densegt.detection.data.depth_dataset import DatasetOptions, DepthDataset, InputOptions, LabelOptions

SIZE = (48, 80)


def model(**changes):
    small = {
        "size": SIZE, "stride": 8, "backbone_widths": (8, 12, 16, 24), "features": 24, "context": 16,
        "depth_width": 16, "bins": BinsConfig(min_m=2, max_m=58, count=16), "samples": 8,
        "grid": GridConfig(half_m=24, cell_m=1.5, z_min_m=-3, z_max_m=5), "bev_widths": (16, 24), "bev_blocks": 1,
        "bev_channels": 16,
    }  # fmt: skip
    return ModelConfig(**{**small, **changes})


def config(supervision="dense", *, weights=None, **changes):
    return LssConfig(
        model=model(**changes), supervision=supervision, min_radius=1, loader_processes=0, threads=1,
        **({} if weights is None else {"weights": weights}),
    )  # fmt: skip


def batch(dataroot, *, frames=1, count=2, sweep_depth=False, size=SIZE):
    inputs = InputOptions(previous=frames == 2, sweep_depth=sweep_depth)
    options = DatasetOptions(size=size, inputs=inputs, labels=LabelOptions(max_boxes=64))
    data = DepthDataset(dataroot, dataroot / "exact", options)
    return torch.utils.data.default_collate([data[i] for i in range(count)])
