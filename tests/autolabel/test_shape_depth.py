"""Shapes in images: depth is that of the surface, what was measured stays, what is hidden shows no more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from densegt.autolabel.labels import Label
from densegt.autolabel.shape_depth import ShapeImage, filled, shape_image
from densegt.datasets.scene import Camera
from densegt.depth.depth_map import DepthMap, Source
from densegt.geometry import se3
from densegt.geometry.camera import unproject
from densegt.shapes.prior import ShapePrior

T_US = 1_000_000
AHEAD_M = 9.0


@pytest.fixture(scope="module")
def car(prior: ShapePrior) -> Label:
    """A mean car, seen from ahead and a little from the left, that drives by at 10 m/s and is at the origin at T_US."""
    family = prior.families["car"]
    size = family.size_lwh_m + np.array([0.0, 0.3, 0.0])
    T = np.stack([se3.from_yaw(2.5, [10.0 * t, 0.0, size[2] / 2]) for t in (-0.5, 0.5)])
    knots_us = np.array([T_US - 500_000, T_US + 500_000])
    shape = se3.from_yaw(0.0, [0.0, 0.0, -size[2] / 2])
    return Label(
        "vehicle-0000", "vehicle.car", size, ("key",), T[:1], np.array([[10.0, 0.0]]), np.array([50]), 0.9, True,
        "car", family.mean, shape, knots_us, T,
    )  # fmt: skip


def camera_at(t_us: int, *, scale: float = 1.0) -> Camera:
    """It looks along x from behind the origin, 1.5 m up."""
    T_global_cam = np.array([[0.0, 0, 1, -AHEAD_M], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]])
    K = np.array([[200.0 * scale, 0, 80 * scale], [0, 200 * scale, 45 * scale], [0, 0, 1]])
    return Camera(
        "data",
        "key",
        "CAM",
        Path("a.jpg"),
        "a.jpg",
        int(160 * scale),
        int(90 * scale),
        t_us,
        K,
        T_global_cam,
        np.eye(4),
    )


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_depth_is_that_of_the_surface_at_the_exposure(car: Label, prior: ShapePrior, scale: float) -> None:
    for t_us in (T_US, T_US + 20_000):
        camera = camera_at(t_us, scale=scale)
        z = shape_image([car], camera, prior.decoder).depth_m
        met = np.isfinite(z)
        assert met.sum() > 600 * scale**2
        xyz = se3.apply(camera.T_global_cam, unproject(camera.K, np.where(met, z, 0))[met])
        moved = np.array([10.0 * (t_us - T_US) * 1e-6, 0.0, 0.0])
        in_shape = se3.apply(se3.inverse(se3.from_yaw(2.5, moved)), xyz)
        with torch.no_grad():
            code = torch.from_numpy(car.code).float().expand(len(in_shape), -1)
            f = prior.decoder(code, torch.from_numpy(in_shape).float()).numpy()
        assert np.quantile(np.abs(f), 0.99) < 0.03
    assert not np.isfinite(shape_image([car], camera_at(T_US + 3_000_000), prior.decoder).depth_m).any()


def test_what_was_measured_stays_and_what_is_hidden_does_not() -> None:
    z = np.array([[10.0, 10, 10, 10, 10, np.inf]], np.float32)
    depth = np.array([[0.0, 20, 20, 8, 10.2, 0]], np.float32)
    source = np.array([[0, 2, 4, 4, 4, 0]], np.uint8)
    given = DepthMap(depth, source, np.ones_like(depth), np.full_like(depth, 0.4))
    out = filled(given, ShapeImage(z, np.full_like(z, 0.9)))
    assert out.source.tolist() == [[Source.SHAPE, 2, Source.SHAPE, 4, 4, 0]]
    assert out.depth_m.tolist() == [[10, 20, 10, 8, pytest.approx(10.2), 0]]
    assert out.confidence is not None
    assert np.allclose(out.confidence, [[0.9, 0.4, 0.9, 0.4, 0.4, 0.4]])
