"""Sparse convolutions computed as at eight bits: weights by output channel, what each layer reads by one scale.

No ONNX file carries them and no engine is at hand, so that this simulation is all that there is: whole numbers times
steps, as an engine would have them, layer after layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from densegt.detection.points.centerpoint_voxel.network import CenterPointVoxel
from densegt.detection.points.centerpoint_voxel.sparse import (
    Pairs,
    SparseBlock,
    SparseMap,
    pairs,
    sparse_convolution,
    strided_sites,
)
from densegt.quantisation.arithmetic import WEIGHT_LIMIT, Levels, Scale, channels_first, scale_of_range, weight_steps
from densegt.quantisation.config import QuantiseConfig
from densegt.quantisation.grid_search import least_of
from densegt.quantisation.ranges import BINS, Range, cut_range
from densegt.quantisation.simulated import rounded


class SparseLayer(NamedTuple):
    """A convolution (out,in,3,3,3) with batch norm in it, a rectifier behind it."""

    name: str
    weight: Tensor
    bias: Tensor


class SparseFrame(NamedTuple):
    """A keyframe's voxels on their way: what each layer reads of which, and where the last one's answers lie."""

    features: Tensor
    routes: tuple[tuple[Pairs, int], ...]
    last: SparseMap


@dataclass
class SparseQuantisation:
    """Scales of what each layer reads, by its name; weights are whole numbers up to a limit."""

    levels: Levels
    scales: dict[str, Scale] = field(default_factory=dict)
    weight_limit: int = WEIGHT_LIMIT


def sparse_layers(net: CenterPointVoxel) -> tuple[SparseLayer, ...]:
    """In the order in which they are run: at each size one that enters it, then one that stays."""
    blocks = [
        (f"{kind}.{k}", block)
        for k, both in enumerate(zip(net.entering, net.staying, strict=True))
        for kind, block in zip(("entering", "staying"), both, strict=True)
    ]
    return tuple(_folded(name, block) for name, block in blocks if isinstance(block, SparseBlock))


def _folded(name: str, block: SparseBlock) -> SparseLayer:
    norm, weight = block.norm, block.convolution.weight
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    bias = norm.bias - norm.running_mean * scale
    return SparseLayer(name, (weight * scale.view(-1, 1, 1, 1, 1)).detach(), bias.detach())


def sparse_frame(net: CenterPointVoxel, given: SparseMap) -> SparseFrame:
    """As `CenterPointVoxel.sparse` goes."""
    routes: list[tuple[Pairs, int]] = []
    features, at = given.features, given
    for k in range(len(net.config.widths)):
        to = at if k == 0 else strided_sites(at)
        here, sites = pairs(to, to, 1), len(to.voxel)
        routes += [(here if k == 0 else pairs(at, to, 2), sites), (here, sites)]
        at = to
    return SparseFrame(features, tuple(routes), at)


class SimulatedSparse:
    """The layers with their weights as they are multiplied with.

    Args:
        quantisation: None computes in float.
    """

    def __init__(self, layers: Sequence[SparseLayer], quantisation: SparseQuantisation | None = None) -> None:
        self.layers, self.quantisation = tuple(layers), quantisation
        self._steps = [] if quantisation is None else [_steps(layer, quantisation.weight_limit) for layer in layers]
        numbers = range(len(self.layers))
        self._weights = [layer.weight for layer in layers] if quantisation is None else [*map(self._rounded, numbers)]

    def _rounded(self, number: int) -> Tensor:
        assert self.quantisation is not None
        limit, step = self.quantisation.weight_limit, self._steps[number]
        return (self.layers[number].weight / step).round().clamp(-limit, limit) * step

    def layer(self, number: int, features: Tensor, frame: SparseFrame) -> Tensor:
        """A layer's answer to what the one before it gave."""
        bias = self.layers[number].bias
        if self.quantisation is not None:
            scale = self.quantisation.scales[self.layers[number].name]
            features = rounded(features, scale, self.quantisation.levels)
            step = scale.step * self._steps[number].flatten()
            bias = (bias / step).round() * step
        return torch.relu(sparse_convolution(features, self._weights[number], bias, *frame.routes[number]))

    def run(self, frame: SparseFrame) -> list[Tensor]:
        """What each layer reads, then the last one's answer."""
        values = [frame.features]
        for number in range(len(self.layers)):
            values.append(self.layer(number, values[-1], frame))
        return values

    def map(self, frame: SparseFrame) -> Tensor:
        """The last layer's answer, its layers as channels (B,C*Z,Y,X)."""
        return SparseMap(self.run(frame)[-1], frame.last.voxel, frame.last.shape).dense().flatten(1, 2)


def _steps(layer: SparseLayer, limit: int) -> Tensor:
    """(out,1,1,1,1)."""
    steps = channels_first(weight_steps(layer.weight.numpy()), layer.weight.dim())
    return torch.from_numpy(steps) * (WEIGHT_LIMIT / limit)


def sparse_quantisation(
    layers: Sequence[SparseLayer], frames: Sequence[SparseFrame], config: QuantiseConfig, levels: Levels
) -> SparseQuantisation:
    """Scales by max-min, percentile or grid; of what is empty no voxel is there to be counted."""
    floats = SimulatedSparse(layers)
    wanted = [floats.run(frame) for frame in frames]
    made = SparseQuantisation(levels)
    for number, layer in enumerate(layers):
        reach = _range(torch.cat([values[number].flatten() for values in wanted]), config)
        made.scales[layer.name] = scale_of_range(*reach, levels)
    if config.method == "grid":
        search = _Search(made, layers, frames)
        factors = torch.linspace(1.0, config.least_factor, config.factors).tolist()
        for number in range(len(layers)):
            search.choose(number, [values[number + 1] for values in wanted], factors)
    return made


def _range(values: Tensor, config: QuantiseConfig) -> Range:
    least, most = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    if config.method != "percentile" or most <= least:
        return least, most
    counts = torch.histc(values, BINS, least, most).double()
    return cut_range(counts, least, most, share=1 - config.percentile / 100)


class _Search:
    """Each range shrunk by what serves its layer's answer, those before it at eight bits already."""

    def __init__(self, made: SparseQuantisation, layers: Sequence[SparseLayer], frames: Sequence[SparseFrame]) -> None:
        self.made, self.layers, self.frames = made, layers, frames
        self.simulated = SimulatedSparse(layers, made)
        self.read = [frame.features for frame in frames]

    def choose(self, number: int, wanted: Sequence[Tensor], factors: Sequence[float]) -> None:
        """The best factor of a layer's range."""
        widest = self.made.scales[self.layers[number].name]

        def error(k: int) -> float:
            self._take(number, widest, factors[k])
            return sum(_relative(y, want) for y, want in zip(self._answers(number), wanted, strict=True))

        self._take(number, widest, factors[least_of(error, len(factors))])
        self.read = list(self._answers(number))

    def _take(self, number: int, widest: Scale, factor: float) -> None:
        self.made.scales[self.layers[number].name] = Scale(widest.step * factor, widest.zero)

    def _answers(self, number: int) -> Iterator[Tensor]:
        for features, frame in zip(self.read, self.frames, strict=True):
            yield self.simulated.layer(number, features, frame)


def _relative(y: Tensor, wanted: Tensor) -> float:
    return float(((y - wanted) ** 2).sum() / (wanted**2).sum().clamp(min=torch.finfo(torch.float32).tiny))
