"""What a detector is told of an image's depth, from a depth store or from the keyframe's own sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Camera, Points, Sweep
from densegt.depth.depth_map import Source
from densegt.depth.matching import tolerance_m
from densegt.depth.store import ImageRecord
from densegt.geometry import camera as pinhole
from densegt.geometry import se3
from densegt.kernels.known_layers import known_layers

# Further layers of a store that are read; ages are a third of its bytes.
USED = ("confidence", "uncertainty")
# Nearer returns are of the car itself.
MIN_DEPTH_M = 0.5


class DepthLayers(NamedTuple):
    """Depth (H,W) in m, 0 = unknown; codes of `Source`; probability that the depth is right, 0 where unknown."""

    depth_m: NDArray[np.float32]
    source: NDArray[np.uint8]
    confidence: NDArray[np.float32]

    @classmethod
    def unknown(cls, size_px: tuple[int, int]) -> DepthLayers:
        """Of this (height, width), nothing known."""
        return cls(np.zeros(size_px, np.float32), np.zeros(size_px, np.uint8), np.zeros(size_px, np.float32))


def layers_of_record(record: ImageRecord, supervision: str) -> DepthLayers:
    """What a store says: of `dense` supervision all that was measured, of `completed` also what was filled in."""
    dense = supervision == "dense"
    if "uncertainty" not in record.layers:
        said = record.layers.get("confidence")
        sure = np.full(record.depth_m.shape, 255, np.uint8) if said is None else said
        shape, excluded = record.depth_m.shape, int(Source.COMPLETED) if dense else -1
        out = DepthLayers(np.empty(shape, np.float32), np.empty(shape, np.uint8), np.empty(shape, np.float32))
        given = (record.depth_m.ravel(), record.source.ravel(), sure.ravel(), excluded)
        known_layers(*given, out.depth_m.ravel(), out.source.ravel(), out.confidence.ravel())
        return out
    known = record.depth_m > 0
    if dense:
        known &= record.source != Source.COMPLETED
    return DepthLayers(
        np.where(known, record.depth_m, np.float32(0)),
        np.where(known, record.source, np.uint8(Source.NONE)),
        np.where(known, _confidence(record), np.float32(0)),
    )


def _confidence(record: ImageRecord) -> NDArray[np.float32]:
    """The store's; of completed pixels without one the share of a Laplace distribution that lies within tolerance."""
    one = np.ones(record.depth_m.shape, np.float32)
    said = record.layers.get("confidence")
    confidence = one if said is None else said.astype(np.float32) / 255
    sigma_m = record.layers.get("uncertainty")
    if sigma_m is not None:
        sigma = np.maximum(sigma_m.astype(np.float32), 1e-3)
        within = 1 - np.exp(-np.sqrt(2) * tolerance_m(record.depth_m) / sigma)
        completed = record.source == Source.COMPLETED
        confidence = np.where(completed if said is None else completed & (said == 0), within, confidence)
    return np.asarray(confidence, dtype=np.float32)


def project_sweeps(sweeps: Sequence[tuple[Sweep, Points]], camera: Camera) -> DepthLayers:
    """A keyframe's own sweeps as the camera would see them; of points on one pixel the nearest stays."""
    depth_m = np.full((camera.height_px, camera.width_px), np.inf, np.float32)
    for sweep, points in sweeps:
        T_cam_lidar = se3.inverse(camera.T_global_cam) @ sweep.T_global_lidar
        uv, z_m = pinhole.project(camera.K, se3.apply(T_cam_lidar, points.xyz_lidar))
        ahead = z_m > MIN_DEPTH_M
        column, row = np.floor(uv[ahead].T + 0.5).astype(np.int64)
        inside = (column >= 0) & (column < camera.width_px) & (row >= 0) & (row < camera.height_px)
        np.minimum.at(depth_m, (row[inside], column[inside]), z_m[ahead][inside].astype(np.float32))
    known = np.isfinite(depth_m)
    return DepthLayers(
        np.where(known, depth_m, np.float32(0)),
        np.where(known, np.uint8(Source.OWN_SWEEP), np.uint8(Source.NONE)),
        known.astype(np.float32),
    )
