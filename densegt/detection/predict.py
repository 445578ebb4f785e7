"""A trained detector on a nuScenes-format folder: result JSON, depth maps as a depth store, pictures, scores."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from densegt.datasets.keyframes import Keyframe
from densegt.datasets.nuscenes.results import write_results
from densegt.datasets.scene import Camera
from densegt.depth.depth_map import Source
from densegt.depth.store import SceneWriter, encode_depth
from densegt.detection.checkpoint import read_task
from densegt.detection.data.augment import ImageRanges, image_affine
from densegt.detection.data.dataset import NuScenesDepth, Supervision
from densegt.detection.infer import predict
from densegt.detection.picture import draw
from densegt.detection.scoring.scores import Scores
from densegt.detection.train_config import LssConfig
from densegt.errors import InputError

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Job:
    """What to look at, and where to write.

    Attributes:
        truth: a store of depth to score against; without one it is the lidar's own sweep.
        pictures: as many are drawn, spread evenly over the keyframes.
        score: compare with the folder's boxes.
        device: as torch names it; `auto` is the GPU where there is one.
    """

    checkpoint: Path
    dataroot: Path
    out: Path
    version: str | None = None
    scenes: tuple[str, ...] | None = None
    truth: Path | None = None
    pictures: int = 12
    score: bool = True
    device: str = "auto"
    overwrite: bool = False


def run(job: Job, progress: Progress | None = None) -> dict[str, Any] | None:
    """Write results.json, depth/, pictures/ and, where there are boxes, scores.json; gives the scores.

    Raises:
        InputError: the checkpoint or the folder cannot be read, or results are there already.
    """
    results = free(job)
    task = read_task(job.checkpoint).to(device_named(job.device))
    dataset = to_look_at(task.settings, job.dataroot, job.truth, job.version, job.scenes)
    job.out.mkdir(parents=True, exist_ok=True)
    scores = Scores(task.settings)
    every = max(1, len(dataset) // max(job.pictures, 1))
    ranges = task.settings.augmentation.made().image
    with DepthFolder(job, ranges) as depth:
        for said in predict(task, dataset, progress):
            keyframe = dataset.keyframes[said.index]
            scores.update(said)
            depth.add(keyframe, said.depth_m, said.sigma_m)
            if job.pictures and said.index % every == 0:
                path = job.out / "pictures" / f"{keyframe.scene}-{keyframe.sample_token}.png"
                path.parent.mkdir(exist_ok=True)
                cv2.imwrite(str(path), draw(said, task.net.lift.grid)[..., ::-1])
    write_results(results, scores.found)
    if not job.score or not labelled(dataset):
        return None
    found = scores.compute(dataset)
    (job.out / "scores.json").write_text(json.dumps(found, indent=1) + "\n")
    return found


def free(job: Job) -> Path:
    """Where results go.

    Raises:
        InputError: there are some already, and they are not to be replaced.
    """
    results = job.out / "results.json"
    if results.exists() and not job.overwrite:
        raise InputError(f"{results}: exists already; --overwrite replaces it")
    return results


def labelled(dataset: NuScenesDepth) -> bool:
    """Is there any box to score against."""
    return any(len(dataset.labels(i)) for i in range(len(dataset)))


def device_named(name: str) -> torch.device:
    """As torch names it; `auto` is the GPU where there is one.

    Raises:
        InputError: there is no such device.
    """
    try:
        device = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name}: {str(error).splitlines()[0]}") from None
    return device


def to_look_at(
    config: LssConfig,
    dataroot: Path,
    truth: Path | None = None,
    version: str | None = None,
    scenes: tuple[str, ...] | None = None,
) -> NuScenesDepth:
    """A folder as the network wants it, nothing drawn; depth is the truth to score against."""
    supervision: Supervision = "sparse" if truth is None else "completed"
    return NuScenesDepth(
        dataroot, truth, supervision=supervision, size=config.model.size, ranges=config.augmentation.made(),
        with_sweep=config.model.edge_input,
        previous=config.model.frames == 2, version=version, scenes=scenes, min_points=config.min_points,
    )  # fmt: skip


class DepthFolder:
    """The depth store that predictions go to, a scene's file open at a time."""

    def __init__(self, job: Job, ranges: ImageRanges) -> None:
        self._job, self._ranges = job, ranges
        self._scene, self._stack = "", ExitStack()
        self._writer: SceneWriter | None = None
        self._config = {"predict": {"checkpoint": job.checkpoint.name, "dataroot": str(job.dataroot)}}

    def __enter__(self) -> DepthFolder:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def add(self, keyframe: Keyframe, depth_m: NDArray[np.float32], sigma_m: NDArray[np.float32]) -> None:
        """Write a keyframe's maps (V,h,w), of the network's input, at the size of its images."""
        if keyframe.scene != self._scene:
            self._stack.close()
            writer = SceneWriter(self._job.out / "depth", keyframe.scene, self._config, overwrite=True)
            self._scene, self._writer = keyframe.scene, self._stack.enter_context(writer)
        assert self._writer is not None
        for camera, depth, sigma in zip(keyframe.cameras, depth_m, sigma_m, strict=True):
            self._writer.write_layers(camera, full_size(camera, depth, sigma, self._ranges))


def full_size(
    camera: Camera, depth_m: NDArray[np.float32], sigma_m: NDArray[np.float32], ranges: ImageRanges
) -> dict[str, NDArray[Any]]:
    """Layers of a store (H,W) from what the network says of its input (h,w); 0 where it was cut off."""
    size = (camera.height_px, camera.width_px)
    A = image_affine(size, (depth_m.shape[0], depth_m.shape[1]), ranges, None)
    # Nothing is drawn, so rows and columns do not mix.
    row = np.floor(A[1, 1] * np.arange(size[0]) + A[1, 2] + 0.5).astype(np.intp)
    column = np.floor(A[0, 0] * np.arange(size[1]) + A[0, 2] + 0.5).astype(np.intp)
    seen = np.ix_((row >= 0) & (row < depth_m.shape[0]), (column >= 0) & (column < depth_m.shape[1]))
    of = np.ix_(row[seen[0].ravel()], column[seen[1].ravel()])
    depth, sigma = np.zeros(size, np.float32), np.zeros(size, np.float16)
    depth[seen], sigma[seen] = depth_m[of], sigma_m[of]
    steps = encode_depth(depth)
    source = np.where(steps > 0, np.uint8(Source.COMPLETED), np.uint8(Source.NONE))
    return {"depth": steps, "source": source, "uncertainty": np.where(steps > 0, sigma, np.float16(0))}
