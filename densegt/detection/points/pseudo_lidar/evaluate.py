"""A trained detector on a nuScenes-format folder: boxes, depth, and their scores."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from densegt.datasets.detection_classes import CLASSES, MAX_BOXES
from densegt.datasets.nuscenes.results import Detections, score_results, write_results
from densegt.detection.bev.grid import BevGrid
from densegt.detection.bev.task import nearest_pixels
from densegt.detection.data.dataset import Batch, NuScenesDepth, Supervision
from densegt.detection.data.labels import Labels
from densegt.detection.depth_head.bins import Bins
from densegt.detection.points.pseudo_lidar.config import PlConfig
from densegt.detection.points.pseudo_lidar.dataset import WithSweep
from densegt.detection.points.pseudo_lidar.task import PlTask
from densegt.detection.scoring.depth_error import DepthError
from densegt.detection.scoring.kitti_ap import KittiAp
from densegt.detection.scoring.scores import within

Progress = Callable[[int, int], None]
Float32 = NDArray[np.float32]
# Boxes that are this unlikely are not worth their bytes.
MIN_SCORE = 0.01
# KITTI's class.
CAR = CLASSES.index("car")
THRESHOLDS = (0.3, 0.5, 0.7)


@dataclass(frozen=True)
class Prediction:
    """Of one keyframe with V views.

    Attributes:
        found: its boxes.
        depth_m, sigma_m: (V,h,w) z-depth of the points and its standard deviation; of no view where points are
            measured.
        truth_m: (V,h,w) the dataset's depth, 0 = unknown.
    """

    index: int
    found: Detections
    depth_m: Float32
    sigma_m: Float32
    truth_m: Float32


def to_look_at(
    config: PlConfig, dataroot: Path, truth: Path | None = None, *, version: str | None = None,
    scenes: Sequence[str] | None = None,
) -> NuScenesDepth:  # fmt: skip
    """A folder as the network wants it, nothing drawn; depth is the truth to score against."""
    kind = WithSweep if config.model.input == "lidar" else NuScenesDepth
    supervision: Supervision = "sparse" if truth is None else "completed"
    return kind(
        dataroot, truth, supervision=supervision, size=config.model.size, ranges=config.augmentation.made(),
        version=version, scenes=scenes, min_points=config.min_points,
    )  # fmt: skip


def predict(task: PlTask, dataset: NuScenesDepth, progress: Progress | None = None) -> Iterator[Prediction]:
    """Look at every keyframe in order, on the device that the network is on."""
    loader: DataLoader[Batch] = DataLoader(dataset, 1, num_workers=task.settings.loader_processes)
    task.eval()
    for index, batch in enumerate(loader):
        with torch.inference_mode():
            yield _prediction(task, index, task.transfer_batch_to_device(batch, task.device, 0))
        if progress:
            progress(index + 1, len(dataset))


def _prediction(task: PlTask, index: int, batch: Batch) -> Prediction:
    answer = task.net(batch, "frozen")
    found = task.net.detector.found(answer.said)
    kept = (found.scores[0] >= MIN_SCORE).nonzero().squeeze(1)[:MAX_BOXES]
    detections = Detections(
        sample_token=batch["sample_token"][0],
        boxes=found.boxes[0][kept].double().cpu().numpy(),
        classes=found.labels[0][kept].cpu().numpy(),
        attributes=found.attributes[0][kept].cpu().numpy(),
        scores=found.scores[0][kept].double().cpu().numpy(),
        T_global_ref=batch["T_global_ref"][0].cpu().numpy(),
    )
    if answer.depth is None:
        nothing = np.zeros((0, 1, 1), np.float32)
        return Prediction(index, detections, nothing, nothing, nothing)
    depth = task.settings.model.depth
    step = depth.points_stride
    truth_m = batch["depth_m"][0, :, step // 2 :: step, step // 2 :: step]
    sigma_m = nearest_pixels(depth.scale * spread_m(answer.depth.logits, depth.bins.made()), depth.stride // step)
    layers = (answer.depth.depth_m[0], sigma_m, truth_m)
    return Prediction(index, detections, *(layer.float().cpu().numpy() for layer in layers))


def spread_m(logits: Tensor, bins: Bins) -> Tensor:
    """(N,h,w) standard deviation of the depth that logits (N,D,h,w) say."""
    share = logits.float().softmax(1)
    off_m = bins.centres_m().to(share).view(-1, 1, 1) - bins.expectation_m(share).unsqueeze(1)
    return (share * off_m**2).sum(1).sqrt()


class PlScores:
    """Sums over keyframes, of any number of folders."""

    def __init__(self, config: PlConfig) -> None:
        self._grid = config.model.grid.made()
        self._cars = KittiAp(THRESHOLDS)
        bins = config.model.depth.bins
        self._depth = DepthError(bins.min_m, bins.max_m)

    def update(self, said: Prediction, labels: Labels) -> None:
        """Add a keyframe."""
        found = said.found
        mine = (found.classes == CAR) & _inside(found.boxes, self._grid)
        theirs = (labels.classes == CAR) & _inside(labels.boxes, self._grid)
        self._cars.update(found.boxes[mine], found.scores[mine], labels.boxes[theirs])
        for depth_m, truth_m in zip(said.depth_m, said.truth_m, strict=True):
            self._depth.update(depth_m, truth_m)

    def compute(self) -> dict[str, Any]:
        """`cars`: their AP as KITTI's users know it, within the grid. `depth`: errors of the points' depth."""
        return {"cars": self._cars.compute(), "depth": self._depth.compute()}


def devkit_scores(found: Sequence[Detections], dataset: NuScenesDepth, config: PlConfig) -> dict[str, Any]:
    """nuScenes' scores of the boxes of one folder, as far as the grid reaches."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        write_results(path, found)
        range_m = within(config.model.grid.made())
        return score_results(path, dataset.dataroot, dataset.version, range_m=range_m)


def _inside(boxes: NDArray[np.float64], grid: BevGrid) -> NDArray[np.bool_]:
    """Whose centres lie in the grid, seen from above."""
    x, y = boxes[:, 0], boxes[:, 1]
    return (x >= grid.x_min_m) & (x < grid.x_max_m) & (y >= grid.y_min_m) & (y < grid.y_max_m)
