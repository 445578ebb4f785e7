"""Shapes of labels in an image: their depth, and depth maps with what was unknown on them filled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from densegt.autolabel.labels import Label
from densegt.datasets.scene import Camera
from densegt.depth.depth_map import DepthMap, Source
from densegt.geometry import camera as pinhole
from densegt.geometry import se3
from densegt.shapes.decoder import ShapeDecoder
from densegt.shapes.rays import range_on_rays

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# So many rays of each shape are followed at first; between them depth is interpolated where all of four meet it.
RAYS = 3000
NEAREST_M = 0.5
# Interpolated depth as far as this behind a shape is of what it hides.
BEHIND_M, BEHIND_RELATIVE = 0.5, 0.05


class ShapeImage(NamedTuple):
    """Shapes as a camera sees them: z-depth (H,W) m, infinite where there is none, and the label's probability."""

    depth_m: Float32
    probability: Float32


def shape_image(labels: Iterable[Label], camera: Camera, decoder: ShapeDecoder) -> ShapeImage:
    """The nearest shape in each pixel, each where it is at the exposure."""
    shape = (camera.height_px, camera.width_px)
    out = ShapeImage(np.full(shape, np.inf, np.float32), np.zeros(shape, np.float32))
    t_us = np.array([float(camera.timestamp_us)])
    for label in labels:
        track = label.continuous
        if label.family and track.known_at(t_us)[0]:
            T_cam_shape = se3.inverse(camera.T_global_cam) @ track.poses_at(t_us)[0] @ label.T_box_shape
            _draw(label, T_cam_shape, camera, decoder, out)
    return out


def filled(depth: DepthMap, shapes: ShapeImage) -> DepthMap:
    """A depth map with shapes where nothing was measured: unknown, or interpolated far behind a shape.

    What a beam measured stays, also another sweep's.
    """
    has = np.isfinite(shapes.depth_m)
    with np.errstate(invalid="ignore"):
        hidden = depth.depth_m > shapes.depth_m + np.maximum(BEHIND_M, BEHIND_RELATIVE * shapes.depth_m)
    fill = has & ((depth.source == Source.NONE) | ((depth.source == Source.SURFACE) & hidden))
    confidence = depth.confidence
    return DepthMap(
        np.where(fill, shapes.depth_m, depth.depth_m),
        np.where(fill, np.uint8(Source.SHAPE), depth.source),
        np.where(fill, np.float32(0), depth.age_s),
        None if confidence is None else np.where(fill, shapes.probability, confidence),
    )


def _draw(label: Label, T_cam_shape: Float64, camera: Camera, decoder: ShapeDecoder, out: ShapeImage) -> None:
    """Draw one shape over what lies behind it."""
    area = _area(label, T_cam_shape, camera)
    if area is None:
        return
    u0, u1, v0, v1 = area
    step = max(1, int(np.ceil(np.sqrt((u1 - u0) * (v1 - v0) / RAYS))))
    rays = _Rays(label, T_cam_shape, camera.K, decoder)
    nu, nv = -(-(u1 - u0) // step) + 1, -(-(v1 - v0) // step) + 1
    gu, gv = np.meshgrid(u0 + step * np.arange(nu), v0 + step * np.arange(nv))
    coarse = rays.depth(gu.ravel(), gv.ravel()).reshape(nv, nu)
    u, v = np.meshgrid(np.arange(u0, u1), np.arange(v0, v1))
    i, j = (v - v0) // step, (u - u0) // step
    a, b = (v - v0) % step / step, (u - u0) % step / step
    corners = np.stack([coarse[i, j], coarse[i, j + 1], coarse[i + 1, j], coarse[i + 1, j + 1]])
    met = np.isfinite(corners).sum(axis=0)
    weight = np.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b])
    # The inverse of depth is linear over a plane.
    z = 1 / np.maximum((weight / corners).sum(axis=0), 1e-6)
    z[met == 0] = np.inf
    border = (met > 0) & (met < 4)
    z[border] = rays.depth(u[border], v[border])
    at = (slice(v0, v1), slice(u0, u1))
    nearer = z < out.depth_m[at]
    out.depth_m[at][nearer] = z[nearer]
    out.probability[at][nearer] = label.probability


def _area(label: Label, T_cam_shape: Float64, camera: Camera) -> tuple[int, int, int, int] | None:
    """Columns and rows, from and to, that may show a shape."""
    length, width, height = label.size_lwh_m
    x = label.T_box_shape[0, 3]
    corners = np.array(
        [[-x + sx * length / 2, sy * width / 2, z] for sx in (-1, 1) for sy in (-1, 1) for z in (0.0, height)]
    )
    uv, z = pinhole.project(camera.K, se3.apply(T_cam_shape, corners))
    if (z < NEAREST_M).all():
        return None
    low, high = np.zeros(2), np.array([camera.width_px, camera.height_px], dtype=np.float64)
    if (z >= NEAREST_M).all():
        low, high = np.maximum(low, np.floor(uv.min(axis=0))), np.minimum(high, np.ceil(uv.max(axis=0)) + 1)
    u0, v0, u1, v1 = (int(n) for n in (*low, *high))
    return (u0, u1, v0, v1) if u0 < u1 and v0 < v1 else None


class _Rays:
    """Rays through pixels of a camera, against one shape."""

    def __init__(self, label: Label, T_cam_shape: Float64, K: Float64, decoder: ShapeDecoder) -> None:
        self._decoder, self._code = decoder, torch.from_numpy(label.code).float()
        self._K, self._T_shape_cam = K, se3.inverse(T_cam_shape)
        middle = se3.apply(T_cam_shape, np.array([[0.0, 0.0, label.size_lwh_m[2] / 2]]))[0]
        away, radius = float(np.linalg.norm(middle)), float(np.linalg.norm(label.size_lwh_m)) / 2 + 0.5
        self._near_far = (max(away - radius, 0.1), away + radius)

    def depth(self, u: NDArray[np.intp], v: NDArray[np.intp]) -> Float64:
        """z-depth (N,) m at which rays through pixels meet the shape; infinite where none."""
        y = (v - self._K[1, 2]) / self._K[1, 1]
        x = (u - self._K[0, 2] - self._K[0, 1] * y) / self._K[0, 0]
        ray = np.column_stack([x, y, np.ones(len(x))])
        length = np.linalg.norm(ray, axis=1)
        direction = torch.from_numpy((ray / length[:, None]) @ self._T_shape_cam[:3, :3].T).float()
        origin = torch.from_numpy(self._T_shape_cam[:3, 3]).float().expand(len(ray), -1)
        range_m = range_on_rays(self._decoder, self._code, origin, direction, self._near_far).double().numpy()
        out: Float64 = range_m / length
        return out
