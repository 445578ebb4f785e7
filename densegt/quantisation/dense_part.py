"""What of a detector becomes a graph: its convolutions, what they read of a batch, and what an engine must know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from densegt.datasets.detection_classes import CLASSES, MAX_BOXES
from densegt.detection.bev.grid import BevGrid
from densegt.detection.data.batch import Batch
from densegt.detection.points.centerpoint.network import CenterPoint
from densegt.detection.points.centerpoint.pillars import PillarNet
from densegt.detection.points.pixor.network import MAX_CELLS, MIN_SCORE, Pixor
from densegt.detection.points.pseudo_lidar.task import PlTask
from densegt.detection.task import DetectionTask
from densegt.errors import InputError
from densegt.quantisation.config import QuantiseConfig
from densegt.quantisation.learning import TaskLoss
from densegt.quantisation.positives import Said, everywhere_loss, positive_loss
from densegt.quantisation.ranges import Inputs

OUTPUTS = ("heat", "values", "attributes")


@dataclass(frozen=True)
class DensePart:
    """One graph of a detector.

    Attributes:
        module: of tensors by position to a tuple of tensors, one sample.
        inputs: of a batch of one sample, by name; as many as the graph is run of it.
        outputs: names.
        reader: what an engine must know to make inputs of points and boxes of outputs.
    """

    module: nn.Module
    inputs: Callable[[Batch], list[Inputs]]
    outputs: tuple[str, ...]
    reader: dict[str, Any]


def centre_loss(config: QuantiseConfig) -> TaskLoss:
    """What a detector's answer of centres at eight bits costs, beside its float answer."""

    def loss(said: Inputs, wanted: Inputs) -> Tensor:
        ours, theirs = (Said(each["heat"], each["values"]) for each in (said, wanted))
        return config.positives * positive_loss(ours, theirs) + config.everywhere * everywhere_loss(ours, theirs)

    return loss


class PixorGraph(nn.Module):
    """PIXOR from its voxels (1,Z,Y,X) to its answer."""

    def __init__(self, net: Pixor) -> None:
        super().__init__()
        self.net = net

    def forward(self, occupancy: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        return tuple(self.net.answer(occupancy))


def pixor_part(task: DetectionTask, checkpoint: Path) -> DensePart:
    """PIXOR's convolutions.

    Raises:
        InputError: its points are not a lidar's.
    """
    assert isinstance(task, PlTask)
    net = task.net.detector
    assert isinstance(net, Pixor)
    _require_lidar(task, checkpoint)

    def inputs(batch: Batch) -> list[Inputs]:
        with torch.no_grad():
            return [{"occupancy": net.occupancy(task.net.points(batch, batch["depth_m"]))}]

    reader = _common(task, net.grid) | {
        "kind": "voxels",
        "cell_m": net.config.cell_m,
        "layers": net.config.layers,
        "soft_m": 0.0 if net.config.quantisation == "hard" else net.config.sigma_m or net.config.cell_m,
        "min_score": MIN_SCORE,
        "max_cells": MAX_CELLS,
        "min_overlap": net.config.min_overlap,
    }
    return DensePart(PixorGraph(net), inputs, OUTPUTS, reader)


class CenterPointGraph(nn.Module):
    """CenterPoint from its pillars (1,C,Y,X) to its answer."""

    def __init__(self, net: CenterPoint) -> None:
        super().__init__()
        self.net = net

    def forward(self, pillars: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        return tuple(self.net.answer(pillars))


def centerpoint_part(task: DetectionTask, checkpoint: Path) -> DensePart:
    """CenterPoint's convolutions, from its pillars on.

    Raises:
        InputError: its points are not a lidar's.
    """
    assert isinstance(task, PlTask)
    net = task.net.detector
    assert isinstance(net, CenterPoint)
    _require_lidar(task, checkpoint)

    def inputs(batch: Batch) -> list[Inputs]:
        with torch.no_grad():
            return [{"pillars": net.pillars(task.net.points(batch, batch["depth_m"]))}]

    weight, bias = folded_point_net(net.pillars)
    reader = _common(task, net.grid) | {
        "kind": "pillars",
        "pillar_m": net.config.pillar_m,
        "earlier_sweeps": net.config.sweeps,
        "weight": weight.tolist(),
        "bias": bias.tolist(),
        "min_overlap": net.config.min_overlap,
    }
    return DensePart(CenterPointGraph(net), inputs, OUTPUTS, reader)


def folded_point_net(net: PillarNet) -> tuple[Tensor, Tensor]:
    """Weight (features,7) and bias of the network on each point, batch norm in them. It stays in float."""
    norm = net.norm
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (net.linear.weight * scale.unsqueeze(1)).detach(), (norm.bias - norm.running_mean * scale).detach()


def _common(task: PlTask, grid: BevGrid) -> dict[str, Any]:
    """What every reader of points must know."""
    return {
        "grid": asdict(grid),
        "max_boxes": MAX_BOXES,
        "classes": list(CLASSES),
        "min_points": task.settings.min_points,
        "categories": dict(task.settings.categories),
    }


def _require_lidar(task: PlTask, checkpoint: Path) -> None:
    source = task.settings.model.input
    if source != "lidar":
        raise InputError(
            f"{checkpoint}: its points come from {source} depth, and only those of a lidar are read without torch"
        )
