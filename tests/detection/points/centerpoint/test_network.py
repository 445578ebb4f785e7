"""CenterPoint: its pillars, and that it learns where objects are, what, and how fast."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from densegt.detection.bev.grid import BevGrid  # noqa: E402
from densegt.detection.points.centerpoint.config import CenterPointConfig  # noqa: E402
from densegt.detection.points.centerpoint.network import CenterPoint  # noqa: E402
from densegt.detection.points.centerpoint.pillars import PillarNet, point_numbers  # noqa: E402
from densegt.detection.points.pseudo_lidar.points import PointBatch, gathered  # noqa: E402

from .moving import cars, learn  # noqa: E402

GRID = BevGrid(-8, 8, -8, 8, 1.0, -1, 3)
SMALL = CenterPointConfig(pillar_m=0.5, sweeps=3, features=16, widths=(16, 24), blocks=1, channels=24, min_radius=1)


def cloud(count=200, samples=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    xyz = torch.rand(samples, count, 3, generator=generator) * torch.tensor([20.0, 20, 5]) - torch.tensor([10, 10, 1.5])
    return gathered(xyz, torch.rand(samples, count, generator=generator))


def test_pillars_are_the_largest_of_their_points_one_by_one():
    net = PillarNet(BevGrid(-8, 8, -8, 8, 0.5, -1, 3), 5).eval()
    points = cloud()
    laid = net(points)
    wanted = torch.zeros_like(laid)
    xyz, grid = points.xyz_ref.double(), net.grid
    row, column = ((xyz[:, axis] + 8) // 0.5 for axis in (1, 0))
    inside = (xyz[:, :2].abs() < 8).all(1) & (xyz[:, 2] >= -1) & (xyz[:, 2] < 3)
    for b in range(2):
        for r in range(32):
            for c in range(32):
                mine = (inside & (points.sample == b) & (row == r) & (column == c)).nonzero().squeeze(1)
                if len(mine):
                    at, middle = points.xyz_ref[mine], torch.tensor([c * 0.5 - 7.75, r * 0.5 - 7.75])
                    told = [(at[:, :2] - middle) / 0.5, at[:, 2:], at - at.mean(0), points.age_s[mine].unsqueeze(1)]
                    wanted[b, :, r, c] = net._said(torch.cat(told, 1)).amax(0)
    assert grid.shape == (32, 32)
    torch.testing.assert_close(laid, wanted, atol=1e-5, rtol=1e-5)


def test_the_order_of_points_says_nothing_and_far_points_do_not_count():
    net, points = PillarNet(GRID, 4).eval(), cloud(samples=1)
    turned = torch.arange(len(points.sample) - 1, -1, -1)
    shuffled = PointBatch(points.xyz_ref[turned], points.sample, points.origin, 1, points.age_s[turned])
    torch.testing.assert_close(net(points), net(shuffled), atol=1e-5, rtol=1e-5)
    far = PointBatch(points.xyz_ref + 100, points.sample, points.origin, 1)
    assert not net(far).any()


@pytest.mark.parametrize("count", [0, 1])
def test_no_point_and_a_single_one_in_training(count):
    net = PillarNet(GRID, 4).train()
    none = torch.zeros(count, dtype=torch.long)
    laid = net(PointBatch(torch.zeros(count, 3), none, none, 2))
    assert laid.shape == (2, 4, 16, 16)
    assert torch.isfinite(laid).all()


def test_what_is_told_of_a_point_is_as_large_near_as_far():
    """So that eight bits hold it."""
    points = cloud(2000, samples=1)
    cell = GRID.cell(*points.xyz_ref.unbind(-1))
    inside = cell >= 0
    told = point_numbers(points.xyz_ref[inside], points.age_s[inside], cell[inside], cell[inside], GRID)
    assert told[:, :2].abs().max() <= 0.5 + 1e-5
    assert told[:, 3:5].abs().max() <= 1


def test_pillars_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="are not 1, 2, 4"):
        CenterPoint(SMALL.model_copy(update={"pillar_m": 0.3}), GRID)
    with pytest.raises(ValueError, match="are not 1, 2, 4"):
        CenterPoint(SMALL.model_copy(update={"pillar_m": 0.125}), GRID)


def test_it_learns_places_classes_and_speeds():
    torch.manual_seed(0)
    net, (points, truth) = CenterPoint(SMALL, GRID), cars()
    found = learn(net, points, truth, steps=140)
    assert torch.equal(found.labels[:, :1], truth.labels)
    assert (found.scores[:, 0] > 0.4).all()
    off = (found.boxes[:, 0] - truth.boxes[:, 0]).abs()
    assert off[:, :2].max() < 0.8
    assert off[:, :2].mean() < 0.2
    # What always says that nothing moves is off by the speed itself.
    assert off[:, 7].mean() < 0.5 * truth.boxes[:, 0, 7].abs().mean()


def test_the_registry_makes_it_and_old_checkpoints_have_its_defaults():
    from densegt.detection.points.pseudo_lidar.config import PlModelConfig
    from densegt.detection.registry import POINT_DETECTORS, network_type

    assert "centerpoint" in POINT_DETECTORS
    assert network_type("centerpoint") is CenterPoint
    assert PlModelConfig.model_validate({"detector": "pixor"}).centerpoint == CenterPointConfig()


@pytest.mark.parametrize("name", ["miniature", "full", "lidar"])
def test_configurations_that_ship(name):
    from densegt.cli.training_options import shipped

    from densegt.configuration import load_config
    from densegt.detection.points.pseudo_lidar.config import PlConfig

    model = load_config(PlConfig, shipped("pl", name), {}).model
    with torch.device("meta"):
        net = CenterPoint(model.centerpoint, model.grid.made())
    assert net.earlier_sweeps == model.centerpoint.sweeps > 0
    assert np.isfinite(sum(p.numel() for p in net.parameters()))
