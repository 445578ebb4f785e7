"""Losses against their formulas, in float64, and what must not reach a gradient."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from densegt.detection.losses import depth_loss, heat_loss, known_l1, weighted_mean  # noqa: E402


def some(seed=0):
    rng = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 5, 3, 4, generator=rng, dtype=torch.float64)
    target = torch.nn.functional.one_hot(torch.randint(5, (2, 3, 4), generator=rng), 5).movedim(-1, 1).double()
    return logits, target


def slow(kind, p, t):
    if kind == "ce":
        return -t * math.log(p)
    if kind == "focal":
        return -0.25 * t * (1 - p) ** 2 * math.log(p)
    return -(t * math.log(p) + (1 - t) * math.log(1 - p))


@pytest.mark.parametrize("kind", ["ce", "focal", "bce"])
def test_depth_losses_are_their_formulas(kind):
    logits, target = some()
    found = depth_loss(kind, logits.log_softmax(1), target)
    p = logits.softmax(1)
    for n, v, u in [(0, 0, 0), (1, 2, 3), (0, 1, 2)]:
        wanted = sum(slow(kind, float(p[n, d, v, u]), float(target[n, d, v, u])) for d in range(5))
        assert float(found[n, v, u]) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("kind", ["ce", "focal", "bce"])
def test_cells_that_are_asked_nothing_cost_nothing(kind):
    logits, target = some()
    target[0] = 0
    logits.requires_grad_()
    loss = depth_loss(kind, logits.log_softmax(1), target)
    assert not loss[0].any()
    loss.sum().backward()
    assert not logits.grad[0].any()
    assert logits.grad[1].any()


@pytest.mark.parametrize("kind", ["ce", "focal", "bce"])
def test_sure_and_wrong_is_still_finite(kind):
    logits = torch.tensor([[100.0, -100.0]]).view(1, 2, 1, 1).requires_grad_()
    target = torch.tensor([[0.0, 1.0]]).view(1, 2, 1, 1)
    loss = depth_loss(kind, logits.log_softmax(1), target).sum()
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


def test_heat():
    logits, heat = torch.tensor([0.3, -0.7, 1.2]), torch.tensor([1.0, 0.6, 0.0])
    p = [1 / (1 + math.exp(-x)) for x in (0.3, -0.7, 1.2)]
    wanted = [
        -((1 - p[0]) ** 2) * math.log(p[0]),
        -(0.4**4) * p[1] ** 2 * math.log(1 - p[1]),
        -(p[2] ** 2) * math.log(1 - p[2]),
    ]
    torch.testing.assert_close(heat_loss(logits, heat), torch.tensor(wanted))
    far = torch.tensor([-200.0, 200.0], requires_grad=True)
    heat_loss(far, torch.tensor([1.0, 0.0])).sum().backward()
    assert far.grad.isfinite().all()


def test_unknown_numbers_pass_no_gradient():
    values = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = known_l1(values, torch.tensor([4.0, torch.nan]))
    assert loss.tolist() == [3.0, 0.0]
    loss.sum().backward()
    assert values.grad.tolist() == [-1.0, 0.0]


def test_a_mean_over_nothing_is_nothing():
    assert weighted_mean(torch.ones(3), torch.zeros(3)) == 0
    assert weighted_mean(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 1.0])) == 2
