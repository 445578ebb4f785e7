"""A dataset for work that may run in another process."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from densegt.datasets.nuscenes import NuScenes


class RecordingHandle:
    """Each process opens the dataset for itself, once, when it first asks; what travels is where it lies."""

    def __init__(self, dataroot: Path, version: str | None) -> None:
        self.dataroot, self.version = dataroot, version

    @cached_property
    def dataset(self) -> NuScenes:
        """The dataset."""
        return NuScenes(self.dataroot, self.version)

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (self.dataroot, self.version)


@lru_cache(maxsize=1)
def _arrived(dataroot: Path, version: str | None) -> RecordingHandle:
    return RecordingHandle(dataroot, version)
