"""Whole images with their objects, and the loaders of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Subset

from densegt.datasets.scene import Camera
from densegt.detection.data.augment import ImageRanges, image_affine
from densegt.detection.data.depth_dataset import DepthDataset
from densegt.detection.data.warp import warp_image
from densegt.detection.mono.augment import relit
from densegt.detection.mono.batch import MonoBatch, mirrored
from densegt.detection.mono.config import AugmentConfig, MonoConfig
from densegt.detection.mono.image_batch import MonoImage, MonoImageBatch, MonoImageKeyframe, chosen, collated
from densegt.detection.mono.keyframe_objects import ImageObjects, KeyframeObjects, joined
from densegt.detection.mono.numbers import MASKED
from densegt.detection.mono.objects_2d import Objects2d
from densegt.geometry import se3
from densegt.training.sampler import ResumableSampler, place_of

Float64 = NDArray[np.float64]
# Of a box's area, seen in the input: with less it is of another shape than its numbers say, and does not count.
WHOLE = 0.95


class MonoImageDataset(KeyframeObjects, Dataset[MonoImageKeyframe]):
    """A sample is a keyframe with its images.

    Args:
        size: (height, width) px of the network's input.
    """

    def __init__(
        self, frames: DepthDataset, objects: Objects2d, classes: Sequence[str], *, size: tuple[int, int],
        min_height: float, told_by: str,
    ) -> None:  # fmt: skip
        super().__init__(frames, objects, classes, crop_px=0, min_height=min_height, told_by=told_by)
        self._size = size
        self.places = [(index, camera) for index, frame in enumerate(self.keyframes) for camera in frame.cameras]
        self._kept: list[ImageObjects] | None = None

    def kept(self) -> list[ImageObjects]:
        """Of all places, kept from the first time on."""
        if self._kept is None:
            self._kept = list(self.images())
        return self._kept

    def objects(self) -> MonoBatch:
        """See `KeyframeObjects`."""
        return joined([image.objects for image in self.kept()])

    def __getitem__(self, index: int) -> MonoImageKeyframe:
        if not 0 <= index < len(self):
            raise IndexError(index)
        keyframe = self.keyframes[index]
        T_ref_global = se3.inverse(keyframe.T_global_ego)
        given = [self.of_camera(index, camera) for camera in keyframe.cameras]
        seen = [self._seen(camera, ImageRanges(), None) for camera in keyframe.cameras]
        sizes = [(camera.height_px, camera.width_px) for camera in keyframe.cameras]
        counts = torch.tensor([len(image.box_px) for image in given])
        return {
            "images": torch.from_numpy(np.stack([np.moveaxis(image, -1, 0) for image, _ in seen])),
            "A": torch.from_numpy(np.stack([A for _, A in seen])),
            "K": torch.from_numpy(np.stack([camera.K for camera in keyframe.cameras])),
            "T_ref_cam": torch.from_numpy(np.stack([T_ref_global @ c.T_global_cam for c in keyframe.cameras])),
            "size_px": torch.tensor(sizes),
            "objects": joined([image.objects for image in given]),
            "of": torch.repeat_interleave(torch.arange(len(given)), counts),
            "box_px": torch.from_numpy(np.concatenate([image.box_px for image in given])),
            "sample_token": keyframe.sample_token, "scene": keyframe.scene,
            "T_global_ref": torch.from_numpy(keyframe.T_global_ego),
        }  # fmt: skip

    def image_at(self, place: int, rng: np.random.Generator | None, how: AugmentConfig) -> MonoImage:
        """An image with its objects, varied where there is a generator."""
        _, camera = self.places[place]
        known = self.kept()[place]
        image, A = self._seen(camera, ImageRanges() if rng is None else how.image_ranges(), rng)
        if rng is not None:
            image = relit(image, rng, how)
        box_px, share = _in_input(known.box_px, A, self._size)
        low_px, low_share = _in_input(known.low_px, A, self._size)
        counts, there = share >= WHOLE, share > 0
        objects = chosen(known.objects, torch.from_numpy(counts))
        # No mask is an input of this network.
        objects["numbers"] = objects["numbers"].clone()
        objects["numbers"][:, MASKED] = 0
        kind = known.objects["kind"].numpy()[there & ~counts]
        return {
            "image": torch.from_numpy(np.moveaxis(image, -1, 0).copy()),
            "objects": mirrored(objects) if A[0, 0] < 0 else objects,
            "box_px": torch.from_numpy(box_px[counts]).float(),
            "other_px": torch.from_numpy(np.concatenate([box_px[there & ~counts], low_px[low_share > 0]])).float(),
            "other_kind": torch.from_numpy(np.concatenate([kind, known.low_kind[low_share > 0]])),
        }

    def _seen(
        self, camera: Camera, ranges: ImageRanges, rng: np.random.Generator | None
    ) -> tuple[NDArray[np.uint8], Float64]:
        """(h,w,3) that the network takes, and what takes an image's pixels to its."""
        A = image_affine((camera.height_px, camera.width_px), self._size, ranges, rng)
        return warp_image(self.frames.image(camera), A, self._size), A


class MonoImages(Dataset[MonoImage]):
    """Images of all keyframes by number without end; the same seed and number give the same sample.

    Args:
        augmented: draw how they are varied, and mirror half of them.
    """

    def __init__(self, datasets: Sequence[MonoImageDataset], config: MonoConfig, *, augmented: bool) -> None:
        self._places = [(dataset, place) for dataset in datasets for place in range(len(dataset.kept()))]
        self._config, self._augmented = config, augmented

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> MonoImage:
        dataset, place = self._places[number % len(self)]
        rng = np.random.default_rng((self._config.seed, number)) if self._augmented else None
        return dataset.image_at(place, rng, self._config.augment)


class MonoImageData(LightningDataModule):
    """Loaders; each process of several has its part."""

    def __init__(
        self, learned: Sequence[MonoImageDataset], held_out: Sequence[MonoImageDataset], config: MonoConfig
    ) -> None:
        super().__init__()
        self._config = config
        self.learned = MonoImages(learned, config, augmented=True)
        self._held_out = MonoImages(held_out, config, augmented=False)

    def train_dataloader(self) -> DataLoader[MonoImageBatch]:
        """Shuffled images, half of them mirrored."""
        rank, processes = place_of(self)
        order = ResumableSampler(len(self.learned), self._config.seed, rank, processes)
        return self._loader(self.learned, sampler=order, drop_last=len(order) >= self._config.batch)

    def val_dataloader(self) -> DataLoader[MonoImageBatch]:
        """Images as they are."""
        rank, processes = place_of(self)
        return self._loader(Subset(self._held_out, range(rank, len(self._held_out), processes)))

    def _loader(self, images: Dataset[MonoImage], **how: Any) -> DataLoader[MonoImageBatch]:
        workers = self._config.loader_processes
        made: DataLoader[Any] = DataLoader(
            images, self._config.batch, num_workers=workers, persistent_workers=workers > 0, collate_fn=collated, **how
        )
        return made


def _in_input(box_px: Float64, A: Float64, size: tuple[int, int]) -> tuple[Float64, Float64]:
    """Boxes (N,4) px of an image in the network's input, cut at its edges, and what share (N,) of each is in it."""
    ends = np.stack([box_px[:, :2], box_px[:, 2:]], 1) @ A[:2, :2].T + A[:2, 2]
    low, high = ends.min(1), ends.max(1)
    edges = np.array([size[1], size[0]]) - 0.5
    inside = np.concatenate([np.clip(low, -0.5, edges), np.clip(high, -0.5, edges)], 1)
    share = np.prod(inside[:, 2:] - inside[:, :2], axis=1) / np.maximum(np.prod(high - low, axis=1), 1e-9)
    return inside, share
