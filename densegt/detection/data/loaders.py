"""Loaders of what is learned from and of what is held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from lightning import LightningDataModule
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset

from densegt.detection.data.batch import Batch
from densegt.detection.data.depth_dataset import DepthDataset
from densegt.training.sampler import ResumableSampler, place_of


class LoaderConfig(Protocol):
    """What loaders must know of a configuration."""

    @property
    def seed(self) -> int:
        """Of order and augmentation."""

    @property
    def batch(self) -> int:
        """Keyframes of one."""

    @property
    def loader_processes(self) -> int:
        """0 loads in the training's own."""


class NumberedSamples(Dataset[Batch]):
    """Samples of several recordings by number, without end.

    The same seed and number give the same sample with the same augmentation, in whatever process.
    """

    def __init__(self, datasets: Sequence[DepthDataset], seed: int) -> None:
        self._places = [(dataset, i) for dataset in datasets for i in range(len(dataset))]
        self._seed = seed

    def __len__(self) -> int:
        """Of one epoch."""
        return len(self._places)

    def __getitem__(self, number: int) -> Batch:
        dataset, index = self._places[number % len(self)]
        if not dataset.options.augmented:
            return dataset.sample(index)
        return dataset.augmented_sample(index, np.random.default_rng((self._seed, number)))


class DetectionData(LightningDataModule):
    """Loaders; each process of several has its part."""

    def __init__(self, learned: Sequence[DepthDataset], held_out: Sequence[DepthDataset], config: LoaderConfig) -> None:
        super().__init__()
        self._learned, self._held_out, self._config = learned, held_out, config

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled keyframes, augmented."""
        config, (rank, processes) = self._config, place_of(self)
        samples = NumberedSamples(self._learned, config.seed)
        order = ResumableSampler(len(samples), config.seed, rank, processes)
        return DataLoader(
            samples, config.batch, sampler=order, drop_last=len(order) >= config.batch,
            num_workers=config.loader_processes, persistent_workers=config.loader_processes > 0,
        )  # fmt: skip

    def val_dataloader(self) -> DataLoader[Batch]:
        """Keyframes as they are."""
        rank, processes = place_of(self)
        every: ConcatDataset[Batch] = ConcatDataset(self._held_out)
        own = Subset(every, range(rank, len(every), processes))
        return DataLoader(own, self._config.batch, num_workers=self._config.loader_processes)
