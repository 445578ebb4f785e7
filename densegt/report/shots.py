"""The pictures of a report: which images to show, and what is drawn of each."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.absent_images import has_no_images
from densegt.depth.depth_map import Source
from densegt.depth.store import ImageRecord
from densegt.errors import InputError
from densegt.report.draw import (
    colour_depth,
    error_picture,
    nearest_in_blocks,
    no_image,
    overlay,
    shrink,
    source_picture,
    uncertainty_picture,
)

TILE_WIDTH_PX = 480
_CHANNELS = ("CAM_FRONT_LEFT", "CAM_FRONT", "CAM_FRONT_RIGHT", "CAM_BACK_LEFT", "CAM_BACK", "CAM_BACK_RIGHT")

T = TypeVar("T")
Key = tuple[str, str]
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Tile:
    """One picture of a row: a heading and a data URI."""

    title: str
    uri: str


@dataclass(frozen=True)
class Shot:
    """One image of the store with all that is drawn of it."""

    channel: str
    filename: str
    coverage_percent: float
    tiles: list[Tile]


@dataclass(frozen=True)
class Moment:
    """One keyframe: its time from the scene's start and its cameras."""

    sample_token: str
    time_s: float
    shots: list[Shot]


def select(keys: dict[str, list[Key]], max_images: int) -> dict[str, list[list[Key]]]:
    """Which images to show: whole keyframes, spread evenly over scenes and time.

    Args:
        keys: (sample_token, channel) of every image in order of time, by scene.
        max_images: at most so many in all; fewer than a keyframe's cameras shows part of one.

    Returns:
        By scene, keyframes in order of time, each with its images in the cameras' usual order.
    """
    moments = {scene: _by_sample(images) for scene, images in keys.items() if images}
    if not moments or max_images < 1:
        return {}
    widest = max(len(m) for scene in moments.values() for m in scene)
    scenes = _spread(list(moments), max(1, max_images // widest))
    each = max(1, max_images // (len(scenes) * widest))
    return {scene: [m[:max_images] for m in _spread(moments[scene], each)] for scene in scenes}


def shoot(record: ImageRecord, truth: ImageRecord | None, dataroot: Path) -> Shot:
    """Draw one image of the store, and its error where the truth is known.

    Raises:
        InputError: the camera's image is not under `dataroot`, cannot be read, or truth is of another size.
    """
    factor = max(1, round(record.depth_m.shape[1] / TILE_WIDTH_PX))
    pick = nearest_in_blocks(record.depth_m, factor)
    depth_m = shrink(record.depth_m, pick, factor).astype(np.float32)
    if has_no_images(dataroot, record.filename):
        image = no_image(*depth_m.shape)
    else:
        image = _read_image(dataroot / record.filename, width_px=depth_m.shape[1], height_px=depth_m.shape[0])
    tiles = [Tile("Image", _jpeg(image))]
    if (record.source == Source.COMPLETED).any():
        tiles.append(Tile("Input", _jpeg(overlay(image, _given(record, factor)))))
    tiles.append(Tile("Depth", _jpeg(overlay(image, depth_m))))
    if "uncertainty" in record.layers:
        uncertainty_m = shrink(record.layers["uncertainty"], pick, factor).astype(np.float32)
        tiles.append(Tile("Uncertainty", _png(uncertainty_picture(uncertainty_m))))
    if truth is not None:
        _check_size(record, truth)
        exact = shrink(truth.depth_m, nearest_in_blocks(truth.depth_m, factor), factor).astype(np.float32)
        error = shrink(error_picture(record.depth_m, truth.depth_m), pick, factor).astype(np.uint8)
        tiles += [Tile("Error", _png(error)), Tile("Exact depth", _jpeg(colour_depth(exact)))]
    tiles.append(Tile("Source", _png(source_picture(shrink(record.source, pick, factor).astype(np.uint8)))))
    return Shot(
        channel=record.channel,
        filename=record.filename,
        coverage_percent=100 * float(np.count_nonzero(record.depth_m)) / max(record.depth_m.size, 1),
        tiles=tiles,
    )


def _given(record: ImageRecord, factor: int) -> NDArray[np.float32]:
    """What the depth was completed from, made smaller: all but what was filled."""
    given_m = np.where(record.source == Source.COMPLETED, np.float32(0), record.depth_m)
    return shrink(given_m, nearest_in_blocks(given_m, factor), factor).astype(np.float32)


def _by_sample(images: Sequence[Key]) -> list[list[Key]]:
    samples: dict[str, list[Key]] = {}
    for key in images:
        samples.setdefault(key[0], []).append(key)
    order = {channel: i for i, channel in enumerate(_CHANNELS)}
    return [sorted(m, key=lambda k: (order.get(k[1], len(order)), k[1])) for m in samples.values()]


def _spread(items: Sequence[T], n: int) -> list[T]:
    """At most n of the items, evenly spread; a single one is the middle one."""
    if n >= len(items):
        return list(items)
    at = np.linspace(0, len(items) - 1, n) if n > 1 else np.array([(len(items) - 1) / 2])
    return [items[i] for i in np.rint(at).astype(int)]


def _read_image(path: Path, *, width_px: int, height_px: int) -> Picture:
    """An image file as RGB (height_px, width_px, 3)."""
    import cv2

    if not path.is_file():
        raise InputError(f"{path}: no such image; --dataroot is the folder that the depth was made from")
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{path}: not a readable image")
    small = cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[..., ::-1], dtype=np.uint8)


def _check_size(record: ImageRecord, truth: ImageRecord) -> None:
    if record.depth_m.shape != truth.depth_m.shape:
        where = f"{record.scene}/{record.sample_token}/{record.channel}"
        raise InputError(f"{where}: depth is {record.depth_m.shape}, truth {truth.depth_m.shape}")


def _jpeg(picture: Picture) -> str:
    import cv2

    return _uri("jpeg", ".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 82])


def _png(picture: Picture) -> str:
    import cv2

    return _uri("png", ".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _uri(kind: str, suffix: str, picture: Picture, options: list[int]) -> str:
    import cv2

    ok, data = cv2.imencode(suffix, np.ascontiguousarray(picture[..., ::-1]), options)
    if not ok:
        raise OSError(f"cannot encode a picture of {picture.shape} as {kind}")
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode()}"
