"""Objects of keyframes in their views, and the loaders of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from densegt.datasets.keyframes import Keyframe
from densegt.datasets.scene import Camera, Track
from densegt.detection.data.depth_dataset import DepthDataset
from densegt.detection.data.labels import Labels
from densegt.detection.mono.augment import varied
from densegt.detection.mono.batch import MonoBatch, MonoKeyframe, mirrored
from densegt.detection.mono.config import AugmentConfig, MonoConfig
from densegt.detection.mono.evidence import POINTS, RAYS, gather
from densegt.detection.mono.labels_3d import Label3d, label_of, labels_at
from densegt.detection.mono.objects_2d import Object2d, Objects2d
from densegt.detection.mono.view import View
from densegt.geometry import se3
from densegt.training.sampler import ResumableSampler, place_of

Float64 = NDArray[np.float64]
# A common vehicle is as high. Ground seen nearer to the horizon than this tangent is no measure, nor is it to a camera
# that is lower than this over what the ego frame takes for the ground.
VEHICLE_M, HORIZON, LOWEST_M = 1.7, -0.01, 0.3


class MonoDataset(Dataset[MonoKeyframe]):
    """A sample is a keyframe with the objects of its images.

    Args:
        frames: gives keyframes, images and depth.
        objects: gives 2D boxes and masks.
        classes: objects of these are kept.
        min_height: tangent of a box's height; lower ones are left out.
        told_by: where 2D boxes come from, in words.
    """

    def __init__(
        self, frames: DepthDataset, objects: Objects2d, classes: Sequence[str], *, crop_px: int, min_height: float,
        told_by: str,
    ) -> None:  # fmt: skip
        self._frames, self._objects, self._classes = frames, objects, tuple(classes)
        self._crop_px, self._min_height = crop_px, min_height
        self.recording, self.keyframes = frames.recording, frames.keyframes
        self.told_by = told_by
        self._tracks: dict[str, tuple[Track, ...]] = {}
        self._together: MonoBatch | None = None

    def __len__(self) -> int:
        return len(self.keyframes)

    def labels(self, index: int) -> Labels:
        """See `DepthDataset`."""
        return self._frames.labels(index)

    def objects(self) -> MonoBatch:
        """Those of all keyframes, kept from the first time on."""
        if self._together is None:
            self._together = joined([self[i]["objects"] for i in range(len(self))])
        return self._together

    def __getitem__(self, index: int) -> MonoKeyframe:
        if not 0 <= index < len(self):
            raise IndexError(index)
        keyframe = self.keyframes[index]
        T_ref_global = se3.inverse(keyframe.T_global_ego)
        rows = [row for camera in keyframe.cameras for row in self._of_camera(index, keyframe, camera, T_ref_global)]
        return {
            "objects": _stacked(rows, self._crop_px), "sample_token": keyframe.sample_token, "scene": keyframe.scene,
            "T_global_ref": torch.from_numpy(keyframe.T_global_ego),
        }  # fmt: skip

    def _of_camera(self, index: int, keyframe: Keyframe, camera: Camera, T_ref_global: Float64) -> list[dict[str, Any]]:
        T_ref_cam = T_ref_global @ camera.T_global_cam
        things = self._objects.objects(keyframe, camera)
        views = [(thing, View.of(camera, T_ref_cam, thing.box_px)) for thing in things if thing.name in self._classes]
        views = [(thing, view) for thing, view in views if view.box_ab[3] - view.box_ab[2] >= self._min_height]
        if not views:
            return []
        image, layers = self._frames.image(camera), self._frames.layers(keyframe, camera)
        labels = labels_at(self._tracks_of(keyframe.scene), keyframe, camera)
        out = []
        for number, (thing, view) in enumerate(views):
            # The same evidence whatever was asked for before.
            rng = np.random.default_rng((index, camera.timestamp_us % 2**31, number))
            evidence = gather(thing, things, view, layers, rng)
            cut = _cut(thing.box_px, camera)
            label = label_of(thing, labels, camera)
            out.append({
                "image": np.moveaxis(view.crop(image, self._crop_px), -1, 0).copy(),
                "numbers": _numbers(view, cut, thing), "kind": self._classes.index(thing.name), "score": thing.score,
                "box_ab": view.box_ab, "cut": cut, "pixel": view.pixel, **evidence._asdict(),
                "box": _in_view(label, view, T_ref_global), "box_weight": 0.0 if label is None else 1.0,
                "moving": np.nan if label is None or label.moving is None else float(label.moving),
                "T_ref_view": view.T_ref_view,
            })  # fmt: skip
        return out

    def _tracks_of(self, scene: str) -> tuple[Track, ...]:
        if scene not in self._tracks:
            self._tracks[scene] = self.recording.scene(scene, keyframes_only=True).tracks
        return self._tracks[scene]


class MonoObjects(Dataset[MonoBatch]):
    """Objects of all keyframes in memory, by number without end; the same seed and number give the same sample.

    Args:
        augment: how they are varied, and half of them mirrored; None leaves them as they are.
    """

    def __init__(self, datasets: Sequence[MonoDataset], seed: int, augment: AugmentConfig | None) -> None:
        self._all = joined([dataset.objects() for dataset in datasets])
        self._seed, self._augment = seed, augment

    def __len__(self) -> int:
        return len(self._all["kind"])

    def __getitem__(self, number: int) -> MonoBatch:
        place = number % len(self)
        one = cast(MonoBatch, {name: cast(Any, self._all)[name][place] for name in self._all})
        if self._augment is None:
            return one
        rng = np.random.default_rng((self._seed, number))
        if rng.random() < 0.5:
            one = mirrored(one)
        return {**one, "image": torch.from_numpy(varied(one["image"].numpy(), rng, self._augment))}


class MonoData(LightningDataModule):
    """Loaders; each process of several has its part."""

    def __init__(self, learned: Sequence[MonoDataset], held_out: Sequence[MonoDataset], config: MonoConfig) -> None:
        super().__init__()
        self._config = config
        self.learned = MonoObjects(learned, config.seed, config.augment)
        self._held_out = MonoObjects(held_out, config.seed, None)

    def train_dataloader(self) -> DataLoader[MonoBatch]:
        """Shuffled objects, half of them mirrored."""
        rank, processes = place_of(self)
        order = ResumableSampler(len(self.learned), self._config.seed, rank, processes)
        return DataLoader(
            self.learned, self._config.batch, sampler=order, drop_last=len(order) >= self._config.batch,
            num_workers=self._config.loader_processes, persistent_workers=self._config.loader_processes > 0,
        )  # fmt: skip

    def val_dataloader(self) -> DataLoader[MonoBatch]:
        """Objects as they are."""
        rank, processes = place_of(self)
        own = torch.utils.data.Subset(self._held_out, range(rank, len(self._held_out), processes))
        return DataLoader(own, self._config.batch, num_workers=self._config.loader_processes)


def joined(parts: Sequence[MonoBatch]) -> MonoBatch:
    """All objects of several batches."""
    return cast(MonoBatch, {name: torch.cat([cast(Any, part)[name] for part in parts]) for name in parts[0]})


def _cut(box_px: Float64, camera: Camera) -> NDArray[np.bool_]:
    """Whether a box ends at the image's right, left, bottom and top edge."""
    left, top, right, bottom = box_px
    return np.array([right >= camera.width_px - 1, left <= 0, bottom >= camera.height_px - 1, top <= 0])


def _numbers(view: View, cut: NDArray[np.bool_], thing: Object2d) -> NDArray[np.float32]:
    right, left, bottom, top = view.box_ab
    height = top - bottom
    shape = [np.log(height) + 2.5, np.log((left - right) / height), 4 * (top + bottom) / 2]
    camera_m = view.T_ref_view[2, 3]
    told = bool(bottom < HORIZON and camera_m > LOWEST_M and not cut[2])
    # Both are the same where a vehicle as high as that stands on the ground as the reference frame has it.
    farther = np.log(camera_m / -bottom) - np.log(VEHICLE_M / height) if told else 0.0
    return np.array([*shape, *cut, thing.mask is not None, np.clip(farther, -1, 1), told], np.float32)


def _in_view(label: Label3d | None, view: View, T_ref_global: Float64) -> NDArray[np.float32]:
    """(7,) see `MonoBatch`."""
    if label is None:
        return np.full(7, np.nan, np.float32)
    T = se3.inverse(view.T_ref_view) @ T_ref_global @ label.T_global_box
    return np.array([*T[:3, 3], *label.size_lwh_m, np.arctan2(T[1, 0], T[0, 0])], np.float32)


def _stacked(rows: list[dict[str, Any]], crop_px: int) -> MonoBatch:
    """As tensors; of no object too."""
    shapes: dict[str, tuple[tuple[int, ...], Any]] = {
        "image": ((3, crop_px, crop_px), np.uint8), "numbers": ((10,), np.float32), "kind": ((), np.int64),
        "score": ((), np.float32), "box_ab": ((4,), np.float32), "cut": ((4,), np.bool_), "pixel": ((), np.float32),
        "points": ((POINTS, 3), np.float32), "point_weight": ((POINTS,), np.float32), "rays": ((RAYS, 3), np.float32),
        "inside": ((RAYS,), np.float32), "ray_weight": ((RAYS,), np.float32), "box": ((7,), np.float32),
        "box_weight": ((), np.float32), "moving": ((), np.float32), "T_ref_view": ((4, 4), np.float64),
    }  # fmt: skip
    stacked = {
        name: torch.from_numpy(np.array([row[name] for row in rows], dtype).reshape(len(rows), *shape))
        for name, (shape, dtype) in shapes.items()
    }
    return cast(MonoBatch, stacked)
