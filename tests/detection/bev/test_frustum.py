"""Where samples lie: against the twin, and against what densegt's own camera says."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.detection.bev.frustum import feature_uv, rays_ref, sample_cells  # noqa: E402
from densegt.detection.bev.grid import NO_CELL, BevGrid  # noqa: E402
from densegt.geometry.camera import rays  # noqa: E402

from . import reference  # noqa: E402
from .rigs import rig  # noqa: E402

GRID = BevGrid(-8.0, 12.0, -10.0, 10.0, 0.5, z_min_m=-1.0, z_max_m=4.0)


def test_centres_of_cells_are_the_means_of_their_pixels():
    uv = feature_uv(3, 5, stride=4)
    assert uv.shape == (3, 5, 2)
    pixels = torch.stack(torch.meshgrid(torch.arange(20.0), torch.arange(12.0), indexing="xy"), -1)
    means = pixels.unflatten(0, (3, 4)).unflatten(2, (5, 4)).mean((1, 3))
    assert uv.float().equal(means)


def test_rays_are_those_of_the_camera():
    K, T_ref_cam = rig([30.0], width_px=32, height_px=16, focal_px=20.0)
    K[0, 0, 0, 1] = 0.7  # skew
    xyz_cam = rays(K[0, 0].numpy(), 32, 16)
    got = rays_ref(feature_uv(16, 32, stride=1), K, T_ref_cam)[0, 0].numpy()
    np.testing.assert_allclose(got, xyz_cam @ T_ref_cam[0, 0, :3, :3].numpy().T, atol=1e-12)


@pytest.mark.parametrize("own_depths", [False, True])
@pytest.mark.parametrize("own_pixels", [False, True])
def test_cells_are_those_of_the_twin(own_depths, own_pixels):
    generator = torch.Generator().manual_seed(0)
    K, T_ref_cam = rig([10.0, 100.0, 250.0], width_px=24, height_px=16, focal_px=15.0)
    K, T_ref_cam = K.repeat(2, 1, 1, 1), T_ref_cam.repeat(2, 1, 1, 1)
    K[1, :, 0, 1], K[1, :, 0, 0] = 0.3, 18.0
    T_ref_cam[1] = torch.diag(torch.tensor([1.0, -1.0, 1.0, 1.0], dtype=torch.float64)) @ T_ref_cam[1]  # mirrored
    uv = feature_uv(4, 6, stride=4)
    every_uv = uv.expand(2, 3, 4, 6, 2)
    depth_m = torch.tensor([0.5, 3.0, 7.7, 30.0])
    every_m = depth_m.reshape(4, 1, 1).expand(2, 3, 4, 4, 6)
    if own_pixels:
        uv = every_uv = every_uv + torch.rand(2, 3, 4, 6, 2, generator=generator) * 3
    if own_depths:
        depth_m = every_m = every_m + torch.rand(every_m.shape, generator=generator)
    got = sample_cells(GRID, depth_m, uv, K, T_ref_cam)
    assert got.equal(reference.sample_cells(GRID, every_m, every_uv, K, T_ref_cam))
    assert 0.2 < (got != NO_CELL).float().mean() < 0.95


def test_augmentation_is_in_k():
    """An image made smaller, mirrored and cropped: the same things land in the same cells."""
    K, T_ref_cam = rig([0.0, 180.0], width_px=64, height_px=32, focal_px=40.0)
    # No sample on a cell's border, where the last bit of a product decides.
    depth_m = torch.tensor([4.1, 9.1])
    # Pixel centres are integers: scaling by a half keeps the image's outer edge, at -0.5.
    A = torch.tensor([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]], dtype=torch.float64)
    mirror = torch.tensor([[-1.0, 0, 31], [0, 1, 0], [0, 0, 1]], dtype=torch.float64)
    plain = sample_cells(GRID, depth_m, feature_uv(4, 8, stride=8), K, T_ref_cam)
    small = sample_cells(GRID, depth_m, feature_uv(4, 8, stride=4), mirror @ A @ K, T_ref_cam)
    assert small.flip(-1).equal(plain)


def test_depth_that_is_unknown_lands_nowhere():
    K, T_ref_cam = rig([0.0], width_px=8, height_px=8, focal_px=8.0)
    depth_m = torch.tensor([float("nan"), float("inf")])
    assert sample_cells(GRID, depth_m, feature_uv(2, 2, stride=4), K, T_ref_cam).eq(NO_CELL).all()
