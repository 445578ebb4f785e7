"""Depth to points, points to as few as a lidar has: each against its reference, and where gradients go."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from densegt.detection.points.pseudo_lidar.points import NO_PIXEL, gathered, unproject  # noqa: E402
from densegt.detection.points.pseudo_lidar.sparsify import BeamPattern, nearest_per_beam  # noqa: E402

from ...bev.rigs import rig  # noqa: E402

H, W, STRIDE = 4, 6, 8
K, T = rig([0, 90, 200], width_px=W * STRIDE, height_px=H * STRIDE, focal_px=30)
SPIN = BeamPattern(beams=6, columns=40, min_elevation_deg=-30, max_elevation_deg=30, min_range_m=1, max_range_m=20)


def depth_maps(samples=2):
    draw = torch.Generator().manual_seed(0)
    return torch.rand(samples, 3, H, W, generator=draw, dtype=torch.float64) * 20 + 0.5


def cameras(samples=2):
    return K.expand(samples, -1, -1, -1), T.expand(samples, -1, -1, -1)


def test_points_are_where_their_pixels_say():
    depth_m = depth_maps()
    depth_m[0, 1, 2, 3], depth_m[1, 0, 0, 0], depth_m[1, 2, 3, 5] = 0, torch.nan, torch.inf
    points = unproject(depth_m, *cameras(), stride=STRIDE)
    expected = []
    for b in range(2):
        for v in range(3):
            for row in range(H):
                for column in range(W):
                    z = depth_m[b, v, row, column]
                    if not 0 < z < math.inf:
                        continue
                    px = torch.tensor([column * STRIDE + 3.5, row * STRIDE + 3.5, 1]).double()
                    xyz_cam = torch.linalg.solve(K[0, v], px) * z
                    expected.append(
                        ((b * 3 + v) * H * W + row * W + column, b, T[0, v, :3, :3] @ xyz_cam + T[0, v, :3, 3])
                    )
    assert points.origin.tolist() == [pixel for pixel, _, _ in expected]
    assert points.sample.tolist() == [b for _, b, _ in expected]
    torch.testing.assert_close(points.xyz_ref, torch.stack([xyz for _, _, xyz in expected]))


def test_gradients_of_points():
    assert torch.autograd.gradcheck(
        lambda depth: unproject(depth, *cameras(1), stride=STRIDE).xyz_ref, depth_maps(1).requires_grad_()
    )


def test_no_depth_is_no_point():
    points = unproject(torch.zeros(2, 3, H, W), *cameras(), stride=STRIDE)
    assert points.xyz_ref.shape == (0, 3)
    assert points.samples == 2
    assert nearest_per_beam(points, SPIN).shape == (0,)
    assert unproject(depth_maps(), *cameras(), stride=STRIDE, max_depth_m=0.1).xyz_ref.shape == (0, 3)


def test_features_of_points():
    maps = torch.rand(2, 3, 5, H, W)
    points = unproject(depth_maps(), *cameras(), stride=STRIDE)
    torch.testing.assert_close(points.features(maps)[W + 2], maps[0, 0, :, 1, 2])
    measured = gathered(torch.rand(2, 4, 3))
    assert not measured.features(maps).any()


def test_measured_points_are_gathered_without_their_padding():
    xyz = torch.full((3, 2, 3), torch.nan)
    xyz[0, 0], xyz[2] = 1, 2
    points = gathered(xyz)
    assert points.sample.tolist() == [0, 2, 2]
    assert points.samples == 3
    assert (points.origin == NO_PIXEL).all()
    assert points.of(1).shape == (0, 3)


def slow_nearest(points, spin):
    """The nearest of each angular bin, looked for one after another."""
    best = {}
    low, high = spin.min_elevation_deg, spin.max_elevation_deg
    for i, (x, y, z) in enumerate(points.xyz_ref.tolist()):
        z -= spin.height_m
        range_m = math.hypot(x, y, z)
        beam = math.floor((math.degrees(math.atan2(z, math.hypot(x, y))) - low) / (high - low) * spin.beams)
        column = min(math.floor((math.atan2(y, x) / (2 * math.pi) + 0.5) * spin.columns), spin.columns - 1)
        if 0 <= beam < spin.beams and spin.min_range_m <= range_m <= spin.max_range_m:
            key = (int(points.sample[i]), beam, column)
            if key not in best or range_m < best[key][0]:
                best[key] = (range_m, i)
    return sorted(i for _, i in best.values())


def clouds():
    draw = torch.Generator().manual_seed(1)
    random = torch.randn(2, 400, 3, generator=draw, dtype=torch.float64) * 8
    same = torch.tensor([[5.0, 0.1, 2], [5, 0.1, 2], [4, 0.08, 2], [-5, 0, 2], [0, 0, 2], [0, 0, 1.84]]).double()
    nothing = torch.full((1, 3, 3), torch.nan).double()
    return {"random": random, "ties": same[None], "nothing": nothing}


@pytest.mark.parametrize("name", ["random", "ties", "nothing"])
def test_the_nearest_of_each_direction_stays(name):
    points = gathered(clouds()[name])
    assert nearest_per_beam(points, SPIN).tolist() == slow_nearest(points, SPIN)


def test_gradients_reach_the_chosen_points_only():
    depth_m = depth_maps().requires_grad_()
    points = unproject(depth_m, *cameras(), stride=STRIDE)
    kept = nearest_per_beam(points, SPIN)
    assert 0 < len(kept) < len(points.xyz_ref)
    (points.select(kept).xyz_ref ** 2).sum().backward()
    pulled = depth_m.grad.flatten().nonzero().squeeze(1)
    assert pulled.tolist() == points.origin[kept].tolist()
