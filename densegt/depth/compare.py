"""Two depth stores beside each other: figures of both, their differences and spread, and where they differ most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import densegt
from densegt.depth.depth_map import Source
from densegt.depth.evaluate import compare
from densegt.depth.figures import DEFINITIONS, Summary, in_words, percent
from densegt.depth.matching import best_match, known, tolerance_m
from densegt.depth.metrics import DepthMetrics
from densegt.depth.places import Place, WorstPlaces
from densegt.depth.store import ImageRecord, SceneReader, scene_files
from densegt.errors import InputError

Progress = Callable[[int, int], None]
Bool = NDArray[np.bool_]

# Figures against ground truth, by what tables call them.
FIGURES = {
    "accuracy %": "right_percent",
    "outliers %": "outlier_percent",
    "coverage %": "coverage_percent",
    "MAE m": "mae_m",
    "RMSE m": "rmse_m",
    "delta1 %": "delta1_percent",
}
NOTES = {
    "a, b": "pooled over the pixels of all images that both stores have, and the ground truth where one is given",
    "difference": "b - a",
    "spread": "standard deviation, over images, of the image's own b - a; neighbouring images show the same street, so "
    "it is no error bar of the difference",
    "agree": "pixels that both know and whose depths differ by at most max(0.5 m, 5 % of the nearer), of those that "
    "both know",
}


@dataclass(frozen=True)
class Paired:
    """One figure of both stores; None where there is nothing to divide by."""

    a: float | None
    b: float | None
    spread: float | None

    @property
    def difference(self) -> float | None:
        """b - a."""
        return None if self.a is None or self.b is None else self.b - self.a


@dataclass(frozen=True)
class Comparison:
    """What came of comparing two stores.

    Attributes:
        images: in both, and in the truth where one is given.
        only_a, only_b: images that the other store lacks.
        content: coverage and share of each source, of all pixels.
        agreement: shares in percent of how depths of both agree, and the median of |b - a| in m.
        accuracy: figures against ground truth by section, group and figure; empty without a truth.
        settings: configuration values that differ, by dotted key, as (a, b).
        places: where they differ most.
    """

    images: int
    only_a: int
    only_b: int
    content: dict[str, Paired]
    agreement: dict[str, float | None]
    accuracy: dict[str, dict[str, dict[str, Paired]]]
    settings: dict[str, tuple[Any, Any]]
    places: list[Place]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **asdict(self),
            "content": _in_json(self.content),
            "accuracy": {
                section: {label: _in_json(figures) for label, figures in groups.items()}
                for section, groups in self.accuracy.items()
            },
            "definitions": {**NOTES, **DEFINITIONS},
            "densegt_version": densegt.__version__,
        }


def compare_stores(
    a_dir: Path,
    b_dir: Path,
    truth_dir: Path | None = None,
    *,
    max_depth_m: float = 60.0,
    most_places: int = 24,
    progress: Progress = lambda done, total: None,
) -> Comparison:
    """Compare every image that two stores have, matched by (scene, sample_token, channel).

    Args:
        truth_dir: store taken as exact; then only its images are compared.
        max_depth_m: truth from here on is not counted.
        progress: called with (images done, images in all).

    Raises:
        InputError: a folder is no store, they have nothing in common, or an image differs in size.
    """
    stores = [{r.scene: r for r in map(SceneReader, scene_files(d))} for d in (a_dir, b_dir, truth_dir) if d]
    keys = [{(name, *key) for name, reader in store.items() for key in reader.keys} for store in stores]
    common = set.intersection(*keys)
    if not common:
        names = " and ".join(str(d) for d in (a_dir, b_dir, truth_dir) if d)
        raise InputError(f"{names} have no image in common; stores are compared by scene, keyframe and camera")
    sums, judged = _Content(), _Accuracy(max_depth_m) if truth_dir else None
    # Where the two contradict each other, and where but one knows a depth: shown if they never contradict each other.
    differing, one_sided = WorstPlaces(most_places), WorstPlaces(most_places)
    for done, key in enumerate(_in_order(stores[0], common), start=1):
        a, b, *truth = (store[key[0]].read(*key[1:]) for store in stores)
        _check_sizes(a, b)
        apart = sums.update(a, b)
        if judged:
            apart = judged.update(a, b, truth[0])
        differing.update(key, apart)
        one_sided.update(key, known(a.depth_m) ^ known(b.depth_m))
        progress(done, len(common))
    return Comparison(
        images=len(common),
        only_a=len(keys[0] - keys[1]),
        only_b=len(keys[1] - keys[0]),
        content=sums.compute(),
        agreement=sums.agreement(),
        accuracy=judged.compute() if judged else {},
        settings=_differing(*(next(iter(store.values())).config for store in stores[:2])),
        places=differing.compute() or one_sided.compute(),
    )


def setting_in_words(value: Any) -> str:
    """A setting's value as it is told to people."""
    if value is None or value == []:
        return "not set"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


@dataclass
class _Content:
    """What both stores hold of the same images."""

    pixels: int = 0
    by_source: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, len(Source)), np.int64))
    each: list[NDArray[np.float64]] = field(default_factory=list)
    both: int = 0
    agree: int = 0
    a_nearer: int = 0
    steps: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1 << 16, np.int64))

    def update(self, a: ImageRecord, b: ImageRecord) -> Bool:
        """Add an image; pixels (H,W) that both know and where they do not agree."""
        counts = np.stack([np.bincount(r.source.ravel(), minlength=256)[: len(Source)] for r in (a, b)])
        self.by_source += counts
        self.pixels += a.depth_m.size
        self.each.append((counts[1] - counts[0]) * 100.0 / max(a.depth_m.size, 1))
        both = known(a.depth_m) & known(b.depth_m)
        difference_m = np.where(both, b.depth_m - a.depth_m, 0)
        apart: Bool = np.abs(difference_m) > tolerance_m(np.minimum(a.depth_m, b.depth_m))
        apart &= both
        self.both += int(both.sum())
        self.agree += int((both & ~apart).sum())
        self.a_nearer += int((apart & (difference_m > 0)).sum())
        steps = np.minimum(np.rint(np.abs(difference_m[both]) * 256), len(self.steps) - 1).astype(np.int64)
        self.steps += np.bincount(steps, minlength=len(self.steps))
        return apart

    def compute(self) -> dict[str, Paired]:
        """Coverage and share of each source in percent of all pixels."""
        each = np.stack(self.each)
        known_a, known_b = (self.pixels - int(self.by_source[k, Source.NONE]) for k in (0, 1))
        found = {
            "coverage %": Paired(percent(known_a, self.pixels), percent(known_b, self.pixels), _spread(-each[:, 0]))
        }
        for source in Source:
            if source and self.by_source[:, source].any():
                a, b = (percent(int(self.by_source[k, source]), self.pixels) for k in (0, 1))
                found[f"source: {in_words(source.name)} %"] = Paired(a, b, _spread(each[:, source]))
        return found

    def agreement(self) -> dict[str, float | None]:
        """How the depths of both agree."""
        apart = self.both - self.agree
        running = self.steps.cumsum()
        median_m = float(np.searchsorted(running, running[-1] / 2)) / 256 if running[-1] else None
        return {
            "known to both, % of all pixels": percent(self.both, self.pixels),
            "agree to max(0.5 m, 5 %), % of these": percent(self.agree, self.both),
            "A nearer, % of these": percent(self.a_nearer, self.both),
            "B nearer, % of these": percent(apart - self.a_nearer, self.both),
            "median |B - A| m": median_m,
        }


class _Accuracy:
    """Figures of both stores against the same truth."""

    def __init__(self, max_depth_m: float) -> None:
        self.max_depth_m = max_depth_m
        self.whole = DepthMetrics(max_depth_m=max_depth_m), DepthMetrics(max_depth_m=max_depth_m)
        self.differences: dict[tuple[str, str, str], list[float]] = {}

    def update(self, a: ImageRecord, b: ImageRecord, truth: ImageRecord) -> Bool:
        """Add an image; pixels (H,W) with counted truth that but one of the two has right."""
        of_image = []
        for whole, record in zip(self.whole, (a, b), strict=True):
            one = DepthMetrics(max_depth_m=self.max_depth_m)
            compare(one, record, truth)
            whole.merge(one)
            of_image.append(_flat(one.compute()))
        for key, value in of_image[0].items():
            other = of_image[1].get(key)
            if value is not None and other is not None:
                self.differences.setdefault(key, []).append(other - value)
        counted = known(truth.depth_m) & (truth.depth_m < self.max_depth_m)
        return counted & (_right(a, truth) ^ _right(b, truth))

    def compute(self) -> dict[str, dict[str, dict[str, Paired]]]:
        """By section, group and figure."""
        a, b = (_flat(metrics.compute()) for metrics in self.whole)
        found: dict[str, dict[str, dict[str, Paired]]] = {}
        for key, value in a.items():
            section, label, name = key
            spread = _spread(np.array(self.differences.get(key, [])))
            found.setdefault(section, {}).setdefault(label, {})[name] = Paired(value, b.get(key), spread)
        return found


def _right(record: ImageRecord, truth: ImageRecord) -> Bool:
    """Pixels (H,W) with a depth that matches one of the 3x3 truths."""
    has = known(record.depth_m)
    right = np.zeros(has.shape, dtype=np.bool_)
    right[has] = np.abs(best_match(record.depth_m, truth.depth_m, has)) <= 1
    return right


def _flat(summary: Summary) -> dict[tuple[str, str, str], float | None]:
    """Figures by section, group and name; by source there is nothing to pair, for sources differ by store."""
    return {
        (section, label, name): getattr(figures, attribute)
        for section, groups in summary.sections()
        if section != "source"
        for label, figures in groups.items()
        if figures.counted
        for name, attribute in FIGURES.items()
    }


def _in_order(store: Mapping[str, SceneReader], wanted: set[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    for scene, reader in store.items():
        for sample_token, channel in reader.keys:
            if (scene, sample_token, channel) in wanted:
                yield scene, sample_token, channel


def _check_sizes(a: ImageRecord, b: ImageRecord) -> None:
    if a.depth_m.shape != b.depth_m.shape:
        where = f"{a.scene}/{a.sample_token}/{a.channel}"
        raise InputError(f"{where}: the first store has {a.depth_m.shape}, the second {b.depth_m.shape}")


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Values of two configurations that differ, by dotted key; None where one has no such key."""
    flat_a, flat_b = dict(_leaves(a)), dict(_leaves(b))
    keys = dict.fromkeys([*flat_a, *flat_b])
    return {key: (flat_a.get(key), flat_b.get(key)) for key in keys if flat_a.get(key) != flat_b.get(key)}


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _spread(differences: NDArray[np.float64]) -> float | None:
    return float(np.std(differences, ddof=1)) if len(differences) > 1 else None


def _in_json(figures: Mapping[str, Paired]) -> dict[str, dict[str, float | None]]:
    return {name: {**asdict(pair), "difference": pair.difference} for name, pair in figures.items()}
