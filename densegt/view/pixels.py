"""One image on the page: its depth without loss, and layers that explain the depth."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.absent_images import has_no_images
from densegt.depth.camera_image import read_image
from densegt.depth.steps import encode_depth
from densegt.depth.store import ImageRecord
from densegt.errors import InputError
from densegt.report.draw import Picture, nearest_in_blocks, no_image, shrink
from densegt.view.codec import encode_bytes, encode_steps

# Age is shown in these classes; a value at an edge belongs to the class above it.
AGE_EDGES_S = (-8.0, -4.0, -2.0, -1.0, -0.5, -0.25, -0.1, -0.025, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
# Code of the first class; 0: unknown.
FIRST_AGE = 1
# Exact depth is for comparing with: steps of 1/32 m are a sixteenth of the smallest tolerance.
TRUTH_STEPS_PER_M = 32
# Uncertainties are shown in 255 steps of equal ratio, 3 % each.
UNCERTAINTIES_M = (0.02, 40.0)
# One age, confidence and uncertainty for so many pixels a side.
BLOCK_PX = 2
WEBP_QUALITY = 75


@dataclass(frozen=True)
class Pixels:
    """One image of the page.

    Attributes:
        size: width, height in px of depth, source and image.
        layers: encoded, by name: image, depth, source, and where there are such age, confidence, uncertainty, truth.
        K, T_global_cam: as nested lists, K for this size.
    """

    sample_token: str
    channel: str
    timestamp_us: int
    filename: str
    size: tuple[int, int]
    layers: dict[str, str]
    K: list[list[float]]
    T_global_cam: list[list[float]]


def pixels_of(
    record: ImageRecord,
    truth: ImageRecord | None,
    image_root: Path,
    *,
    downscale: int = 1,
    draw: Callable[[Picture, ImageRecord], None] = lambda image, record: None,
) -> Pixels:
    """Encode one image.

    Args:
        truth: the same image's exact depth, where there is one.
        downscale: keep of so many pixels a side the one with the nearest depth; 1 keeps all.
        draw: over the camera's image, in place.

    Raises:
        InputError: the camera's image cannot be read, or the truth is of another size.
    """
    if truth is not None and truth.depth_m.shape != record.depth_m.shape:
        where = f"{record.scene}/{record.sample_token}/{record.channel}"
        raise InputError(f"{where}: depth is {record.depth_m.shape}, truth {truth.depth_m.shape}")
    pick = nearest_in_blocks(record.depth_m, downscale)
    depth_m = shrink(record.depth_m, pick, downscale).astype(np.float32)
    height, width = depth_m.shape
    image = _image(image_root, record, width, height)
    draw(image, record)
    layers = {
        "image": _webp(image),
        "depth": encode_steps(encode_depth(depth_m)),
        "source": encode_bytes(shrink(record.source, pick, downscale)),
    }
    coarse = nearest_in_blocks(depth_m, BLOCK_PX)
    for name, codes in _further_layers(record).items():
        layers[name] = encode_bytes(shrink(shrink(codes, pick, downscale), coarse, BLOCK_PX))
    if truth is not None:
        exact_m = shrink(truth.depth_m, pick, downscale).astype(np.float32)
        layers["truth"] = encode_steps(truth_steps(exact_m))
    K = record.K.copy()
    # Pixel centres are integers: column u of the small image stands for columns f u ... f u + f - 1.
    K[:2, 2] = (K[:2, 2] - (downscale - 1) / 2) / downscale
    K[:2, :2] /= downscale
    return Pixels(
        sample_token=record.sample_token,
        channel=record.channel,
        timestamp_us=record.timestamp_us,
        filename=record.filename,
        size=(width, height),
        layers=layers,
        K=K.tolist(),
        T_global_cam=record.T_global_cam.tolist(),
    )


def truth_steps(exact_m: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Exact depth (H,W) in steps of 1/32 m, 0 = no surface; what is beyond 2047 m is at 2047 m."""
    has = np.isfinite(exact_m) & (exact_m > 0)
    steps = np.clip(np.rint(np.where(has, exact_m, 0).astype(np.float64) * TRUTH_STEPS_PER_M), 1, 65535)
    return np.where(has, steps, 0).astype(np.uint16)


def age_classes(age_ms: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The class (H,W) of each known pixel's age in AGE_EDGES_S, from FIRST_AGE; 0 elsewhere."""
    classes = FIRST_AGE + np.digitize(np.asarray(age_ms, dtype=np.float64) / 1e3, AGE_EDGES_S)
    return np.where(known, classes, 0).astype(np.uint8)


def _further_layers(record: ImageRecord) -> dict[str, NDArray[np.uint8]]:
    """Layers (H,W) that a store may lack, in the page's codes; confidence in steps of 4/255."""
    found = {}
    if "age" in record.layers:
        found["age"] = age_classes(record.layers["age"], record.depth_m > 0)
    if "confidence" in record.layers:
        found["confidence"] = record.layers["confidence"].astype(np.uint8) & np.uint8(0xFC)
    if "uncertainty" in record.layers:
        found["uncertainty"] = uncertainty_codes(record.layers["uncertainty"])
    return found


def uncertainty_m() -> NDArray[np.float32]:
    """What the codes 0 to 255 of an uncertainty stand for, m; 0: none."""
    return np.append(0, np.geomspace(*UNCERTAINTIES_M, 255)).astype(np.float32)


def uncertainty_codes(deviation_m: NDArray[Any]) -> NDArray[np.uint8]:
    """The nearest code (H,W) of each uncertainty (H,W) m by ratio; 0 where there is none."""
    low, high = UNCERTAINTIES_M
    size = np.clip(np.where(deviation_m > 0, deviation_m, low).astype(np.float64), low, high)
    codes = 1 + np.rint(254 * np.log(size / low) / np.log(high / low))
    return np.where(deviation_m > 0, codes, 0).astype(np.uint8)


def _image(image_root: Path, record: ImageRecord, width: int, height: int) -> Picture:
    """A camera's image at this size, RGB; where the recording lacks it, a picture that says so."""
    import cv2

    if has_no_images(image_root, record.filename):
        return no_image(height, width)
    image: NDArray[Any] = read_image(image_root / record.filename, record.distortion)
    if image.shape[:2] != (height, width):
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return np.array(image, dtype=np.uint8)


def _webp(image: Picture) -> str:
    """A picture in base 64, as a data URI wants it."""
    import cv2

    bgr = np.ascontiguousarray(image[..., ::-1])
    ok, data = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])
    if not ok:
        raise OSError("an image cannot be encoded as WebP")
    return base64.b64encode(data.tobytes()).decode("ascii")
