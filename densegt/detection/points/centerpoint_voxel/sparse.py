"""Convolutions over voxels of which few have anything: gather, matrix product, scatter, for each place of the kernel.

A submanifold convolution answers where its input has something and nowhere else (B. Graham et al., 2018), so that what
is empty stays empty; a strided one answers wherever its kernel meets something. Both are a dense convolution's answer
there, with the same weight.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor, nn

SIDE = 3
# A place of the kernel, and for it which input's features are added to which output's.
Pairs = tuple[tuple[Tensor, Tensor], ...]


class SparseMap(NamedTuple):
    """Voxels of B samples that have something.

    Attributes:
        features: (M,C).
        voxel: (M,) int64, counted through samples, layers, rows and columns; rising, none twice.
        shape: (B,Z,Y,X).
    """

    features: Tensor
    voxel: Tensor
    shape: tuple[int, int, int, int]

    def numbers(self) -> Tensor:
        """(M,4) sample, layer, row, column."""
        return torch.stack(torch.unravel_index(self.voxel, self.shape), 1)

    def dense(self) -> Tensor:
        """(B,C,Z,Y,X), zero where there is nothing."""
        B, Z, Y, X = self.shape
        channels = self.features.shape[1]
        laid = self.features.new_zeros(B * Z * Y * X, channels).index_copy(0, self.voxel, self.features)
        return laid.view(B, Z, Y, X, channels).permute(0, 4, 1, 2, 3)


def halved(shape: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Of the answer of a convolution of stride 2, padded by 1."""
    B, *sides = shape
    z, y, x = ((side + 1) // 2 for side in sides)
    return B, z, y, x


def strided_sites(given: SparseMap) -> SparseMap:
    """Where a convolution of stride 2 meets something; without features."""
    shape, found = halved(given.shape), []
    at = given.numbers()
    for offset in _offsets(at):
        doubled = at[:, 1:] + 1 - offset
        out = torch.div(doubled, 2, rounding_mode="floor")
        ok = (doubled % 2 == 0).all(1) & _within(out, shape)
        found.append(_flat(at[ok, 0], out[ok], shape))
    return SparseMap(given.features.new_zeros(0, 0), torch.unique(torch.cat(found)), shape)


def pairs(given: SparseMap, to: SparseMap, stride: int) -> Pairs:
    """Which of the given voxels each of the answer's reads, for each of the 27 places of the kernel, padded by 1."""
    at, made = to.numbers(), []
    for offset in _offsets(at):
        read = at[:, 1:] * stride + offset - 1
        inside = _within(read, given.shape).nonzero().squeeze(1)
        wanted = _flat(at[inside, 0], read[inside], given.shape)
        place = torch.searchsorted(given.voxel, wanted).clamp(max=max(len(given.voxel) - 1, 0))
        there = given.voxel[place] == wanted if len(given.voxel) else torch.zeros_like(wanted, dtype=torch.bool)
        made.append((place[there], inside[there]))
    return tuple(made)


def sparse_convolution(features: Tensor, weight: Tensor, bias: Tensor | None, routes: Pairs, sites: int) -> Tensor:
    """(sites,out) of features (M,in) and a weight (out,in,3,3,3)."""
    out = features.new_zeros(sites, len(weight))
    for (source, to), each in zip(routes, weight.flatten(2).unbind(2), strict=True):
        out = out.index_add(0, to, features[source] @ each.T)
    return out if bias is None else out + bias


class SparseConvolution(nn.Module):
    """The weights of one; where it answers is for the caller to say."""

    def __init__(self, channels: int, out: int, *, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out, channels, SIDE, SIDE, SIDE))
        self.bias = nn.Parameter(torch.zeros(out)) if bias else None
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")

    def forward(self, features: Tensor, routes: Pairs, sites: int) -> Tensor:
        """See `sparse_convolution`."""
        return sparse_convolution(features, self.weight, self.bias, routes, sites)


class SparseBlock(nn.Module):
    """Convolution, batch norm over the voxels that there are, ReLU."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.convolution, self.norm = SparseConvolution(channels, out), nn.BatchNorm1d(out)

    def forward(self, features: Tensor, routes: Pairs, sites: int) -> Tensor:
        """(M,channels) to (sites,out)."""
        said = self.convolution(features, routes, sites)
        # The mean and spread of a single voxel are no statistics.
        return torch.relu(self.norm(said) if len(said) > 1 or not self.training else said)


def _offsets(like: Tensor) -> Tensor:
    """(27,3), in order of a weight's last three axes, flattened."""
    return torch.tensor(list(product(range(SIDE), repeat=3)), device=like.device)


def _within(numbers: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    return ((numbers >= 0) & (numbers < numbers.new_tensor(shape[1:]))).all(1)


def _flat(sample: Tensor, numbers: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    _, Z, Y, X = shape
    z, y, x = numbers.unbind(1)
    return ((sample * Z + z) * Y + y) * X + x
