"""CenterPoint on sparse voxels: what it is told of voxels, and that it learns places, classes and speeds."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from densegt.detection.bev.grid import BevGrid  # noqa: E402
from densegt.detection.points.centerpoint_voxel.config import CenterPointVoxelConfig  # noqa: E402
from densegt.detection.points.centerpoint_voxel.network import CenterPointVoxel  # noqa: E402
from densegt.detection.points.pseudo_lidar.points import PointBatch, gathered  # noqa: E402

from ..centerpoint.moving import cars, learn  # noqa: E402

GRID = BevGrid(-8, 8, -8, 8, 1.0, -1, 3)
SMALL = CenterPointVoxelConfig(voxel_m=0.5, layers=8, sweeps=3, widths=(8, 16), channels=16, min_radius=1)


def test_voxels_tell_the_mean_of_their_points():
    xyz = torch.tensor([[[0.1, 0.2, 0.3], [0.3, 0.2, 0.1], [-5.0, 4.0, 2.0], [50.0, 0.0, 0.0]]])
    given = CenterPointVoxel(SMALL, GRID).voxelised(gathered(xyz, torch.tensor([[0.0, 0.2, 0.1, 0.0]])))
    assert given.numbers().tolist() == [[0, 2, 16, 16], [0, 6, 24, 6]]
    wanted = [[-0.1, -0.1, -0.1, 0.1, 1, 0.5], [-0.5, -0.5, -0.5, 0.1, 1, 0]]
    torch.testing.assert_close(given.features, torch.tensor(wanted))


def test_a_sample_without_points_is_answered():
    none = torch.zeros(0, dtype=torch.long)
    said = CenterPointVoxel(SMALL, GRID).train()(PointBatch(torch.zeros(0, 3), none, none, 2))
    assert said.heat.shape == (2, 10, 16, 16)
    assert torch.isfinite(said.values).all()


def test_voxels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="halved 1 times"):
        CenterPointVoxel(SMALL.model_copy(update={"voxel_m": 0.25}), GRID)


def test_it_learns_places_classes_and_speeds():
    torch.manual_seed(0)
    net, (points, truth) = CenterPointVoxel(SMALL, GRID), cars()
    found = learn(net, points, truth, steps=120)
    assert torch.equal(found.labels[:, :1], truth.labels)
    off = (found.boxes[:, 0] - truth.boxes[:, 0]).abs()
    assert off[:, :2].mean() < 0.2
    # What always says that nothing moves is off by the speed itself.
    assert off[:, 7].mean() < 0.5 * truth.boxes[:, 0, 7].abs().mean()


@pytest.mark.parametrize("name", ["miniature", "full", "lidar"])
def test_configurations_that_ship(name):
    from densegt.cli.training_options import shipped

    from densegt.configuration import load_config
    from densegt.detection.points.pseudo_lidar.build import build_detector
    from densegt.detection.points.pseudo_lidar.config import PlConfig

    model = load_config(PlConfig, shipped("pl", name), {}).model
    with torch.device("meta"):
        net = build_detector(model.model_copy(update={"detector": "centerpoint-voxel"}))
    assert net.earlier_sweeps == model.centerpoint_voxel.sweeps > 0
