"""What a trained detector says of keyframes, in numbers outside of torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from densegt.datasets.detection_classes import MAX_BOXES
from densegt.datasets.nuscenes.results import Detections
from densegt.detection.bev.heads import decode
from densegt.detection.bev.task import LssTask, answer_of, nearest_pixels, vehicles_of
from densegt.detection.data.dataset import Batch, NuScenesDepth
from densegt.detection.train import last_line
from densegt.errors import InputError

Float32 = NDArray[np.float32]
Progress = Callable[[int, int], None]
# Boxes that are this unlikely are not worth their bytes.
MIN_SCORE = 0.01


@dataclass(frozen=True)
class Prediction:
    """Of one keyframe with V views.

    Attributes:
        images: (V,H,W,3) uint8, as the network saw them.
        depth_m, sigma_m: (V,H,W) expected depth and its standard deviation; pixels of a cell share it.
        truth_m: (V,H,W) the dataset's depth, 0 = unknown.
        vehicles: (Y,X) probability; truth: (Y,X) bool.
        labels: (N,9) boxes that the dataset has, in ref.
    """

    index: int
    images: NDArray[np.uint8]
    depth_m: Float32
    sigma_m: Float32
    truth_m: Float32
    vehicles: Float32
    truth: NDArray[np.bool_]
    labels: Float32
    found: Detections


def predict(task: LssTask, dataset: NuScenesDepth, progress: Progress | None = None) -> Iterator[Prediction]:
    """Look at every keyframe in order, on the device that the network is on."""
    settings = task.settings
    loader: DataLoader[Batch] = DataLoader(dataset, 1, num_workers=settings.loader_processes)
    task.eval()
    try:
        for index, batch in enumerate(loader):
            with torch.inference_mode():
                yield _prediction(task, index, batch)
            if progress:
                progress(index + 1, len(dataset))
    except InputError as error:
        raise InputError(last_line(error)) from None


def _prediction(task: LssTask, index: int, batch: Batch) -> Prediction:
    device = task.device
    answer = answer_of(task.net, task.transfer_batch_to_device(batch, device, 0))
    V = batch["images"].shape[1] // task.settings.model.frames
    samples = answer.samples
    mean_m = samples.expectation_m()[:V]
    each_m = samples.depth_m.float()
    each_m = each_m.reshape(1, -1, 1, 1) if each_m.dim() == 1 else each_m[:V]
    weights = samples.weights[:V]
    sigma_m = (weights * (each_m - mean_m.unsqueeze(1)) ** 2).sum(1).sqrt()
    found = decode(answer.centres, task.net.lift.grid, most=MAX_BOXES)
    kept = found.scores[0] >= MIN_SCORE
    stride = task.settings.model.stride
    pictures = (batch["images"][0, :V] * 255).round().byte().movedim(1, -1)
    return Prediction(
        index=index,
        images=pictures.numpy(),
        depth_m=nearest_pixels(mean_m, stride).float().cpu().numpy(),
        sigma_m=nearest_pixels(sigma_m, stride).float().cpu().numpy(),
        truth_m=batch["depth_m"][0, :V].numpy(),
        vehicles=answer.vehicles[0].float().sigmoid().cpu().numpy(),
        truth=vehicles_of(batch, task.settings)[0].numpy(),
        labels=batch["boxes"][0][batch["labels"][0] >= 0].numpy(),
        found=Detections(
            sample_token=batch["sample_token"][0],
            boxes=found.boxes[0][kept].double().cpu().numpy(),
            classes=found.labels[0][kept].cpu().numpy(),
            attributes=found.attributes[0][kept].cpu().numpy(),
            scores=found.scores[0][kept].double().cpu().numpy(),
            T_global_ref=batch["T_global_ref"][0].numpy(),
        ),
    )
