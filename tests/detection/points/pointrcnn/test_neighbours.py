"""Which points belong together: kernels against the same said in torch and against slow loops; ties, few, none."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.detection.points.pointrcnn import neighbours as near  # noqa: E402
from densegt.geometry.boxes import contains  # noqa: E402


def cloud(kind, N=70, seed=0):
    rng = np.random.default_rng(seed)
    if kind == "random":
        xyz = rng.normal(0, 3, (2, N, 3))
    elif kind == "lattice":  # many equal distances, all of them exact
        xyz = rng.integers(-3, 4, (2, N, 3))
    else:
        xyz = np.repeat(rng.normal(0, 3, (2, 1, 3)), N, axis=1)
    return torch.from_numpy(np.asarray(xyz, np.float32))


def furthest_twin(xyz, count):
    chosen = [0]
    while len(chosen) < count:
        away = [min(float(((p - xyz[c]) ** 2).sum()) for c in chosen) for p in xyz]
        chosen.append(int(np.argmax(away)))
    return chosen


def ball_twin(xyz, centre, radius, count):
    places = [i for i, p in enumerate(xyz) if float(((p - centre) ** 2).sum()) < radius**2][:count]
    return places + [places[0] if places else 0] * (count - len(places))


KINDS = pytest.mark.parametrize("kind", ["random", "lattice", "one place"])


@KINDS
def test_furthest_points(kind):
    xyz = cloud(kind)
    found = near.furthest(xyz, 20)
    assert found.tolist() == [furthest_twin(each.numpy().astype(np.float64), 20) for each in xyz]
    assert torch.equal(found, near.furthest_in_torch(xyz, 20))


def test_the_first_of_the_furthest_are_the_furthest_of_them():
    xyz = cloud("random")
    front = near.gather(xyz, near.furthest(xyz, 30))
    assert near.furthest(front, 12).tolist() == [list(range(12))] * 2


@KINDS
@pytest.mark.parametrize("count", [1, 5, 100])
def test_points_in_balls(kind, count):
    xyz = cloud(kind)
    centres = torch.cat([xyz[:, :9], torch.full((2, 1, 3), 99.0)], 1)
    found = near.in_ball(xyz, centres, 2.0, count)
    assert found.shape == (2, 10, count)
    for cloud_, middles, rows in zip(xyz.numpy(), centres.numpy(), found.tolist(), strict=True):
        assert rows == [ball_twin(cloud_, middle, 2.0, count) for middle in middles]
    if kind != "random" or count <= 70:
        assert torch.equal(found, near.in_ball_in_torch(xyz, centres, 2.0, count))


@KINDS
def test_three_nearest(kind):
    xyz, few = cloud(kind), cloud(kind, N=15, seed=1)
    found = near.nearest_three(xyz, few)
    for points, known, rows in zip(xyz.double().numpy(), few.double().numpy(), found.tolist(), strict=True):
        squared = ((points[:, None] - known[None]) ** 2).sum(-1)
        assert rows == np.argsort(squared, axis=1, kind="stable")[:, :3].tolist()


def test_points_in_boxes():
    xyz, rng = cloud("random", N=200), np.random.default_rng(2)
    boxes = torch.from_numpy(
        np.column_stack([rng.normal(0, 3, (12, 3)), rng.uniform(0.5, 6, (12, 3)), rng.uniform(-4, 4, 12)])
    ).float()
    boxes[3, :3] = 100
    sample = torch.tensor([0] * 7 + [1] * 5)
    index, counts = near.in_boxes(xyz, boxes, sample, 8)
    for p, (x, y, z, l, w, h, yaw) in enumerate(boxes.double().tolist()):  # noqa: E741
        T = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
        d = xyz[sample[p]].double().numpy() - [x, y, z]
        held = np.flatnonzero(contains(np.column_stack([d[:, :2] @ T.T, d[:, 2]]), np.array([l, w, h])))
        assert counts[p] == min(8, len(held))
        assert index[p].tolist() == (np.resize(held[:8], 8).tolist() if len(held) else [0] * 8)
    assert counts[3] == 0
    assert counts.max() == 8
    assert 0 < counts[counts > 0].min() < 8
    again, same = near.in_boxes_in_torch(xyz, boxes, sample, 8)
    assert torch.equal(again, index)
    assert torch.equal(same, counts)


def test_nothing_is_in_a_box_that_is_not_there():
    xyz = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [torch.nan, 0, 0]]])
    boxes = torch.tensor([[[0, 0, 0, 2, 2, 2, 0], [torch.nan] * 7]])
    assert near.inside(xyz, boxes)[0].tolist() == [[True, False], [True, False], [False, False]]


def test_gathered_values_have_the_gradient_of_what_they_are():
    x = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    index = torch.tensor([[[0, 0], [4, 1]], [[2, 2], [2, 3]]])
    assert torch.equal(near.gather(x, index)[1, 1, 1], x[1, 3])
    assert torch.autograd.gradcheck(lambda x: near.gather(x, index) ** 2, x)
