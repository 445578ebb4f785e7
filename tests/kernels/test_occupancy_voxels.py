"""Points laid into voxels."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.occupancy_voxels import VoxelSpan, count_voxels, number_voxels, soft_voxels

from ..twins import twin_of

SPAN = VoxelSpan(*(np.array(v, np.float32) for v in ((-1, -2, -3), (0.5, 0.25, 0.25), (1, 2, 3))))
SHAPE = (4, 16, 24)


def clouds():
    rng = np.random.default_rng(0)
    edges = np.array([[-3, -2, -1], [3, 2, 1], [2.75, 1.75, 0.5], [0, 0, 0]])
    return {
        "random": rng.uniform(-3.5, 3.5, (300, 3)),
        "empty": np.zeros((0, 3)),
        "borders": np.concatenate([edges, np.nextafter(edges.astype(np.float32), 9)]),
        "equal points": np.repeat([[0.1, 0.1, 0.1]], 5, 0),
        "not finite": np.array([[np.nan, 0, 0], [0, np.inf, 0], [0, 0, -np.inf], [1, 1, 0.2]]),
    }


@pytest.mark.parametrize("name", clouds())
def test_voxels_equal_twins(name: str) -> None:
    xyz = clouds()[name].astype(np.float32)
    found = []
    for number, count, soft in (
        (number_voxels, count_voxels, soft_voxels),
        (twin_of(number_voxels), twin_of(count_voxels), twin_of(soft_voxels)),
    ):
        numbers, counts, out = np.empty((len(xyz), 3), np.int32), np.zeros(SHAPE, np.float32), np.zeros(SHAPE, "f4")
        number(xyz, SPAN, numbers)
        count(numbers, counts)
        soft(xyz, numbers, counts, SPAN, 0.25, out)
        # Of a point outside only that is said.
        found.append((np.where(numbers[:, :1] < 0, -1, numbers) if len(numbers) else numbers, counts, out))
    for got, wanted in zip(*found, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)


def test_they_are_torch_s() -> None:
    torch = pytest.importorskip("torch")
    from densegt.detection.bev.grid import BevGrid
    from densegt.detection.points.pseudo_lidar.points import PointBatch
    from densegt.detection.points.pseudo_lidar.voxel_grid import VoxelGrid
    from densegt.detection.points.pseudo_lidar.voxels import soft

    xyz = np.random.default_rng(1).uniform(-3.2, 3.2, (500, 3)).astype(np.float32)
    none = torch.zeros(len(xyz), dtype=torch.long)
    points = PointBatch(torch.from_numpy(xyz), none, none, 1)
    wanted = soft(points, VoxelGrid(BevGrid(-3, 3, -2, 2, 0.25, -1, 1), 4), sigma_m=0.25)[0].numpy()
    numbers, counts, out = np.empty((len(xyz), 3), np.int32), np.zeros(SHAPE, np.float32), np.zeros(SHAPE, "f4")
    number_voxels(xyz, SPAN, numbers)
    count_voxels(numbers, counts)
    soft_voxels(xyz, numbers, counts, SPAN, 0.25, out)
    np.testing.assert_allclose(out, wanted, rtol=1e-4, atol=1e-6)
