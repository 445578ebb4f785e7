"""CenterPoint on sparse voxels at eight bits, simulated: its sparse layers, then the dense ones behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from densegt.detection.bev.heads import Centres
from densegt.detection.data.batch import Batch
from densegt.detection.points.centerpoint_voxel.network import CenterPointVoxel
from densegt.detection.points.pseudo_lidar.task import PlTask
from densegt.detection.prediction import detections_of
from densegt.detection.scoring.nuscenes_results import Detections
from densegt.detection.task import DetectionTask
from densegt.errors import InputError
from densegt.quantisation.arithmetic import LEVELS
from densegt.quantisation.config import QuantiseConfig
from densegt.quantisation.dense_part import OUTPUTS, DensePart
from densegt.quantisation.export import float_model
from densegt.quantisation.graph import Graph, read_graph
from densegt.quantisation.quantise import quantisation_of
from densegt.quantisation.ranges import Inputs
from densegt.quantisation.simulated import SimulatedGraph
from densegt.quantisation.sparse_simulated import (
    SimulatedSparse,
    SparseFrame,
    sparse_frame,
    sparse_layers,
    sparse_quantisation,
)

SIMULATED = ("float", "max-min", "percentile", "grid")


class MapGraph(nn.Module):
    """The dense convolutions, from the sparse ones' map (1,C*Z,Y,X) to the answer."""

    def __init__(self, net: CenterPointVoxel) -> None:
        super().__init__()
        self.flat, self.fine, self.coarse = net.flat, net.fine, net.coarse
        self.merge, self.header = net.merge, net.header

    def forward(self, map_: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        fine = self.fine(self.flat(map_))
        return tuple(self.header(self.merge(fine, self.coarse(fine))))


@dataclass(frozen=True)
class SimulatedVoxels:
    """Both halves."""

    net: CenterPointVoxel
    sparse: SimulatedSparse
    dense: SimulatedGraph

    def answer(self, frame: SparseFrame) -> Centres:
        """What is said of every cell."""
        with torch.no_grad():
            said = self.dense.run({"map": self.sparse.map(frame)})
        return Centres(*(said[name] for name in OUTPUTS))

    def found(self, frame: SparseFrame, batch: Batch) -> Detections:
        """Boxes of a batch of one sample."""
        return detections_of(self.net.found(self.answer(frame)), batch)


@dataclass(frozen=True)
class PreparedVoxels:
    """A detector with what it is calibrated on: voxels, and the maps that the float layers make of them."""

    net: CenterPointVoxel
    graph: Graph
    frames: tuple[SparseFrame, ...]
    maps: tuple[Inputs, ...]

    def simulated(self, config: QuantiseConfig) -> SimulatedVoxels:
        """By one of `SIMULATED`."""
        layers = sparse_layers(self.net)
        if config.method == "float":
            return SimulatedVoxels(self.net, SimulatedSparse(layers), SimulatedGraph(self.graph))
        with torch.no_grad():
            made = sparse_quantisation(layers, self.frames, config, LEVELS[config.target])
        dense = quantisation_of(self.graph, self.maps, config)
        return SimulatedVoxels(self.net, SimulatedSparse(layers, made), SimulatedGraph(self.graph, dense))


def prepare_voxels(task: DetectionTask, checkpoint: Path, batches: Sequence[Batch]) -> PreparedVoxels:
    """A trained detector and the batches, of one sample each, to calibrate it with.

    Raises:
        InputError: it is another detector.
    """
    net = task.net.detector if isinstance(task, PlTask) else None
    if not isinstance(net, CenterPointVoxel):
        raise InputError(f"{checkpoint}: {task.settings.detector} is not on sparse voxels; densegt quantise is for it")
    frames = tuple(frame_of(task, batch) for batch in batches)
    floats = SimulatedSparse(sparse_layers(net))
    with torch.no_grad():
        maps = tuple({"map": floats.map(frame)} for frame in frames)
    model = float_model(DensePart(MapGraph(net), lambda batch: [], OUTPUTS, {}), maps[0])
    return PreparedVoxels(net, read_graph(model), frames, maps)


def frame_of(task: DetectionTask, batch: Batch) -> SparseFrame:
    """The voxels of a batch of one sample."""
    assert isinstance(task, PlTask)
    net = task.net.detector
    assert isinstance(net, CenterPointVoxel)
    with torch.no_grad():
        return sparse_frame(net, net.voxelised(task.net.points(batch, batch["depth_m"])))
