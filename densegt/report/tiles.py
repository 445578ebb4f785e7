"""Tiles of a report: which images are shown, and the pictures of each."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.absent_images import has_no_images
from densegt.depth.camera_image import read_image
from densegt.depth.depth_map import Source
from densegt.depth.store import ImageRecord
from densegt.errors import InputError
from densegt.report.camera_order import camera_order
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
# Headings, the same as the buttons of `densegt view`.
IMAGE, MEASURED, COMPLETED, UNCERTAINTY = "Image", "Measured", "Completed", "Uncertainty"
GROUND_TRUTH, ERROR, SOURCE = "Ground truth", "Error", "Source"

T = TypeVar("T")
Key = tuple[str, str]
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class ReportTile:
    """One picture of a row: a heading and a data URI."""

    title: str
    uri: str


@dataclass(frozen=True)
class ImageTiles:
    """One image of the store and its pictures."""

    channel: str
    filename: str
    coverage_percent: float
    tiles: list[ReportTile]


@dataclass(frozen=True)
class KeyframeTiles:
    """One keyframe: its time since the scene's start and its images."""

    sample_token: str
    time_s: float
    images: list[ImageTiles]


def select_keyframes(keys: dict[str, list[Key]], max_images: int) -> dict[str, list[list[Key]]]:
    """Images to show: whole keyframes, spread evenly over scenes and time.

    Args:
        keys: (sample_token, channel) of every image in order of time, by scene.
        max_images: at most so many in all; fewer than a keyframe's cameras shows part of one.

    Returns:
        By scene, keyframes in order of time, each with its images by `camera_order`.
    """
    keyframes = {scene: _by_sample(images) for scene, images in keys.items() if images}
    if not keyframes or max_images < 1:
        return {}
    widest = max(len(images) for scene in keyframes.values() for images in scene)
    scenes = _spread(list(keyframes), max(1, max_images // widest))
    each = max(1, max_images // (len(scenes) * widest))
    return {scene: [images[:max_images] for images in _spread(keyframes[scene], each)] for scene in scenes}


def draw_tiles(record: ImageRecord, truth: ImageRecord | None, image_root: Path) -> ImageTiles:
    """Pictures of one image of the store, and of its error where the truth is known.

    Raises:
        InputError: the camera's image is not under `image_root`, cannot be read, or truth is of another size.
    """
    factor = max(1, round(record.depth_m.shape[1] / TILE_WIDTH_PX))
    pick = nearest_in_blocks(record.depth_m, factor)
    depth_m = shrink(record.depth_m, pick, factor).astype(np.float32)
    image = _image(image_root, record, width_px=depth_m.shape[1], height_px=depth_m.shape[0])
    tiles = [ReportTile(IMAGE, _jpeg(image)), ReportTile(MEASURED, _jpeg(overlay(image, _measured(record, factor))))]
    if (record.source == Source.COMPLETED).any():
        tiles.append(ReportTile(COMPLETED, _jpeg(overlay(image, depth_m))))
    if "uncertainty" in record.layers:
        uncertainty_m = shrink(record.layers["uncertainty"], pick, factor).astype(np.float32)
        tiles.append(ReportTile(UNCERTAINTY, picture_uri(uncertainty_picture(uncertainty_m))))
    if truth is not None:
        _check_size(record, truth)
        exact = shrink(truth.depth_m, nearest_in_blocks(truth.depth_m, factor), factor).astype(np.float32)
        error = shrink(error_picture(record.depth_m, truth.depth_m), pick, factor).astype(np.uint8)
        tiles += [ReportTile(GROUND_TRUTH, _jpeg(colour_depth(exact))), ReportTile(ERROR, picture_uri(error))]
    tiles.append(ReportTile(SOURCE, picture_uri(source_picture(shrink(record.source, pick, factor).astype(np.uint8)))))
    return ImageTiles(
        channel=record.channel,
        filename=record.filename,
        coverage_percent=100 * float(np.count_nonzero(record.depth_m)) / max(record.depth_m.size, 1),
        tiles=tiles,
    )


def _measured(record: ImageRecord, factor: int) -> NDArray[np.float32]:
    """Depth without what was completed, made smaller."""
    measured_m = np.where(record.source == Source.COMPLETED, np.float32(0), record.depth_m)
    return shrink(measured_m, nearest_in_blocks(measured_m, factor), factor).astype(np.float32)


def _by_sample(images: Sequence[Key]) -> list[list[Key]]:
    samples: dict[str, list[Key]] = {}
    for key in images:
        samples.setdefault(key[0], []).append(key)
    return [sorted(keys, key=lambda key: camera_order(key[1])) for keys in samples.values()]


def _spread(items: Sequence[T], n: int) -> list[T]:
    """At most n of the items, evenly spread; a single one is the middle one."""
    if n >= len(items):
        return list(items)
    at = np.linspace(0, len(items) - 1, n) if n > 1 else np.array([(len(items) - 1) / 2])
    return [items[i] for i in np.rint(at).astype(int)]


def _image(image_root: Path, record: ImageRecord, *, width_px: int, height_px: int) -> Picture:
    """A camera's image at this size, RGB; where the recording lacks it, a picture that says so."""
    import cv2

    if has_no_images(image_root, record.filename):
        return no_image(height_px, width_px)
    image = read_image(image_root / record.filename, record.distortion)
    return np.asarray(cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _check_size(record: ImageRecord, truth: ImageRecord) -> None:
    if record.depth_m.shape != truth.depth_m.shape:
        where = f"{record.scene}/{record.sample_token}/{record.channel}"
        raise InputError(f"{where}: depth is {record.depth_m.shape}, truth {truth.depth_m.shape}")


def _jpeg(picture: Picture) -> str:
    import cv2

    return _uri("jpeg", ".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 82])


def picture_uri(picture: Picture) -> str:
    """A picture (H,W,3) RGB without loss, as a data URI."""
    import cv2

    return _uri("png", ".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _uri(kind: str, suffix: str, picture: Picture, options: list[int]) -> str:
    import cv2

    ok, data = cv2.imencode(suffix, np.ascontiguousarray(picture[..., ::-1]), options)
    if not ok:
        raise OSError(f"cannot encode a picture of {picture.shape} as {kind}")
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode()}"
