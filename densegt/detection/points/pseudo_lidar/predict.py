"""A detector on pseudo-LiDAR over a recording: result JSON, depth maps, pictures of the depth gradient, scores."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch.utils.data import default_collate

from densegt.datasets.nuscenes.results import write_results
from densegt.detection.data.dataset import NuScenesDepth
from densegt.detection.points.pseudo_lidar.checkpoint import read_pl_task
from densegt.detection.points.pseudo_lidar.evaluate import PlScores, devkit_scores, predict, to_look_at
from densegt.detection.points.pseudo_lidar.gradient_map import depth_gradient
from densegt.detection.points.pseudo_lidar.gradient_overlay import draw
from densegt.detection.points.pseudo_lidar.task import PlTask
from densegt.detection.predict import DepthFolder, Job, Progress, device_named, free, labelled


def run(job: Job, progress: Progress | None = None) -> dict[str, Any] | None:
    """Write results.json and, where points are made of estimated depth, depth/; where there are boxes, scores.json too.

    Raises:
        InputError: the checkpoint or the folder cannot be read, or results are there already.
    """
    results = free(job)
    task = read_pl_task(job.checkpoint).to(device_named(job.device))
    dataset = to_look_at(task.settings, job.dataroot, job.truth, version=job.version, scenes=job.scenes)
    job.out.mkdir(parents=True, exist_ok=True)
    scores, found = PlScores(task.settings), []
    estimated = task.net.depth is not None
    ranges = task.settings.augmentation.made().image
    step = task.settings.model.depth.points_stride
    with DepthFolder(job, ranges) if estimated else nullcontext() as depth:
        for said in predict(task, dataset, progress):
            found.append(said.found)
            scores.update(said, dataset.labels(said.index))
            if depth is not None:
                depth.add(dataset.keyframes[said.index], *(_at_pixels(m, step) for m in (said.depth_m, said.sigma_m)))
    write_results(results, found)
    if not job.score or not labelled(dataset):
        return None
    computed = scores.compute() | {"detection": devkit_scores(found, dataset, task.settings)}
    if estimated and job.pictures:
        computed["depth_gradient"] = _pulls(job, task, dataset)
    (job.out / "scores.json").write_text(json.dumps(computed, indent=1) + "\n")
    return computed


def _at_pixels(layer: Any, step: int) -> Any:
    """Of points (V,h,w) to pixels (V,H,W), as an array."""
    return np.repeat(np.repeat(layer, step, -2), step, -1)


def _pulls(job: Job, task: PlTask, dataset: NuScenesDepth) -> dict[str, float]:
    """Draw where depth is pulled, of keyframes spread evenly; mean share of the gradient, and of points, on objects."""
    shares = []
    folder = job.out / "pictures"
    folder.mkdir(exist_ok=True)
    for index in range(0, len(dataset), max(1, len(dataset) // job.pictures)):
        batch = task.transfer_batch_to_device(default_collate([dataset[index]]), task.device, 0)
        pulled = depth_gradient(task.net, batch)
        shares.append(pulled.shares())
        images = (batch["images"][0] * 255).round().byte().movedim(1, -1).cpu().numpy()
        picture = draw(images, pulled.slope[0].cpu().numpy(), pulled.foreground[0].cpu().numpy())
        keyframe = dataset.keyframes[index]
        cv2.imwrite(str(_path(folder, keyframe.scene, keyframe.sample_token)), picture[..., ::-1])
    of_pull, of_points = np.nanmean(np.array(shares), axis=0).tolist()
    return {"share on objects": of_pull, "share of points on objects": of_points}


def _path(folder: Path, scene: str, token: str) -> Path:
    return folder / f"{scene}-{token}.png"
