"""Images and depth layers from disk, the last of them kept in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.depth.camera_image import read_image
from densegt.depth.store import SceneReader
from densegt.detection.data.depth_layers import USED, DepthLayers, layers_of_record
from densegt.geometry.distortion import Distortion


@dataclass(frozen=True)
class CachedFiles:
    """How files are read; a process's own, so that nothing open or remembered crosses a fork.

    Attributes:
        image: (H,W,3) of a path, a distortion to take away, a height and a width in px.
        layers: depth and K of a scene's file, a sample's token, a channel and a supervision.
    """

    image: Callable[[Path, Distortion | None, int, int], NDArray[np.uint8]]
    layers: Callable[[Path, str, str, str], tuple[DepthLayers, NDArray[np.float64]]]


@lru_cache(maxsize=4)
def cached_files(keep: int) -> CachedFiles:
    """Readers that keep as many images, and as many depth maps, in memory."""
    if not keep:
        return CachedFiles(_read_image, _read_layers)
    return CachedFiles(lru_cache(maxsize=keep)(_read_image), lru_cache(maxsize=keep)(_read_layers))


def _read_image(path: Path, distortion: Distortion | None, height_px: int, width_px: int) -> NDArray[np.uint8]:
    return read_image(path, distortion, size=(width_px, height_px))


def _read_layers(
    path: Path, sample_token: str, channel: str, supervision: str
) -> tuple[DepthLayers, NDArray[np.float64]]:
    record = _reader(path).read(sample_token, channel, layers=USED)
    return layers_of_record(record, supervision), record.K


# More scenes than a recording has: to list a scene's images takes as long as to read a dozen of them.
@lru_cache(maxsize=2048)
def _reader(path: Path) -> SceneReader:
    return SceneReader(path)
