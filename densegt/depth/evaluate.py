"""Score a depth store against a store of exact depth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import densegt
from densegt.depth.figures import DEFINITIONS, Summary
from densegt.depth.metrics import DepthMetrics
from densegt.depth.store import ImageRecord, SceneReader, scene_files
from densegt.errors import InputError

Progress = Callable[[int, int], None]
Key = tuple[str, str]


@dataclass(frozen=True)
class Evaluation:
    """What came of comparing two stores.

    Attributes:
        summary: figures over all images that both have.
        scenes: the same, scene by scene.
        missing: images of truth without a prediction, as (scene, sample_token, channel); in no figure.
        extra: images of scenes in both that truth lacks.
        scenes_without_truth, scenes_without_prediction: names.
        pred_config, truth_config: what the stores say of their making, by scene.
    """

    summary: Summary
    scenes: dict[str, Summary]
    missing: list[tuple[str, str, str]]
    extra: list[tuple[str, str, str]]
    scenes_without_truth: list[str]
    scenes_without_prediction: list[str]
    pred_config: dict[str, Any]
    truth_config: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the summary's groups at the top, then scenes, what was left out, configs and definitions."""
        return {
            **self.summary.as_dict(),
            "scenes": {name: summary.as_dict() for name, summary in self.scenes.items()},
            "images_missing": len(self.missing),
            "missing": self.missing,
            "images_without_truth": len(self.extra),
            "scenes_without_truth": self.scenes_without_truth,
            "scenes_without_prediction": self.scenes_without_prediction,
            "config": {"pred": self.pred_config, "truth": self.truth_config},
            "definitions": DEFINITIONS,
            "densegt_version": densegt.__version__,
        }


def evaluate_stores(
    pred_dir: Path, truth_dir: Path, *, max_depth_m: float = 60.0, progress: Progress | None = None
) -> Evaluation:
    """Compare every image that both stores have, matched by (scene, sample_token, channel).

    Args:
        pred_dir, truth_dir: folders of `<scene>.h5`.
        max_depth_m: truth from here on is not counted.
        progress: called with (images done, images in all).

    Raises:
        InputError: a folder is no store, the two have nothing in common, or an image differs in size from its truth.
    """
    pred, truth = _readers(pred_dir), _readers(truth_dir)
    names = sorted(pred.keys() & truth.keys())
    keys = {name: _ordered(truth[name].keys, set(pred[name].keys)) for name in names}
    common = {(name, *key) for name in names for key in keys[name]}
    total = len(common)
    if total == 0:
        raise InputError(
            f"{pred_dir} and {truth_dir} have no image in common: scenes {_some(pred)} against {_some(truth)}"
        )
    whole = DepthMetrics(max_depth_m=max_depth_m)
    scenes: dict[str, Summary] = {}
    done = 0
    for name in names:
        metrics = DepthMetrics(max_depth_m=max_depth_m)
        for key in keys[name]:
            compare(metrics, pred[name].read(*key), truth[name].read(*key))
            done += 1
            if progress:
                progress(done, total)
        scenes[name] = metrics.compute()
        whole.merge(metrics)
    return Evaluation(
        summary=whole.compute(),
        scenes=scenes,
        missing=[(n, *k) for n in sorted(truth) for k in truth[n].keys if (n, *k) not in common],
        extra=[(n, *k) for n in names for k in pred[n].keys if (n, *k) not in common],
        scenes_without_truth=sorted(pred.keys() - truth.keys()),
        scenes_without_prediction=sorted(truth.keys() - pred.keys()),
        pred_config={n: reader.config for n, reader in pred.items()},
        truth_config={n: reader.config for n, reader in truth.items()},
    )


def compare(metrics: DepthMetrics, pred: ImageRecord, truth: ImageRecord) -> None:
    """Add one image to `metrics`.

    Raises:
        InputError: the two do not fit together; names scene, sample and channel.
    """
    try:
        metrics.update(pred.depth_m, truth.depth_m, source=pred.source, kind=truth.layers.get("kind"))
    except ValueError as error:
        where = f"{pred.scene}/{pred.sample_token}/{pred.channel}"
        raise InputError(f"{where}: prediction and truth do not fit together: {error}") from None


def _readers(folder: Path) -> dict[str, SceneReader]:
    return {reader.scene: reader for reader in map(SceneReader, scene_files(folder))}


def _ordered(keys: Iterable[Key], wanted: set[Key]) -> list[Key]:
    return [key for key in keys if key in wanted]


def _some(readers: Iterable[str]) -> str:
    names = sorted(readers)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
