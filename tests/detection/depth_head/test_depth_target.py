"""What is asked of a cell, against twins that go through its pixels one by one."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.detection.depth_head.bins import NO_BIN, Bins  # noqa: E402
from densegt.detection.depth_head.depth_target import depth_target  # noqa: E402

BINS = Bins("LID", 2.0, 50.0, 12)
STRIDE = 4


def cells(depth, confidence):
    for n, v, u in np.ndindex(depth.shape[0], depth.shape[1] // STRIDE, depth.shape[2] // STRIDE):
        at = n, slice(v * STRIDE, (v + 1) * STRIDE), slice(u * STRIDE, (u + 1) * STRIDE)
        d, c = depth[at].ravel(), confidence[at].ravel()
        index = BINS.index(d)
        yield (n, v, u), d[index != NO_BIN], c[index != NO_BIN], index[index != NO_BIN]


def slow_nearest(depth, confidence):
    out, weight = np.zeros((len(depth), 2, 3)), np.zeros((len(depth), 2, 3))
    for at, d, c, _ in cells(depth, confidence):
        if len(d):
            out[at], weight[at] = d.min(), c[d.argmin()]
    return out, weight


def slow_mode(depth, confidence):
    out, weight = np.zeros((len(depth), 2, 3)), np.zeros((len(depth), 2, 3))
    for at, d, c, index in cells(depth, confidence):
        filled = [float(c[index == k].sum()) for k in range(BINS.count)]
        smooth = [
            f + (filled[k - 1] if k else 0) / 2 + (filled[k + 1] if k + 1 < BINS.count else 0) / 2
            for k, f in enumerate(filled)
        ]
        mine = abs(index - int(np.argmax(smooth))) <= 1
        if c[mine].sum() > 0:
            out[at] = (c[mine] * d[mine]).sum() / c[mine].sum()
            weight[at] = c[mine].mean()
    return out, weight


def some(seed, share):
    rng = torch.Generator().manual_seed(seed)
    shape = (2, 2 * STRIDE, 3 * STRIDE)
    depth = torch.rand(shape, generator=rng) * 60
    depth = torch.where(torch.rand(shape, generator=rng) < share, depth, 0)
    return depth, torch.rand(shape, generator=rng) * (depth > 0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
@pytest.mark.parametrize(("kind", "slow"), [("nearest", slow_nearest), ("mode", slow_mode)])
def test_against_the_twin(seed, share, kind, slow):
    depth, confidence = some(seed, share)
    found = depth_target(kind, depth, confidence, BINS, stride=STRIDE)
    wanted, weight = slow(depth, confidence)
    np.testing.assert_allclose(found.depth_m, wanted, rtol=1e-5)
    np.testing.assert_allclose(found.weight, weight, rtol=1e-5, atol=1e-7)


def test_the_nearest_is_for_sparse_and_the_mode_for_dense():
    depth = torch.full((1, STRIDE, STRIDE), 20.0)
    depth[0, 0, 0] = 5.0
    sure = torch.ones_like(depth)
    assert depth_target("nearest", depth, sure, BINS, stride=STRIDE).depth_m.item() == 5
    assert depth_target("mode", depth, sure, BINS, stride=STRIDE).depth_m.item() == pytest.approx(20)


def test_what_is_hardly_believed_does_not_count():
    depth = torch.full((1, STRIDE, STRIDE), 20.0)
    depth[0, 0] = 5.0
    sure = torch.where(depth == 5, 1.0, 0.1)
    found = depth_target("mode", depth, sure, BINS, stride=STRIDE)
    assert found.depth_m.item() == pytest.approx(5)
    assert found.weight.item() == pytest.approx(1)


def test_a_surface_on_a_border_between_bins_stays_whole():
    edge = float(BINS.edges_m()[5])
    depth = torch.full((1, STRIDE, STRIDE), 40.0)
    depth[0, :2, :] = edge - 0.01
    depth[0, 2, :3] = edge + 0.01
    # 8 and 3 pixels about the border against 5 elsewhere.
    found = depth_target("mode", depth, torch.ones_like(depth), BINS, stride=STRIDE)
    assert found.depth_m.item() == pytest.approx(edge, abs=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_a_distribution_is_the_weighted_histogram(seed):
    depth, confidence = some(seed, 0.5)
    found = depth_target("distribution", depth, confidence, BINS, stride=STRIDE)
    for at, _, c, index in cells(depth, confidence):
        wanted = np.array([float(c[index == k].sum()) for k in range(BINS.count)])
        n, v, u = at
        np.testing.assert_allclose(found.distribution[n, :, v, u], wanted / max(wanted.sum(), 1e-12), atol=1e-5)
    asked = found.distribution.sum(1)
    torch.testing.assert_close(asked, (found.weight > 0).float())


@pytest.mark.parametrize("kind", ["nearest", "mode", "distribution"])
def test_nan_and_what_no_bin_holds_is_unknown(kind):
    depth = torch.full((1, STRIDE, STRIDE), float("nan"))
    depth[0, 0], depth[0, 1] = 0.5, 60.0
    found = depth_target(kind, depth, torch.ones_like(depth), BINS, stride=STRIDE)
    assert found.depth_m.item() == found.weight.item() == 0
