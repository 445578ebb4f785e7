"""Splatting without the frustum: against the twin that builds it, its gradients, its ranks."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from densegt.detection.bev import splat as splat_module  # noqa: E402
from densegt.detection.bev.frustum import feature_uv, sample_cells  # noqa: E402
from densegt.detection.bev.grid import BevGrid  # noqa: E402
from densegt.detection.bev.lift import Lift  # noqa: E402
from densegt.detection.bev.ranks import _grouped, _sorted, rank  # noqa: E402
from densegt.detection.bev.splat import splat  # noqa: E402
from densegt.detection.depth_head.bins import Bins  # noqa: E402
from densegt.detection.depth_head.sampling import Samples  # noqa: E402

from . import reference  # noqa: E402
from .rigs import rig  # noqa: E402

GRID = BevGrid(0.0, 5.0, -2.0, 2.0, 1.0)


def case(cells, shape=(2, 3, 5, 4, 6), channels=7, dtype=torch.float64, seed=0):
    """(weights, features, cell) with samples in one cell, in none, or anywhere."""
    generator = torch.Generator().manual_seed(seed)
    batch, cameras, _, height, width = shape
    cell = {
        "anywhere": torch.randint(-1, GRID.cells, shape, generator=generator),
        "one cell": torch.full(shape, GRID.cells - 1),
        "none": torch.full(shape, -1),
        "first and last": torch.randint(0, 2, shape, generator=generator) * (GRID.cells - 1),
    }[cells]
    weights = torch.rand(shape, generator=generator, dtype=dtype)
    features = torch.randn(batch, cameras, channels, height, width, generator=generator, dtype=dtype)
    return weights, features, cell


CASES = ("anywhere", "one cell", "none", "first and last")
SHAPES = [(2, 3, 5, 4, 6), (1, 1, 1, 1, 1), (1, 6, 2, 1, 9)]


@pytest.mark.parametrize("cells", CASES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-13), (torch.float32, 2e-6)])
def test_the_same_as_the_twin(cells, shape, dtype, tolerance):
    weights, features, cell = case(cells, shape, dtype=dtype)
    got = splat(weights, features, rank(cell, GRID))
    wanted = reference.splat(weights.double(), features.double(), cell, GRID)
    assert got.shape == (shape[0], 7, *GRID.shape)
    assert got.dtype == dtype
    torch.testing.assert_close(got.double(), wanted, rtol=tolerance, atol=tolerance * wanted.abs().max().item())


@pytest.mark.parametrize("cells", CASES)
def test_gradients_are_the_twins(cells):
    weights, features, cell = (t.requires_grad_() if t.is_floating_point() else t for t in case(cells))
    pull = torch.randn(2, 7, *GRID.shape, dtype=torch.float64)
    wanted = torch.autograd.grad((reference.splat(weights, features, cell, GRID) * pull).sum(), (weights, features))
    got = torch.autograd.grad((splat(weights, features, rank(cell, GRID)) * pull).sum(), (weights, features))
    torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("needed", [(True, True), (True, False), (False, True)])
def test_gradcheck(needed):
    weights, features, cell = case("anywhere", (1, 2, 3, 2, 3), channels=2)
    ranks = rank(cell, GRID)
    inputs = weights.requires_grad_(needed[0]), features.requires_grad_(needed[1])
    assert torch.autograd.gradcheck(lambda w, f: splat(w, f, ranks), inputs)


def test_both_ways_to_the_gradient_of_weights_agree():
    generator = torch.Generator().manual_seed(3)
    table = torch.randn(12, 5, generator=generator)
    cells = torch.randn(9, 5, generator=generator)
    cell = torch.randint(0, 9, (12, 4), generator=generator, dtype=torch.int32)
    cell[0] = 3  # the same cell several times on one ray
    wanted = (table[:, None] * cells[cell.long()]).sum(-1)
    torch.testing.assert_close(splat_module._dot_by_bags(table, cells, cell), wanted)
    torch.testing.assert_close(splat_module._dot_by_sampling(table, cells, cell), wanted)


@pytest.mark.parametrize("keys", [1, 2, 50])
@pytest.mark.parametrize("count", [0, 1, 1000])
def test_both_ways_to_group_agree(keys, count):
    key = torch.randint(0, keys, (count,), dtype=torch.int32)
    for got, wanted in zip(_grouped(key, keys), _sorted(key, keys), strict=True):
        assert got.dtype == wanted.dtype == torch.int32
        assert got.equal(wanted)


def test_ranks_by_hand():
    """Two pixels of two samples: cells 3, none; 0, 3."""
    grid = BevGrid(0.0, 2.0, 0.0, 2.0, 1.0)
    cell = torch.tensor([[3, 0], [-1, 3]]).reshape(1, 1, 2, 1, 2)
    ranks = rank(cell, grid)
    assert ranks.cell.tolist() == [[3, 4], [0, 3]]
    assert ranks.sample.tolist() == [2, 0, 3]
    assert ranks.pixel.tolist() == [1, 0, 1]
    assert ranks.first.tolist() == [0, 1, 1, 1]


def test_nan_of_one_sample_stays_in_its_cell():
    """A NaN must not spread, and weight times a feature that lands nowhere must not count."""
    weights, features, cell = case("anywhere")
    cell[0, 0, 0, 0, 0] = 4
    weights[0, 0, 0, 0, 0] = float("nan")
    bev = splat(weights, features, rank(cell, GRID)).flatten(2)
    assert bev[0, :, 4].isnan().all()
    bev[0, :, 4] = 0
    assert bev.isfinite().all()


def test_half_precision_is_summed_in_float32():
    weights, features, cell = case("one cell", (1, 1, 50, 8, 8), dtype=torch.float32)
    half = splat(weights.bfloat16(), features.bfloat16(), rank(cell, GRID))
    assert half.dtype == torch.float32
    wanted = reference.splat(weights.bfloat16().double(), features.bfloat16().double(), cell, GRID)
    torch.testing.assert_close(half.double(), wanted, rtol=1e-5, atol=1e-3)
    features = features.bfloat16().requires_grad_()
    splat(weights, features, rank(cell, GRID)).sum().backward()
    assert features.grad.dtype == torch.bfloat16


def test_repeats_to_the_bit_on_any_number_of_threads():
    weights, features, cell = case("anywhere", (1, 4, 32, 16, 32), channels=16, dtype=torch.float32)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            inputs = weights.clone().requires_grad_(), features.clone().requires_grad_()
            bev = splat(*inputs, rank(cell, GRID))
            found.append((bev.detach(), *torch.autograd.grad(bev.square().sum(), inputs)))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(a.equal(b) for a, b in zip(found[0], other, strict=True))


def lifted(lift, K, T_ref_cam, position, shift=None):
    generator = torch.Generator().manual_seed(1)
    images = K.shape[0] * K.shape[1]
    log_weights = torch.randn(images, 8, 4, 6, generator=generator).log_softmax(1)
    features = torch.randn(images, 3, 4, 6, generator=generator)
    samples = Samples(Bins("LID", 1.0, 20.0, 8), position, log_weights, features, shift)
    return samples, lift(samples, K, T_ref_cam)


def test_lift_is_places_then_splat():
    K, T_ref_cam = rig([0.0, 120.0], width_px=24, height_px=16, focal_px=12.0)
    grid = BevGrid(-10.0, 10.0, -10.0, 10.0, 0.5)
    lift = Lift(grid, stride=4)
    position = torch.arange(8) + 0.5
    samples, bev = lifted(lift, K, T_ref_cam, position)
    cell = sample_cells(grid, samples.depth_m, feature_uv(4, 6, stride=4), K, T_ref_cam)
    torch.testing.assert_close(bev, reference.splat(samples.weights[None], samples.features[None], cell, grid))
    # The same places, said sample by sample and pixel by pixel.
    every = position.reshape(1, 8, 1, 1).expand(2, 8, 4, 6)
    assert lifted(lift, K, T_ref_cam, every, torch.zeros(2, 2, 4, 6))[1].equal(bev)
    # A ray moved by a whole cell is its neighbour.
    shift = torch.zeros(2, 2, 4, 6)
    shift[:, 0], shift[:, 1] = 1, -2
    moved = lifted(lift, K, T_ref_cam, position, shift)[1]
    uv = feature_uv(4, 6, stride=4) + torch.tensor([4.0, -8.0])
    cell = sample_cells(grid, samples.depth_m, uv, K, T_ref_cam)
    torch.testing.assert_close(moved, reference.splat(samples.weights[None], samples.features[None], cell, grid))


def test_a_fixed_rig_is_sorted_once(monkeypatch):
    from densegt.detection.bev import lift as lift_module

    calls = []
    monkeypatch.setattr(lift_module, "rank", lambda *a: calls.append(a) or rank(*a))
    K, T_ref_cam = rig([0.0, 120.0], width_px=24, height_px=16, focal_px=12.0)
    lift, position = Lift(BevGrid(-10.0, 10.0, -10.0, 10.0, 0.5), stride=4), torch.arange(8) + 0.5
    first = lifted(lift, K, T_ref_cam, position)[1]
    assert lifted(lift, K.clone(), T_ref_cam.clone(), position)[1].equal(first)
    assert len(calls) == 1
    T_ref_cam[0, 1, 0, 3] += 3.0  # in place: what is remembered must be a copy
    moved = lifted(lift, K, T_ref_cam, position)[1]
    assert not moved.equal(first)
    assert moved.equal(lifted(Lift(lift.grid, stride=4), K, T_ref_cam, position)[1])
    lifted(lift, K.repeat(2, 1, 1, 1), T_ref_cam.repeat(2, 1, 1, 1), position)
    assert len(calls) == 4
