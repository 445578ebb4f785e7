"""Bins: against the published formulas, and where those go wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.detection.depth_head import bin_targets  # noqa: E402
from densegt.detection.depth_head.bins import NO_BIN, Bins  # noqa: E402

from ..bev import reference  # noqa: E402

KINDS = ("UD", "LID", "SID")
# LSS, BEVDepth and CaDDN; then limits that no binary number hits, and a single bin.
EXTENTS = [(4.0, 45.0, 41), (2.0, 58.0, 112), (2.0, 46.8, 80), (0.1, 0.7, 7), (1.3, 61.7, 33), (0.3, 80.1, 1)]
ALL = [Bins(kind, *extent) for kind in KINDS for extent in EXTENTS]
each = pytest.mark.parametrize("bins", ALL, ids=lambda b: f"{b.kind}-{b.count}")


def largest_below(value, dtype):
    return torch.from_numpy(np.nextafter(np.asarray(value, dtype), np.asarray(0, dtype))[None])


@each
def test_edges_are_as_published(bins):
    published = [reference.edge_m(bins, i) for i in range(bins.count + 1)]
    np.testing.assert_allclose(bins.edges_m(), published, rtol=1e-13)
    assert bins.edges_m()[0] == bins.min_m
    assert bins.edges_m()[-1] == bins.max_m


@each
def test_index_is_as_published_away_from_edges(bins):
    depths_m = torch.from_numpy(np.random.default_rng(0).uniform(bins.min_m, bins.max_m, 3000))
    real = np.array([reference.published_index(bins, d) for d in depths_m.tolist()])
    clear = np.abs(real - np.round(real)) > 1e-4
    assert clear.mean() > 0.99
    for values in (depths_m, depths_m.float()):
        assert bins.index(values)[clear].tolist() == np.floor(real[clear]).astype(int).tolist()


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_edge_opens_its_bin_and_the_number_below_it_closes_the_last(bins, dtype):
    edges = torch.from_numpy(bins.edges_m().numpy().astype(dtype))
    assert bins.index(edges).tolist() == [*range(bins.count), bins.count - 1]
    for i, edge in enumerate(edges.tolist()):
        assert bins.index(largest_below(edge, dtype)).item() == i - 1  # below the first edge that is NO_BIN


def test_the_published_formula_in_float32_loses_edges_and_the_last_float():
    """Why bins are searched: the same cases by formula."""
    edges_lost = 0
    for bins in ALL:
        edges = torch.tensor([reference.edge_m(bins, i) for i in range(bins.count)], dtype=torch.float32)
        edges_lost += int((bins.position(edges).floor() != torch.arange(bins.count)).sum())
    assert edges_lost > 20
    sid = Bins("SID", 2.0, 58.0, 112)
    last = largest_below(58.0, np.float32)
    assert sid.position(last).floor() == 112
    assert sid.index(last) == 111


@each
def test_depths_in_no_bin(bins):
    out_m = [0.0, -1.0, math.nan, math.inf, -math.inf, bins.max_m * 1.01, bins.min_m * 0.99]
    for dtype in (torch.float32, torch.float64, torch.float16):
        assert bins.index(torch.tensor(out_m, dtype=dtype)).tolist() == [NO_BIN] * len(out_m)
    depth_m = torch.tensor(out_m)[:, None]
    assert bin_targets.class_index(bins, depth_m).eq(bins.count).all()
    for target in (bin_targets.hard, bin_targets.soft):
        assert target(bins, depth_m).eq(0).all()
    for target in (bin_targets.hard_or_nothing, bin_targets.soft_or_nothing):
        wanted = torch.zeros(len(out_m), bins.count + 1, 1)
        wanted[:, -1] = 1
        assert target(bins, depth_m).equal(wanted)


def test_shapes_and_types():
    bins = Bins("LID", 2.0, 58.0, 112)
    image_m = torch.rand(3, 5, 7).mul(80)
    assert bins.index(image_m).shape == (3, 5, 7)
    assert bins.index(image_m.movedim(0, -1)).equal(bins.index(image_m).movedim(0, -1))
    assert bins.index(torch.empty(0, 4)).shape == (0, 4)
    assert bins.index(torch.tensor(30.0)).shape == ()
    assert bins.index(image_m).dtype == torch.int64
    assert bins.index(image_m.bfloat16()).equal(bins.index(image_m.bfloat16().float()))
    for target, classes in (
        (bin_targets.hard, 112),
        (bin_targets.soft, 112),
        (bin_targets.hard_or_nothing, 113),
        (bin_targets.soft_or_nothing, 113),
    ):
        assert target(bins, image_m).shape == (3, classes, 5, 7)
        assert target(bins, image_m).dtype == torch.float32


@each
def test_position_and_depth_undo_each_other(bins):
    position = torch.linspace(0, bins.count, 1000, dtype=torch.float64)
    np.testing.assert_allclose(bins.position(bins.depth_m(position)), position, atol=1e-9)
    assert (bins.depth_m(position).diff() > 0).all()
    assert bins.position(torch.tensor([0.0, -5.0, 1e9])).tolist() == pytest.approx([0, 0, bins.count], abs=1e-4)
    assert bins.position(torch.tensor(math.nan)).isnan()


def test_depth_has_a_gradient_even_at_the_first_edge():
    for kind in KINDS:
        bins = Bins(kind, 2.0, 58.0, 10)
        position = torch.tensor([0.0, 3.3, 10.0], dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(bins.depth_m, (position,))
        depth_m = torch.tensor([2.0, 31.0, 57.9], dtype=torch.float64, requires_grad=True)
        bins.position(depth_m).sum().backward()
        assert depth_m.grad.isfinite().all()


@each
def test_expectation_of_one_bin_is_its_centre(bins):
    certain = torch.eye(bins.count, dtype=torch.float64)
    np.testing.assert_allclose(bins.expectation_m(certain), bins.centres_m(), rtol=1e-12)
    inside = (bins.edges_m()[:-1] < bins.centres_m()) & (bins.centres_m() < bins.edges_m()[1:])
    assert inside.all()


@each
def test_expectation_is_averaged_in_the_metric(bins):
    weights = torch.from_numpy(np.random.default_rng(1).random((4, bins.count, 3)))
    mean = (weights * (torch.arange(bins.count) + 0.5)[:, None]).sum(1) / weights.sum(1)
    np.testing.assert_allclose(bins.expectation_m(weights), bins.depth_m(mean))
    np.testing.assert_allclose(bins.expectation_m(7 * weights), bins.expectation_m(weights))
    assert bins.expectation_m(torch.zeros(1, bins.count)).isnan()


@each
def test_hard_targets_are_the_index(bins):
    depth_m = torch.from_numpy(np.random.default_rng(2).uniform(0, bins.max_m * 1.1, (2, 50))).float()
    index, target = bins.index(depth_m), bin_targets.hard(bins, depth_m)
    assert target.sum(1).equal((index >= 0).float())
    known = index >= 0
    assert target.argmax(1)[known].equal(index[known])
    assert bin_targets.hard_or_nothing(bins, depth_m).argmax(1)[~known].eq(bins.count).all()


@each
def test_soft_targets_expect_the_depth(bins):
    first, last = bins.centres_m()[[0, -1]].tolist()
    depth_m = torch.linspace(first, last, 301, dtype=torch.float64)[None]
    target = bin_targets.soft(bins, depth_m)
    np.testing.assert_allclose(target.sum(1), 1, rtol=1e-6)
    assert (target > 0).sum(1).max() <= 2
    np.testing.assert_allclose(bins.expectation_m(target.double()), depth_m, rtol=1e-5)
    ends = bin_targets.soft(bins, torch.tensor([[bins.min_m, bins.max_m]], dtype=torch.float64))
    assert ends[0, 0, 0] == 1
    assert ends[0, -1, 1] == 1


@pytest.mark.parametrize(("kind", "near_m", "far_m"), [("UD", 0.25, 0.25), ("LID", 0.17, 0.47), ("SID", 0.14, 0.55)])
def test_error_of_centres_near_and_far(kind, near_m, far_m):
    """Lift-Splat's 41 bins from 4 m to 45 m, depth spread evenly: the growing bins win near, and lose far."""
    bins = Bins(kind, 4.0, 45.0, 41)
    depth_m = torch.linspace(4, 45, 200001, dtype=torch.float64)
    error_m = (bins.centres_m()[bins.index(depth_m)] - depth_m).abs()
    assert error_m[depth_m < 15].mean() == pytest.approx(near_m, abs=0.006)
    assert error_m[depth_m > 35].mean() == pytest.approx(far_m, abs=0.006)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("XD", 1.0, 2.0, 3), "'XD'"),
        (("UD", 0.0, 2.0, 3), "from 0.0 m"),
        (("UD", 3.0, 2.0, 3), "from 3.0 m to 2.0 m"),
        (("UD", 1.0, math.inf, 3), "inf"),
        (("UD", math.nan, 2.0, 3), "nan"),
        (("UD", 1.0, 2.0, 0), "0 bins"),
    ],
)
def test_bins_that_cannot_be(arguments, why):
    with pytest.raises(ValueError, match=why):
        Bins(*arguments)
