"""The whole line: each part learns one batch, and gradients go exactly as far as the coupling lets them."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from densegt.detection.depth_head.depth_target import depth_target  # noqa: E402
from densegt.detection.points.pixor.config import PixorConfig  # noqa: E402
from densegt.detection.points.pixor.network import Pixor  # noqa: E402
from densegt.detection.points.pseudo_lidar.detector import boxes_of  # noqa: E402
from densegt.detection.points.pseudo_lidar.estimator import sight  # noqa: E402
from densegt.detection.points.pseudo_lidar.losses import depth_losses  # noqa: E402
from densegt.detection.points.pseudo_lidar.net import PseudoLidar  # noqa: E402
from densegt.detection.points.pseudo_lidar.points import gathered  # noqa: E402
from densegt.detection.scoring.rotated_iou import bev_iou  # noqa: E402

from ...bev.rigs import rig  # noqa: E402
from .small import POINTRCNN, batch, config  # noqa: E402


def learn(settings, given, steps, coupling="separate", rate=5e-3):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    net, truth = PseudoLidar(settings.model), boxes_of(given)
    optimizer = torch.optim.AdamW(net.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    for _ in range(steps):
        answer = net(given, coupling, truth)
        parts = net.detector.losses(answer.said, truth)
        if answer.depth is not None:
            parts |= depth_losses(answer.depth, given, settings)
        optimizer.zero_grad()
        torch.stack(list(parts.values())).sum().backward()
        optimizer.step()
        schedule.step()
    return net


def found_cars(net, given):
    with torch.no_grad():
        found = net.detector.found(net(given, "separate").said)
    sure = (found.scores[0] > 0.3) & (found.labels[0] == 0)
    cars = (given["labels"][0] == 0) & (given["boxes"][0, :, :2].abs() < net.config.grid.half_m).all(1)
    assert cars.any()
    return bev_iou(given["boxes"][0][cars].numpy(), found.boxes[0][sure].numpy()).max(1, initial=0)


# Learns a batch by heart.
@pytest.mark.slow
@pytest.mark.parametrize("source", ["lidar", "store"])
def test_boxes_of_one_batch_are_learned(tiny_dataset, source):
    given = batch(tiny_dataset, count=1, lidar=source == "lidar")
    settings = config({"input": source})
    assert (found_cars(learn(settings, given, 120), given) > 0.5).mean() > 0.8


# Learns a batch by heart.
@pytest.mark.slow
def test_depth_of_one_batch_is_learned(tiny_dataset):
    given, settings = batch(tiny_dataset, count=1), config(weights={"bins": 1, "metres": 0.1})
    net = learn(settings, given, 100)
    with torch.no_grad():
        depth_m = net(given, "separate").depth.depth_m.flatten(0, 1)
    layers = [given[name].flatten(0, 1) for name in ("depth_m", "confidence")]
    truth = depth_target("nearest", *layers, settings.model.depth.bins.made(), stride=2).depth_m
    known = truth > 0
    error = (depth_m - truth).abs()[known].mean()
    assert error < 0.5 * (truth[known].median() - truth).abs()[known].mean()


def gradients(given, settings, coupling):
    """Of the detector's losses alone: largest one in the depth net, and in the detector."""
    torch.manual_seed(0)
    net, truth = PseudoLidar(settings.model), boxes_of(given)
    torch.stack(list(net.detector.losses(net(given, coupling, truth).said, truth).values())).sum().backward()
    return tuple(
        max((float(p.grad.abs().max()) for p in part.parameters() if p.grad is not None), default=None)
        for part in (net.depth, net.detector)
    )


@pytest.mark.parametrize("coupling", ["frozen", "separate"])
def test_apart_the_depth_net_feels_nothing_of_boxes(tiny_dataset, coupling):
    depth, detector = gradients(batch(tiny_dataset), config(), coupling)
    assert depth is None
    assert detector > 0


@pytest.mark.parametrize("detector", ["pixor", "pointrcnn"])
def test_end_to_end_it_does(tiny_dataset, detector):
    settings = config({"detector": detector, "pointrcnn": POINTRCNN})
    depth, detector = gradients(batch(tiny_dataset), settings, "end-to-end")
    assert depth > 0
    assert detector > 0


def test_hard_voxels_pass_nothing_end_to_end_either(tiny_dataset):
    pixor = {**config().model.pixor.model_dump(), "quantisation": "hard"}
    assert gradients(batch(tiny_dataset), config({"pixor": pixor}), "end-to-end")[0] is None


def test_a_frozen_depth_net_stays_to_the_bit(tiny_dataset):
    given, settings = batch(tiny_dataset), config()
    torch.manual_seed(0)
    before = {name: value.clone() for name, value in PseudoLidar(settings.model).depth.state_dict().items()}
    torch.manual_seed(0)
    net, truth = PseudoLidar(settings.model), boxes_of(given)
    optimizer = torch.optim.AdamW(net.parameters(), 1e-2)
    torch.stack(list(net.detector.losses(net(given, "frozen", truth).said, truth).values())).sum().backward()
    optimizer.step()
    for name, value in net.depth.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_wrong_on_purpose_is_wrong_by_that_much(tiny_dataset):
    given, settings = batch(tiny_dataset, count=1), config()
    depth = settings.model.depth.model_dump()
    said = []
    for scale in (1, 1.05):
        torch.manual_seed(0)
        net = PseudoLidar(config({"depth": {**depth, "scale": scale}}).model).eval()
        with torch.no_grad():
            said.append(net(given, "frozen").depth.depth_m)
    torch.testing.assert_close(said[1], 1.05 * said[0])


def test_no_points_and_no_boxes_are_no_error(tiny_dataset):
    given = batch(tiny_dataset, lidar=True)
    given["points"][0] = torch.nan
    given["labels"][:] = -1
    given["boxes"][:] = torch.nan
    net = learn(config({"input": "lidar"}), given, 2)
    assert all(bool(p.isfinite().all()) for p in net.parameters())
    with torch.no_grad():
        found = net.detector.found(net(given, "separate").said)
    assert found.boxes.isfinite().all()


def test_a_pixor_reads_a_lone_point():
    settings = config().model
    net = Pixor(settings.pixor, settings.grid.made()).eval()
    points = gathered(torch.tensor([[[3.0, 2.0, 0.5]], [[torch.nan] * 3]]))
    with torch.no_grad():
        heat = net(points).heat
    assert not torch.allclose(heat[0], heat[1])
    assert heat.shape[-2:] == settings.grid.made().shape


def test_voxels_that_do_not_fit_are_refused():
    grid = config().model.grid.made()
    for cell_m in (0.3, 1.0, 0.125):
        with pytest.raises(ValueError, match=r"are not 2, 4|whole number"):
            Pixor(PixorConfig(cell_m=cell_m, widths=(8, 8)), grid)


def test_a_turned_car_sees_the_same():
    """What a pixel is told of itself does not change when ref is turned about z: the ground is as far as before."""
    K, T = rig([0, 90], width_px=40, height_px=24, focal_px=30)
    ahead, left = sight(K, T, (6, 10), stride=4)[0]
    torch.testing.assert_close(ahead, left)
    disparity = ahead[2] / 10
    ground_m = 1 / disparity[-1]
    torch.testing.assert_close(T[0, 0, 2, 3] + ground_m * ahead[0, -1], torch.zeros(10).double(), atol=1e-9, rtol=0)
    assert (disparity[0] == 0).all()
