"""A drive: sensors' files and stamps, the car's path, calibration and labels; what KITTI raw and KITTI-360 share."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.kitti_raw.frames import Frames
from densegt.datasets.kitti_raw.rig import Rig
from densegt.datasets.kitti_raw.velodyne import lidar_model
from densegt.datasets.lidar_model import LidarModel
from densegt.datasets.pose_path import PosePath
from densegt.datasets.recording import some
from densegt.datasets.scene import Track
from densegt.errors import InputError

NUMBER_DIGITS = 10

_LOG = logging.getLogger(__name__)


@lru_cache(maxsize=256)
def warn_once(message: str) -> None:
    """Log a warning, however often a recording is opened in this process."""
    _LOG.warning(message)


class Drive(ABC):
    """One drive.

    Attributes:
        name: of the scene it becomes.
        sweeps: the velodyne's.
        images: of each camera that has any, by channel.
    """

    def __init__(self, name: str, sweeps: Frames, images: dict[str, Frames]) -> None:
        self.name = name
        self.sweeps = sweeps
        self.images = images

    @cached_property
    @abstractmethod
    def rig(self) -> Rig:
        """Where the sensors sit."""

    @cached_property
    @abstractmethod
    def path(self) -> PosePath:
        """The ego's path."""

    @cached_property
    @abstractmethod
    def tracks(self) -> tuple[Track, ...]:
        """The labelled objects, empty where there are none."""

    @abstractmethod
    def description(self) -> list[Path]:
        """The small files that all of this is read from."""

    @cached_property
    def stamps_us(self) -> NDArray[np.int64]:
        """Stamps of all sweeps (N,), those without a file too.

        Raises:
            InputError: they do not increase.
        """
        stamps_us = self.sweeps.stamps_us
        backward = np.flatnonzero(np.diff(stamps_us) <= 0)
        if len(backward):
            raise InputError(f"{self.sweeps.timestamps}: line {backward[0] + 2} is not after the stamp before it")
        return stamps_us

    @property
    def turns_us(self) -> NDArray[np.int64]:
        """Duration of each turn, as far as the stamps tell."""
        return np.diff(self.stamps_us)

    @property
    def lidar_model(self) -> LidarModel:
        """How the velodyne turns."""
        turns_us = self.turns_us
        return lidar_model(float(np.median(turns_us)) * 1e-6 if len(turns_us) else 0.0)

    @cached_property
    def frames(self) -> NDArray[np.intp]:
        """Numbers (N,) of the sweeps that are there and whose pose is known; the others are named in one line.

        Raises:
            InputError: there is none.
        """
        there = np.array(list(self.sweeps.files), dtype=np.intp)
        known = self.path.knows(self.stamps_us[there])
        if not known.any():
            raise InputError(f"{self.sweeps.data}: at none of its {len(there)} sweeps a pose is known")
        self._say("missing", self.sweeps.missing)
        self._say("left out, for no pose is known", there[~known].tolist())
        return there[known]

    def _say(self, what: str, numbers: list[int]) -> None:
        if numbers:
            names = some([f"{number:0{NUMBER_DIGITS}d}" for number in numbers])
            warn_once(f"{self.sweeps.data}: {len(numbers)} of {len(self.stamps_us)} sweeps {what}: {names}")

    def token(self, number: int) -> str:
        """A frame's token."""
        return f"{self.name}_{number:0{NUMBER_DIGITS}d}"

    def fingerprint(self, keyframes: Sequence[int], at_image_stamps: bool) -> str:
        """Digest of the small files' contents and of the names of sweeps and keyframes' images."""
        digest = sha256(f"densegt drive 1 {at_image_stamps}".encode())
        for path in self.description():
            data = path.read_bytes() if path.is_file() else b""
            digest.update(f"{path.name} {len(data)} ".encode())
            digest.update(data)
        digest.update(repr((list(self.sweeps.files), list(keyframes))).encode())
        for channel, images in self.images.items():
            names = [images.files[n].name for n in keyframes if n in images.files]
            digest.update(repr((channel, names)).encode())
        return digest.hexdigest()
