"""Depth against truth: sums of one image (pure function), and a thin class that adds them up.

Every counted pixel falls into one cell (kind, range band, source, edge); what is summed is summed by cell in one
pass, and each group of the summary is a slice of that table. DEFINITIONS in figures.py says what the figures mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from densegt.depth.depth_map import Source
from densegt.depth.edges import near_edges
from densegt.depth.figures import ERROR_STEPS_PER_M, QUANTITIES, Figures, Summary, figures_of, percent
from densegt.depth.kind import Kind
from densegt.depth.matching import best_match, known, surface_nearby

BAND_EDGES_M = (0.0, 10.0, 20.0, 40.0, 60.0)
NO_KIND = len(Kind)  # the cell of pixels whose truth has no kind layer
NOT_PREDICTED = len(Source)  # the cell of pixels without a prediction
_ERROR_BINS = 256 * ERROR_STEPS_PER_M

Float32 = NDArray[np.float32]
Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Sums:
    """What images add up to.

    Attributes:
        cells: (len(QUANTITIES), kinds + 1, bands, sources + 1, 2) sums over counted pixels.
        errors: one histogram of |error| a group, by axis: (kinds + 1, bins), (bands, bins), ...; int64.
        predictions, false_positives, beyond: numbers of pixels over the whole images.
    """

    cells: NDArray[np.float64]
    errors: tuple[NDArray[np.int64], ...]
    predictions: int
    false_positives: int
    beyond: int

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.cells + other.cells,
            tuple(a + b for a, b in zip(self.errors, other.errors, strict=True)),
            self.predictions + other.predictions,
            self.false_positives + other.false_positives,
            self.beyond + other.beyond,
        )


def band_edges(max_depth_m: float) -> tuple[float, ...]:
    """Borders of the range bands in metres: 0, 10, 20, 40, 60 as far as they lie below the limit, then the limit."""
    return (*(edge for edge in BAND_EDGES_M if edge < max_depth_m), max_depth_m)


def image_sums(
    depth_m: Float32, truth_m: Float32, *, source: Codes | None = None, kind: Codes | None = None, max_depth_m: float
) -> Sums:
    """Compare one depth map with the truth.

    Args:
        depth_m: (H,W) prediction in m; 0, negative or not finite = none.
        truth_m: (H,W) in m, 0 = no surface.
        source: (H,W) codes of `Source`, if known.
        kind: (H,W) codes of `Kind`, if known.
        max_depth_m: truth from here on is not counted.

    Raises:
        ValueError: layers differ in shape, or hold a code that does not exist.
    """
    _check(depth_m, truth_m, source, kind)
    predicted = known(depth_m)
    surface = known(truth_m)
    counted = surface & (truth_m < max_depth_m)
    near = predicted & (depth_m < max_depth_m)
    far = near & surface & ~counted
    cell, shape = _cells(truth_m, counted, predicted, source, kind, max_depth_m)
    both = counted & predicted
    chosen = predicted[counted]
    quantities = _quantities(depth_m[both], truth_m[both], best_match(depth_m, truth_m, both))
    n = int(np.prod(shape))
    sums = [np.bincount(np.ravel_multi_index(cell, shape), minlength=n).astype(float)]
    hit = tuple(axis[chosen] for axis in cell)
    flat = np.ravel_multi_index(hit, shape)
    sums += [np.bincount(flat, weights=values, minlength=n) for values in quantities]
    steps = np.minimum(np.rint(quantities[QUANTITIES.index("absolute") - 1] * ERROR_STEPS_PER_M), _ERROR_BINS - 1)
    return Sums(
        cells=np.stack(sums).reshape(len(QUANTITIES), *shape),
        errors=tuple(_histograms(axis, steps.astype(np.int64), k) for axis, k in zip(hit, shape, strict=True)),
        predictions=int(predicted.sum()),
        false_positives=int((near & ~surface_nearby(truth_m)).sum()),
        beyond=int((np.abs(best_match(depth_m, truth_m, far)) > 1).sum()),
    )


def _check(depth_m: Float32, truth_m: Float32, source: Codes | None, kind: Codes | None) -> None:
    for name, layer, codes in (("truth", truth_m, None), ("source", source, Source), ("kind", kind, Kind)):
        if layer is None:
            continue
        if depth_m.ndim != 2 or layer.shape != depth_m.shape:
            raise ValueError(f"{name} is {layer.shape}, depth {depth_m.shape}")
        if codes is not None and layer.size and int(layer.max()) >= len(codes):
            raise ValueError(f"{name} has code {int(layer.max())}; the highest is {len(codes) - 1}")


def _cells(
    truth_m: Float32,
    counted: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    source: Codes | None,
    kind: Codes | None,
    max_depth_m: float,
) -> tuple[tuple[NDArray[np.intp], ...], tuple[int, ...]]:
    """Index of every counted pixel's cell along the four axes, and the table's shape."""
    n = int(counted.sum())
    borders = np.array(band_edges(max_depth_m)[1:-1], dtype=np.float32)
    of_kind = np.full(n, NO_KIND) if kind is None else kind[counted].astype(np.intp)
    of_source = np.zeros(n, dtype=np.intp) if source is None else source[counted].astype(np.intp)
    of_source[~predicted[counted]] = NOT_PREDICTED
    band = np.searchsorted(borders, truth_m[counted], side="right")
    edge = near_edges(truth_m)[counted].astype(np.intp)
    return (of_kind, band, of_source, edge), (NO_KIND + 1, len(borders) + 1, NOT_PREDICTED + 1, 2)


def _quantities(depth_m: Float32, truth_m: Float32, match: Float32) -> list[NDArray[np.float64]]:
    """Values to sum for each predicted pixel (N,), in the order of QUANTITIES[1:]."""
    p, t = depth_m.astype(np.float64), truth_m.astype(np.float64)
    e = p - t
    size, square = np.abs(e), e * e
    inverse_per_km = 1e3 / p - 1e3 / t
    worse = np.maximum(p / t, t / p)
    outlier = np.abs(match) > 1
    deltas = [(worse < 1.25**k).astype(np.float64) for k in (1, 2, 3)]
    flags = [np.ones_like(p), outlier.astype(np.float64), (outlier & (match > 0)).astype(np.float64)]
    return [*flags, size, square, e, size / t, square / t, np.abs(inverse_per_km), inverse_per_km**2, *deltas]


def _histograms(group: NDArray[np.intp], steps: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    counts = np.bincount(group * _ERROR_BINS + steps, minlength=groups * _ERROR_BINS)
    return counts.reshape(groups, _ERROR_BINS)


class DepthMetrics:
    """Adds up images: `update` with each, then `compute`; `merge` joins two that counted apart."""

    def __init__(self, *, max_depth_m: float = 60.0) -> None:
        if not max_depth_m > 0:
            raise ValueError(f"max_depth_m is {max_depth_m}; it must be positive")
        self.max_depth_m = max_depth_m
        self._images = 0
        self._with_kind = 0
        self._sums: Sums | None = None

    def update(
        self, depth_m: Float32, truth_m: Float32, *, source: Codes | None = None, kind: Codes | None = None
    ) -> None:
        """Add one image; arguments as in `image_sums`."""
        self._add(image_sums(depth_m, truth_m, source=source, kind=kind, max_depth_m=self.max_depth_m))
        self._images += 1
        self._with_kind += kind is not None

    def merge(self, other: Self) -> None:
        """Add all that `other` has counted."""
        if other.max_depth_m != self.max_depth_m:
            raise ValueError(f"limits differ: {self.max_depth_m} m and {other.max_depth_m} m")
        if other._sums is not None:
            self._add(other._sums)
        self._images += other._images
        self._with_kind += other._with_kind

    def compute(self) -> Summary:
        """The figures of all images so far."""
        nothing = np.zeros((0, 0), dtype=np.float32)
        sums = self._sums or image_sums(nothing, nothing, max_depth_m=self.max_depth_m)
        return _summary(sums, images=self._images, with_kind=self._with_kind, max_depth_m=self.max_depth_m)

    def _add(self, sums: Sums) -> None:
        self._sums = sums if self._sums is None else self._sums + sums


def _summary(sums: Sums, *, images: int, with_kind: int, max_depth_m: float) -> Summary:
    """Cut the table into groups."""
    total = float(sums.cells[0].sum())

    def group(axis: int, *codes: int) -> Figures:
        cells = np.take(sums.cells, codes, axis=axis + 1).reshape(len(QUANTITIES), -1).sum(axis=1)
        return figures_of(cells, sums.errors[axis][list(codes)].sum(axis=0), all_counted=total)

    always = range(Kind.GROUND, Kind.PERSON)  # the others are listed where a street has them
    kinds = [k for k in Kind if k in always or (k > 0 and sums.cells[0, k].sum() > 0)] if with_kind else []
    sources = [s for s in Source if sums.cells[0, :, :, s].sum() > 0]
    borders = band_edges(max_depth_m)
    return Summary(
        images=images,
        images_with_kind=with_kind,
        max_depth_m=max_depth_m,
        predictions=sums.predictions,
        false_positive_percent=percent(sums.false_positives, sums.predictions),
        beyond_percent=percent(sums.beyond, sums.predictions),
        all=group(3, 0, 1),
        labelled_world=group(0, *(k for k in Kind if k != Kind.UNLABELLED_MOVER)) if with_kind else None,
        by_kind={k.name.lower(): group(0, k) for k in kinds},
        by_range={f"{lo:g}-{hi:g}": group(1, i) for i, (lo, hi) in enumerate(pairwise(borders))},
        by_source={s.name.lower(): group(2, s) for s in sources},
        by_edge={"near": group(3, 1), "off": group(3, 0)},
    )
