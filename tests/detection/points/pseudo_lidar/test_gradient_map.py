"""Where depth is pulled: only where points are read, and as differences of the loss say."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.detection.points.pseudo_lidar.detector import Boxes, boxes_of  # noqa: E402
from densegt.detection.points.pseudo_lidar.gradient_map import DepthGradient, depth_gradient, in_boxes  # noqa: E402
from densegt.detection.points.pseudo_lidar.gradient_overlay import draw  # noqa: E402
from densegt.detection.points.pseudo_lidar.net import PseudoLidar  # noqa: E402
from densegt.detection.points.pseudo_lidar.points import gathered  # noqa: E402

from .small import batch, config  # noqa: E402


@pytest.fixture(scope="module")
def given(tiny_dataset):
    return batch(tiny_dataset)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return PseudoLidar(config().model).eval()


def test_pull_is_where_points_are_read(given, net):
    found = depth_gradient(net, given)
    assert found.slope.any()
    assert not found.slope[~found.read].any()
    assert (found.foreground <= found.known).all()
    assert 0.001 < found.foreground.float().mean() < 0.3
    assert all(p.grad is None for p in net.parameters())


def test_a_step_along_the_pull_lowers_the_loss(given, net):
    found, truth = depth_gradient(net, given), boxes_of(given)
    with torch.no_grad():
        depth_m = net.depth(given["images"], given["K"], given["T_ref_cam"]).depth_m

        def cost(at):
            return float(
                torch.stack(list(net.detector.losses(net.detector(net.points(given, at)), truth).values())).sum()
            )

        # In m; so short that few points change their voxel, so long that float32 sees what it costs.
        ways = [length * found.slope / found.slope.abs().max() for length in (0.003, 0.01, 0.03)]
        assert sum(cost(depth_m + way) - cost(depth_m - way) for way in ways) > 0


def test_points_in_boxes_against_a_twin():
    draw_ = torch.Generator().manual_seed(0)
    xyz = torch.randn(2, 200, 3, generator=draw_) * 3
    boxes = torch.tensor([[[0, 0, 0, 4, 2, 2, 0.5, 0, 0], [3, 1, 0, 2, 2, 2, 0, 0, 0], [0, 0, 0, 99, 99, 99, 0, 0, 0]]])
    boxes = boxes.expand(2, -1, -1).clone()
    labels = torch.tensor([[0, 3, -1], [-1, -1, -1]])
    found = in_boxes(gathered(xyz), Boxes(boxes, labels, labels))

    def inside(p, box):
        dx, dy, c, s = p[0] - box[0], p[1] - box[1], math.cos(box[6]), math.sin(box[6])
        return (
            abs(c * dx + s * dy) <= box[3] / 2
            and abs(c * dy - s * dx) <= box[4] / 2
            and abs(p[2] - box[2]) <= box[5] / 2
        )

    expected = [any(inside(p, box) for box in boxes[0, :2].tolist()) for p in xyz[0].tolist()] + [False] * 200
    assert found.tolist() == expected
    assert any(expected)


def test_shares():
    on = torch.tensor([[True, False, False, False]])
    all_of_them, known = torch.ones(1, 4, dtype=torch.bool), torch.tensor([[True, True, False, True]])
    assert DepthGradient(torch.tensor([[-3.0, 1, 0, 0]]), all_of_them, all_of_them, on).shares() == (0.75, 0.25)
    found = DepthGradient(torch.tensor([[-3.0, 1, 9, 0]]), all_of_them, known, on)
    assert found.shares() == (0.75, pytest.approx(1 / 3))
    nothing = torch.zeros(1, 2, dtype=torch.bool)
    assert all(math.isnan(share) for share in DepthGradient(torch.zeros(1, 2), nothing, nothing, nothing).shares())


def test_measured_points_are_not_pulled(given):
    with pytest.raises(ValueError, match="measured"):
        depth_gradient(PseudoLidar(config({"input": "store"}).model), given)


def test_the_picture(given, net):
    found = depth_gradient(net, given)
    images = (given["images"][0] * 255).byte().movedim(1, -1).numpy()
    picture = draw(images, found.slope[0].numpy(), found.foreground[0].numpy())
    V, H, W, _ = images.shape
    assert picture.shape == (2 * H * V // 3, 3 * W, 3)
    np.testing.assert_array_equal(picture[:H, :W], images[0])
    still = draw(images[:1], np.zeros((1, 4, 4), np.float32), np.zeros((1, 4, 4), bool))
    assert still.shape == (2 * H, W, 3)
