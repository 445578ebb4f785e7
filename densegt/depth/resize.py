"""Depth at the size of a network's images: each small pixel takes the nearest depth of those it stands for."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.depth.store import ImageRecord
from densegt.errors import InputError


class Picked(NamedTuple):
    """Which pixel each small pixel takes: (N,) indices into the flat images, large and small."""

    large: NDArray[np.intp]
    small: NDArray[np.intp]


def pick_nearest(depth_m: NDArray[np.float32], size: tuple[int, int]) -> Picked:
    """The nearest known depth for each pixel of a smaller image; those without one are left out.

    Averaging would put depths into the air between two surfaces, and skipping would lose what is sparse.

    Args:
        depth_m: (H,W), 0 = unknown.
        size: (width, height) px, at most W and H.
    """
    (width, height), (rows, columns) = size, depth_m.shape
    row, column = np.nonzero(depth_m)
    # By where a pixel's centre lies.
    small = (2 * row + 1) * height // (2 * rows) * width + (2 * column + 1) * width // (2 * columns)
    large = row * columns + column
    far_to_near = np.argsort(-depth_m[row, column], kind="stable")
    last = np.full(width * height, -1, dtype=np.intp)
    last[small[far_to_near]] = large[far_to_near]
    taken = np.flatnonzero(last >= 0)
    return Picked(last[taken], taken)


def check_smaller(record: ImageRecord, size: tuple[int, int]) -> None:
    """Whether a size is at most the image's.

    Raises:
        InputError: it is not; depth is not invented between pixels.
    """
    (width, height), (rows, columns) = size, record.depth_m.shape
    if width > columns or height > rows:
        where = f"{record.scene}/{record.sample_token}/{record.channel}"
        raise InputError(f"{where}: {columns}x{rows} px, less than {width}x{height}; choose a smaller --image-size")


def resized(record: ImageRecord, size: tuple[int, int]) -> ImageRecord:
    """An image at a smaller (width, height): depth, source and further layers of the pixels picked, K to match.

    Raises:
        InputError: the size is larger than the image.
    """
    check_smaller(record, size)
    (width, height), (rows, columns) = size, record.depth_m.shape
    picked = pick_nearest(record.depth_m, size)

    def shrink(layer: NDArray[np.generic]) -> NDArray[np.generic]:
        out = np.zeros(width * height, dtype=layer.dtype)
        out[picked.small] = layer.ravel()[picked.large]
        return out.reshape(height, width)

    # Pixel centres are integers: column c spans c - 0.5 to c + 0.5.
    scale = np.diag([width / columns, height / rows, 1.0])
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return replace(
        record,
        depth_m=shrink(record.depth_m).astype(np.float32),
        source=shrink(record.source).astype(np.uint8),
        layers={name: shrink(layer) for name, layer in record.layers.items()},
        K=np.linalg.inv(half) @ scale @ half @ record.K,
    )


def thinned(record: ImageRecord, size: tuple[int, int]) -> ImageRecord:
    """An image at its own size with the depth alone of the pixels that a smaller one would take.

    Raises:
        InputError: the size is larger than the image.
    """
    check_smaller(record, size)
    depth_m = np.zeros_like(record.depth_m)
    picked = pick_nearest(record.depth_m, size)
    depth_m.ravel()[picked.large] = record.depth_m.ravel()[picked.large]
    return replace(record, depth_m=depth_m)
