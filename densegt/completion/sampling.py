"""Draws what the network trains on: a crop of an image, seen closer or mirrored, knowing more or less of its depth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.completion.examples import Example
from densegt.completion.method import SparseDepth, measured
from densegt.completion.sparsify import holed, keep, lowered, scanned, scattered

Float32 = NDArray[np.float32]
# Beside the crop the classical guess may look this far.
MARGIN_PX = 64
# Denser depth is enlarged pixel by pixel, sparser depth point by point.
DENSE = 0.2
WAYS = ("all", "scattered", "scanned", "holed", "lowered")
SOME_LESS = (0.6, 0.1, 0.1, 0.1, 0.1)
ALL_LESS = (0.0, 0.3, 0.3, 0.3, 0.1)
# Most of the error is where it is far; of so many places the one that sees most of that is taken, so often.
FAR_M, PLACES, SEEK_FAR = 15.0, 4, 0.4


@dataclass(frozen=True)
class DrawnExample:
    """What is given and what is meant, of one size.

    Attributes:
        inner: rows and columns that count; what is around them is for the guess alone.
    """

    given: SparseDepth
    target_m: Float32
    weight: Float32
    exact: bool
    inner: tuple[slice, slice]


def draw_example(example: Example, size: tuple[int, int], rng: np.random.Generator) -> DrawnExample:
    """A random piece of (height, width) px; a smaller image is enlarged."""
    given = example.inputs[int(rng.integers(len(example.inputs)))]
    zoom = rng.uniform(1, 2) if rng.random() < 0.35 else 1.0
    zoom = max(zoom, *(length / side for length, side in zip(size, given.depth_m.shape, strict=True)))
    piece = _cut(given, example, size, zoom, rng)
    if zoom > 1:
        piece = _enlarged(piece, zoom)
    if rng.random() < 0.5:
        piece = _mirrored(piece)
    itself = given is example.inputs[0] and not example.exact
    less = _thinned(piece.given, rng, hide=itself)
    return replace(piece, given=replace(less, image=_recoloured(less.image, rng)))


def _cut(
    given: SparseDepth, example: Example, size: tuple[int, int], zoom: float, rng: np.random.Generator
) -> DrawnExample:
    """A piece that is `size` when enlarged, and a margin around it."""
    starts, stops, inner = [], [], []
    # Two more than needed: what rounding may take away.
    wanted_px = [min(side, math.ceil(n / zoom) + 2) for side, n in zip(given.depth_m.shape, size, strict=True)]
    firsts = _place(example.target_m, wanted_px, rng)
    for side, length, wanted, first in zip(given.depth_m.shape, size, wanted_px, firsts, strict=True):
        start, stop = max(0, first - MARGIN_PX), min(side, first + wanted + MARGIN_PX)
        starts.append(start)
        stops.append(stop)
        at = round((first - start) * zoom)
        inner.append(slice(at, at + length))
    window = slice(starts[0], stops[0]), slice(starts[1], stops[1])
    K = None if given.K is None else given.K - np.array([[0, 0, starts[1]], [0, 0, starts[0]], [0, 0, 0]])
    layers = {name: given.layers[name][window] for name in ("confidence",) if name in given.layers}
    cut = SparseDepth(np.ascontiguousarray(given.image[window]), given.depth_m[window], given.source[window], K, layers)
    return DrawnExample(cut, example.target_m[window], example.weight[window], example.exact, (inner[0], inner[1]))


def _place(target_m: Float32, wanted_px: list[int], rng: np.random.Generator) -> list[int]:
    """First row and column of a piece."""
    high, wide = wanted_px
    count = PLACES if rng.random() < SEEK_FAR else 1
    rows, cols = (rng.integers(0, side - n + 1, count) for side, n in zip(target_m.shape, wanted_px, strict=True))
    pieces = (target_m[row : row + high : 4, col : col + wide : 4] for row, col in zip(rows, cols, strict=True))
    far = [(piece > FAR_M).sum() for piece in pieces]
    best = int(np.argmax(far))
    return [int(rows[best]), int(cols[best])]


def _enlarged(piece: DrawnExample, zoom: float) -> DrawnExample:
    """As a longer lens would see it; depth stays what it is."""
    given = piece.given
    height, width = (math.ceil(side * zoom - 1e-6) for side in given.depth_m.shape)
    row = np.minimum((np.arange(height) / zoom).astype(int), given.depth_m.shape[0] - 1)
    col = np.minimum((np.arange(width) / zoom).astype(int), given.depth_m.shape[1] - 1)
    image = cv2.resize(given.image, (width, height), interpolation=cv2.INTER_LINEAR)
    near = np.ix_(row, col)
    if measured(given.depth_m).mean() > DENSE:
        only = np.ones((height, width), np.bool_)
    else:
        # Of the pixels that one has become, the middle one.
        first_row, first_col = (np.diff(at, prepend=-1) > 0 for at in (row, col))
        only = first_row[:, None] & first_col[None]
    K = None if given.K is None else np.diag([zoom, zoom, 1.0]) @ given.K
    layers = {name: layer[near] for name, layer in given.layers.items()}
    large = SparseDepth(np.asarray(image, np.uint8), given.depth_m[near], given.source[near], K, layers)
    return replace(piece, given=keep(large, only), target_m=piece.target_m[near], weight=piece.weight[near])


def _mirrored(piece: DrawnExample) -> DrawnExample:
    """Left and right exchanged."""
    given, width = piece.given, piece.target_m.shape[1]
    rows, cols = piece.inner
    K = None if given.K is None else given.K * [[1, 1, 1], [1, 1, 1], [1, 1, 1]]
    if K is not None:
        K[0, 2] = width - 1 - K[0, 2]
    layers: Mapping[str, NDArray[np.uint8]] = {name: layer[:, ::-1] for name, layer in given.layers.items()}
    flat = SparseDepth(
        np.ascontiguousarray(given.image[:, ::-1]), np.ascontiguousarray(given.depth_m[:, ::-1]),
        np.ascontiguousarray(given.source[:, ::-1]), K, layers,
    )  # fmt: skip
    inner = rows, slice(width - cols.stop, width - cols.start)
    return replace(piece, given=flat, target_m=piece.target_m[:, ::-1], weight=piece.weight[:, ::-1], inner=inner)


def _thinned(given: SparseDepth, rng: np.random.Generator, *, hide: bool) -> SparseDepth:
    """As it is, or with fewer pixels, beams or regions; never as it is where the target is that itself (`hide`)."""
    known = float(measured(given.depth_m).mean())
    kind = rng.choice(WAYS, p=ALL_LESS if hide else SOME_LESS)
    if kind == "scattered":
        # From a few pixels of an image to half of what there is, each order of magnitude as often.
        least = min(0.5, 2e-4 / max(known, 1e-9))
        given = scattered(given, float(np.exp(rng.uniform(np.log(least), np.log(0.5)))), rng)
    elif kind == "scanned":
        given = scanned(given, int(np.exp(rng.uniform(0, np.log(65)))), rng)
    elif kind == "holed":
        given = holed(given, int(rng.integers(1, 6)), rng)
    elif kind == "lowered":
        given = lowered(given, rng)
    if hide and measured(given.depth_m).mean() == known:
        # The holes, or the beams, met nothing.
        given = scattered(given, 0.5, rng)
    return replace(given, layers={}) if rng.random() < 0.3 else given


def _recoloured(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Other light, white balance, contrast and noise: the simulated worlds are few and real cameras are many."""
    out: NDArray[Any] = image.astype(np.float32) / 255
    if rng.random() < 0.1:
        out[:] = out.mean(axis=2, keepdims=True)
    if rng.random() < 0.15:
        out = out[..., rng.permutation(3)]
    out = out ** np.float32(np.exp(rng.normal(0, 0.25)))
    out = (out - 0.5) * np.float32(np.exp(rng.normal(0, 0.2))) + 0.5 + np.float32(rng.normal(0, 0.06))
    out = out * rng.normal(1, 0.05, 3).astype(np.float32)
    if rng.random() < 0.3:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 1.2)))
    out = out + rng.standard_normal(out.shape, np.float32) * np.float32(rng.uniform(0, 0.03))
    return np.asarray(np.clip(out * 255, 0, 255), np.uint8)
