"""The order in which samples are seen, which an interrupted training goes on with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from lightning import LightningDataModule
from torch.utils.data import Sampler


class ResumableSampler(Sampler[int]):
    """Indices of an epoch, shuffled, each epoch others; every process of several takes its part of them.

    Lightning tells the epoch, also when it goes on with an interrupted training.
    """

    def __init__(self, count: int, seed: int, rank: int, processes: int) -> None:
        self._count, self._seed, self._rank, self._processes = count, seed, rank, processes
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Which comes next."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._count // self._processes

    def __iter__(self) -> Iterator[int]:
        shuffled = np.random.default_rng((self._seed, self._epoch)).permutation(self._count)
        mine = shuffled[self._rank :: self._processes][: len(self)]
        return iter((self._epoch * self._count + mine).tolist())


def place_of(data: LightningDataModule) -> tuple[int, int]:
    """Which process this is, of how many."""
    return (data.trainer.global_rank, data.trainer.world_size) if data.trainer else (0, 1)
