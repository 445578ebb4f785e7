"""Depth that a detector estimates, written as a depth store."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.keyframes import Keyframe
from densegt.datasets.scene import Camera
from densegt.depth.depth_map import Source
from densegt.depth.steps import encode_depth
from densegt.depth.store import SceneWriter
from densegt.detection.data.augment import ImageRanges, image_affine


class EstimatedDepthStore:
    """A store of estimated depth, a scene's file open at a time.

    Args:
        config: for the files' attributes.
        size, ranges: of the images that depth was estimated of, (height, width) px.
    """

    def __init__(self, out: Path, config: Mapping[str, Any], size: tuple[int, int], ranges: ImageRanges) -> None:
        self._out, self._config, self._size, self._ranges = out, dict(config), size, ranges
        self._scene, self._stack = "", ExitStack()
        self._writer: SceneWriter | None = None

    def __enter__(self) -> EstimatedDepthStore:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def add(self, keyframe: Keyframe, depth_m: NDArray[np.float32], sigma_m: NDArray[np.float32]) -> None:
        """Write maps (V,h,w), of the network's input or of every so many of its pixels, at the size of the images."""
        if keyframe.scene != self._scene:
            self._stack.close()
            writer = SceneWriter(self._out, keyframe.scene, self._config, overwrite=True)
            self._scene, self._writer = keyframe.scene, self._stack.enter_context(writer)
        assert self._writer is not None
        step = self._size[0] // depth_m.shape[1]
        for camera, depth, sigma in zip(
            keyframe.cameras, _at_pixels(depth_m, step), _at_pixels(sigma_m, step), strict=True
        ):
            self._writer.write_layers(camera, full_size(camera, depth, sigma, self._ranges))


def _at_pixels(layer: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """(V,h,w) to (V,h step,w step)."""
    return np.repeat(np.repeat(layer, step, -2), step, -1)


def full_size(
    camera: Camera, depth_m: NDArray[np.float32], sigma_m: NDArray[np.float32], ranges: ImageRanges
) -> dict[str, NDArray[Any]]:
    """Layers of a store (H,W) from what the network says of its input (h,w); 0 where it was cut off."""
    size = (camera.height_px, camera.width_px)
    A = image_affine(size, (depth_m.shape[0], depth_m.shape[1]), ranges, None)
    # Nothing is drawn, so rows and columns do not mix.
    row = np.floor(A[1, 1] * np.arange(size[0]) + A[1, 2] + 0.5).astype(np.intp)
    column = np.floor(A[0, 0] * np.arange(size[1]) + A[0, 2] + 0.5).astype(np.intp)
    seen = np.ix_((row >= 0) & (row < depth_m.shape[0]), (column >= 0) & (column < depth_m.shape[1]))
    of = np.ix_(row[seen[0].ravel()], column[seen[1].ravel()])
    depth, sigma = np.zeros(size, np.float32), np.zeros(size, np.float16)
    depth[seen], sigma[seen] = depth_m[of], sigma_m[of]
    steps = encode_depth(depth)
    source = np.where(steps > 0, np.uint8(Source.COMPLETED), np.uint8(Source.NONE))
    return {"depth": steps, "source": source, "uncertainty": np.where(steps > 0, sigma, np.float16(0))}
