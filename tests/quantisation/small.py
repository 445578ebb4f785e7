"""Small networks, their graphs and inputs as sparse as a bird's-eye view."""

from __future__ import annotations

import json

import numpy as np
import torch

from densegt.detection.bev.grid import BevGrid
from densegt.detection.points.pixor.config import PixorConfig
from densegt.detection.points.pixor.network import Pixor
from densegt.detection.points.pseudo_lidar.task import PlTask
from densegt.quantisation.arithmetic import LEVELS
from densegt.quantisation.config import QuantiseConfig
from densegt.quantisation.dense_part import OUTPUTS, DensePart, PixorGraph
from densegt.quantisation.export import float_model
from densegt.quantisation.graph import read_graph
from densegt.quantisation.plan import make_plan
from densegt.quantisation.quantise import quantisation_of

from ..detection.points.pseudo_lidar.small import config

SIDE = 32


def frames(count=3, seed=0, share=0.1):
    """Voxels of which few columns have anything."""
    generator = torch.Generator().manual_seed(seed)
    shape = (1, 6, SIDE, SIDE)
    return [
        {
            "occupancy": (torch.rand(shape, generator=generator) < 0.5).float()
            * (torch.rand(1, 1, *shape[2:], generator=generator) < share)
        }
        for _ in range(count)
    ]


def pixor_part(seed=0):
    """A PIXOR whose batch norm has seen something, as a graph."""
    torch.manual_seed(seed)
    grid = BevGrid(-4, 4, -4, 4, 0.5, -1, 3)
    net = Pixor(PixorConfig(cell_m=0.25, layers=6, stem=8, widths=(8, 12), blocks=1, channels=8), grid)
    settle(net, [frame["occupancy"] for frame in frames(4, seed=9)])
    net.eval()
    return DensePart(PixorGraph(net), lambda batch: [], OUTPUTS, {})


def settle(net, given):
    """Have batch norm know its inputs, as after a training."""
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        net.train()
        for occupancy in given:
            net.answer(occupancy)


def exported(part=None):
    part = part or pixor_part()
    model = float_model(part, frames(1)[0])
    return part, model, read_graph(model)


def quantised(graph, target="cpu", method="max-min", given=None, kept=()):
    settings = QuantiseConfig(target=target, method=method, grid_frames=2, factors=10, steps=6)
    return quantisation_of(graph, given or frames(), settings, kept)


def levels_and_plan(graph, target="cpu"):
    return LEVELS[target], make_plan(graph)


def checkpoint(folder, detector="pixor", held_out=(), **changes):
    """What a training leaves, with first weights: batch norm has seen a world's points."""
    torch.manual_seed(0)
    settings = config({"input": "lidar", "detector": detector, **changes}, supervision="none")
    task = PlTask(settings.model_dump())
    if detector != "pointrcnn":
        # Few cells are likely, or thousands of boxes would be compared with one another.
        last = task.net.detector.header.heat[-1]
        last.bias.data.fill_(-6.0 if detector == "pixor" else -3.0)
        last.weight.data *= 3
    if detector == "pixor":
        settle(task.net.detector, list(world_like(task)))
    path = folder / "checkpoints" / "best.ckpt"
    path.parent.mkdir(parents=True)
    torch.save({"hyper_parameters": {"config": settings.model_dump()}, "state_dict": task.state_dict()}, path)
    about = {"data": [{"dataroot": root.name, "held_out": list(scenes)} for root, scenes in dict(held_out).items()]}
    (folder / "about.json").write_text(json.dumps(about))
    return path


def world_like(task, count=4):
    generator = np.random.default_rng(0)
    shape = task.net.detector.voxels.shape
    for _ in range(count):
        columns = generator.random((1, 1, *shape[1:])) < 0.1
        yield torch.from_numpy(((generator.random((1, *shape)) < 0.4) & columns).astype(np.float32))
