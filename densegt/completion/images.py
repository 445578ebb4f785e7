"""An image of a depth store as a method's input, and a method's output as layers of a store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.completion.method import CompletedDepth, SparseDepth
from densegt.datasets.scene import Camera
from densegt.depth.camera_image import read_image
from densegt.depth.depth_map import DepthMap, Source
from densegt.depth.steps import decode_depth, encode_confidence, encode_depth
from densegt.depth.store import ImageRecord

Float32 = NDArray[np.float32]


def without_completed(record: ImageRecord) -> ImageRecord:
    """The image without what an earlier completion filled, which is no measurement."""
    filled = record.source == Source.COMPLETED
    if not filled.any():
        return record
    return replace(
        record,
        depth_m=np.where(filled, np.float32(0), record.depth_m),
        source=np.where(filled, np.uint8(Source.NONE), record.source),
    )


def given_of(record: ImageRecord, image_root: Path) -> SparseDepth:
    """An image of a store with its camera's image.

    Raises:
        InputError: the camera's image is missing, unreadable, or of another size than the depth.
    """
    height_px, width_px = record.depth_m.shape
    image = read_image(image_root / record.filename, record.distortion, size=(width_px, height_px))
    return SparseDepth(image, record.depth_m, record.source, record.K, record.layers)


def given_of_depth(camera: Camera, depth: DepthMap) -> SparseDepth:
    """What `densegt complete` would be given of a depth map; depth and confidence in the store's steps.

    Raises:
        InputError: the camera's image is missing, unreadable, or of another size than the depth.
    """
    height_px, width_px = depth.depth_m.shape
    image = read_image(camera.image_path, camera.distortion, size=(width_px, height_px))
    stored = decode_depth(encode_depth(depth.depth_m))
    source = np.where(stored > 0, depth.source, 0).astype(np.uint8)
    layers = {} if depth.confidence is None else {"confidence": encode_confidence(depth.confidence)}
    return SparseDepth(image, stored, source, camera.K, layers)


def completed_layers(
    record: ImageRecord, done: CompletedDepth, *, min_confidence: float = 0.0
) -> dict[str, NDArray[Any]]:
    """Layers to store: the method's depth, and everything else that the store held of the image.

    A pixel keeps its source where its depth is still the stored one, to the store's 1/256 m. Confidence is stored where
    the store tells that of what was measured, and the method that of what it filled.

    Args:
        min_confidence: what was filled stays unknown where the method is less sure than this.
    """
    before = encode_depth(record.depth_m)
    steps = _sure_enough(encode_depth(done.depth_m), before, done.confidence, min_confidence)
    changed = np.where(steps > 0, np.uint8(Source.COMPLETED), np.uint8(Source.NONE))
    kept = (steps == before) & (steps > 0)
    source = np.where(kept, record.source, changed)
    others = {name: np.where(kept, layer, layer.dtype.type(0)) for name, layer in record.layers.items()}
    if "confidence" in others and done.confidence is not None:
        # A filled pixel is never without: 0 says that nobody knows.
        of_filled = np.maximum(encode_confidence(done.confidence), 1)
        others["confidence"] = np.where(source == Source.COMPLETED, of_filled, others["confidence"])
    uncertainty_m = np.where(steps > 0, done.uncertainty_m, 0).astype(np.float16)
    return {**others, "depth": steps, "source": source, "uncertainty": uncertainty_m}


def _sure_enough(
    steps: NDArray[np.uint16], before: NDArray[np.uint16], confidence: Float32 | None, least: float
) -> NDArray[np.uint16]:
    """Depth (H,W) in the store's steps without what was filled with less confidence than `least`."""
    if confidence is None or least <= 0:
        return steps
    return np.where((steps != before) & (confidence < least), np.uint16(0), steps)


def camera_of(record: ImageRecord, image_root: Path) -> Camera:
    """The camera of an image, from the store; its ego frame is the camera frame."""
    height_px, width_px = record.depth_m.shape
    return Camera(
        token=record.sample_data_token,
        sample_token=record.sample_token,
        channel=record.channel,
        image_path=image_root / record.filename,
        filename=record.filename,
        width_px=width_px,
        height_px=height_px,
        timestamp_us=record.timestamp_us,
        K=record.K,
        T_ego_cam=np.eye(4),
        T_global_ego=record.T_global_cam,
        distortion=record.distortion,
    )
