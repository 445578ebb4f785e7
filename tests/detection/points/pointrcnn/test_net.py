"""PointRCNN: it learns, its gradient reaches the points and is right, and what is empty or lonely is no error."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pydantic import ValidationError  # noqa: E402

from densegt.detection.points.pointrcnn import PointRcnnConfig  # noqa: E402
from densegt.detection.points.pointrcnn.backbone import drawn  # noqa: E402
from densegt.detection.points.pointrcnn.config import LevelConfig  # noqa: E402
from densegt.detection.points.pointrcnn.proposals import Regions  # noqa: E402
from densegt.detection.scoring.kitti_ap import KittiAp  # noqa: E402

from .clouds import boxes, car, config, net, points, street  # noqa: E402

# Models are built and trained.
pytestmark = pytest.mark.slow

TINY = {
    "points": 40,
    "levels": (
        LevelConfig(centres=16, radius_m=3.0, neighbours=6, widths=(6, 8)),
        LevelConfig(centres=6, radius_m=9.0, neighbours=6, widths=(8, 8)),
    ),
    "widths": (8, 8), "region_widths": (6,), "region_features": 8, "region_points": 10, "proposals": 4,
    "region_levels": (LevelConfig(centres=6, radius_m=2.0, neighbours=4, widths=(8,)),),
}  # fmt: skip


def total(losses):
    return sum(losses.values())


# Learns a batch by heart.
@pytest.mark.slow
def test_it_learns_one_batch():
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    streets = [street(rng) for _ in range(2)]
    given, truth = points(*(cloud for cloud, _ in streets)), boxes(*(cars for _, cars in streets))
    detector = net()
    optimizer = torch.optim.Adam(detector.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-2, total_steps=130)
    costs = []
    for _ in range(130):
        loss = total(detector.losses(detector(given, truth), truth))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        costs.append(float(loss.detach()))
    assert np.mean(costs[-5:]) < costs[0] / 4
    detector.eval()
    found, sums = detector.found(detector(given)), KittiAp()
    for b, (_, cars) in enumerate(streets):
        there = found.scores[b] > 0
        sums.update(found.boxes[b, there].numpy(), found.scores[b, there].numpy(), np.array(cars))
    scores = sums.compute()
    assert scores["BEV AP at 0.5"] > 0.9
    assert scores["3D AP at 0.5"] > 0.9
    assert (found.labels == 0).all()
    assert (found.scores.diff(dim=1) <= 0).all()
    np.testing.assert_array_equal(found.boxes[..., 7:], 0)


def scene(seed=0):
    rng = np.random.default_rng(seed)
    cloud, cars = street(rng, cars=2, ground=20, on_each=10)
    return torch.from_numpy(cloud).double(), boxes(cars)


@pytest.mark.parametrize("part", ["foreground", "proposals"])
def test_the_gradient_of_the_first_stage_is_right(part):
    xyz, truth = scene()
    detector = net(**TINY).double().eval()
    given = points(xyz)

    def cost(xyz):
        return detector.losses(detector(given._replace(xyz_ref=xyz)), truth)[part]

    assert torch.autograd.gradcheck(cost, xyz.requires_grad_(), fast_mode=True)
    (pull,) = torch.autograd.grad(cost(xyz), xyz)
    assert (pull != 0).any(1).float().mean() > 0.5


@pytest.mark.parametrize("part", ["classes", "values"])
def test_the_gradient_of_the_second_stage_is_right(part):
    """Of given regions: those that the first stage proposes have no gradient, as published."""
    xyz, truth = scene()
    detector = net(**TINY).double().eval()
    regions = Regions(truth.boxes[0, :, :7].double(), torch.zeros(2).long())

    def cost(xyz):
        features = detector.backbone(xyz[None])
        foreground, _ = detector.head(features)
        classes, values = detector.refine(xyz[None], foreground, features, regions)
        return (classes if part == "classes" else values).square().sum()

    assert torch.autograd.gradcheck(cost, xyz.requires_grad_(), fast_mode=True)
    (pull,) = torch.autograd.grad(cost(xyz), xyz)
    assert pull[20:].norm() > 0


def test_every_weight_learns():
    given, truth = points(*(scene(seed)[0].float() for seed in range(2))), boxes(*([car(0, 0, 0), car(6, 6, 1)],) * 2)
    detector = net()
    total(detector.losses(detector(given, truth), truth)).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in detector.parameters())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("clouds", "cars"),
    [
        ([[], []], [[], []]),
        ([[], []], [[car(0, 0, 0)], []]),
        ([[[3.0, 0, 0.5]], []], [[car(3, 0, 0)], [car(1, 1, 1)]]),
        ([[[3.0, 0, 0.5]] * 3, [[99.0, 0, 0]]], [[], [car(3, 0, 0)]]),
        ([np.random.default_rng(0).uniform(-15, 15, (200, 3)) * [1, 1, 0.05], []], [[], []]),
        ([np.random.default_rng(0).uniform(-15, 15, (900, 3)) * [1, 1, 0.05], [[0.0, 0, 0]]], [[car(40, 0, 0)], []]),
    ],
    ids=["no point, no box", "no point", "a point in a box", "one place, one beyond the grid", "background", "many"],
)
def test_what_is_empty_or_lonely_is_no_error(clouds, cars, training):
    detector = net().train(training)
    given, truth = points(*clouds), boxes(*cars)
    xyz = given.xyz_ref.requires_grad_()
    said = detector(given, truth if training else None)
    losses = detector.losses(said, truth)
    total(losses).backward()
    assert all(loss.isfinite() for loss in losses.values())
    assert xyz.grad is None or xyz.grad.isfinite().all()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in detector.parameters())
    found = detector.eval().found(detector(given))
    assert all(part.shape[:2] == found.scores.shape and part.shape[0] == 2 for part in found)
    for b, cloud in enumerate(clouds):
        if len(cloud) == 0 or abs(cloud[0][0]) > 16:
            assert (found.scores[b] == 0).all()
    assert all(part.isfinite().all() for part in found)


def test_half_precision_is_as_good_as_single_to_begin_with():
    given, truth = points(scene()[0].float()), scene()[1]
    detector = net().eval()
    said = detector.losses(detector(given), truth)
    with torch.autocast("cpu", torch.bfloat16):
        answer = detector(given, truth)
        half = detector.losses(detector(given), truth)
        detector.found(answer)
    for part in ("foreground", "proposals"):
        torch.testing.assert_close(half[part].float(), said[part], rtol=0.05, atol=0.05)


def test_other_classes_are_background():
    xyz, _ = street(np.random.default_rng(1))
    people = boxes([car(0, 0, 0)], labels=[[5]])
    detector = net()
    losses = detector.losses(detector(points(xyz), people), people)
    assert losses["proposals"] == losses["boxes"] == 0
    assert losses["classes"] > 0


def test_classes_are_told_by_their_place_in_nuscenes():
    detector = net(classes=("bus", "car")).eval()
    xyz, _ = street(np.random.default_rng(1))
    with torch.no_grad():
        detector.refine.classes[-1].bias.copy_(torch.tensor([2.0, -2.0]))
        found = detector.found(detector(points(xyz)))
    assert set(found.labels[found.scores > 0].tolist()) == {2}


def test_answers_are_the_same_each_time_and_whatever_else_is_in_the_batch():
    rng = np.random.default_rng(2)
    one, other = (street(rng, ground=900)[0] for _ in range(2))
    detector = net().eval()
    with torch.no_grad():
        first, again = (detector.found(detector(points(one, other))) for _ in range(2))
        alone = detector.found(detector(points(one)))
    torch.testing.assert_close(first.boxes, again.boxes)
    kept = alone.scores[0] > 0
    torch.testing.assert_close(first.boxes[0, : len(kept)][kept], alone.boxes[0][kept], rtol=1e-4, atol=1e-4)


def test_points_are_drawn_once_each_and_far_ones_more_readily():
    torch.manual_seed(0)
    xyz = torch.zeros(1000, 3)
    xyz[:, 0] = torch.tensor([1.0] * 500 + [10.0] * 500)
    places, first = drawn(xyz, 200, None)
    assert first == len(places.unique()) == 200
    assert (places >= 500).float().mean() > 0.8
    places, first = drawn(xyz[:3], 8, None)
    assert (places.tolist(), first) == ([0, 1, 2, 0, 1, 2, 0, 1], 3)
    torch.manual_seed(1)
    ours = [drawn(xyz, 5, torch.Generator().manual_seed(0))[0].tolist() for _ in range(2)]
    assert ours[0] == ours[1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"classes": ("car", "cat")}, "classes cat"),
        ({"widths": (8,)}, "2 levels and 1 widths"),
        ({"points": 64}, "each level has as many"),
        ({"region_levels": ()}, "at least one entry"),
        ({"radius": 3}, "Extra inputs"),
    ],
)
def test_wrong_configurations_are_refused(changes, said):
    with pytest.raises(ValidationError, match=said):
        PointRcnnConfig(**{**config().model_dump(), **changes})
