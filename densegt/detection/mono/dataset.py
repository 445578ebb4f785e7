"""Objects of keyframes in their views, and the loaders of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from lightning import LightningDataModule
from torch.utils.data import DataLoader, Dataset

from densegt.detection.mono.augment import varied
from densegt.detection.mono.batch import MonoBatch, MonoKeyframe, mirrored
from densegt.detection.mono.config import AugmentConfig, MonoConfig
from densegt.detection.mono.keyframe_objects import KeyframeObjects, joined
from densegt.training.sampler import ResumableSampler, place_of


class MonoDataset(KeyframeObjects, Dataset[MonoKeyframe]):
    """A sample is a keyframe with the objects of its images."""

    def __getitem__(self, index: int) -> MonoKeyframe:
        if not 0 <= index < len(self):
            raise IndexError(index)
        keyframe = self.keyframes[index]
        return {
            "objects": joined([self.of_camera(index, camera).objects for camera in keyframe.cameras]),
            "sample_token": keyframe.sample_token, "scene": keyframe.scene,
            "T_global_ref": torch.from_numpy(keyframe.T_global_ego),
        }  # fmt: skip


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
