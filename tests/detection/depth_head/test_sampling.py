"""Ways to place samples: each a distribution over depths that the lift can take, the learned ones from the baseline."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.detection.bev.grid import BevGrid  # noqa: E402
from densegt.detection.bev.lift import Lift  # noqa: E402
from densegt.detection.depth_head import bin_targets  # noqa: E402
from densegt.detection.depth_head.bins import Bins  # noqa: E402
from densegt.detection.depth_head.sampling import Samples, build_sampler, contrast  # noqa: E402
from densegt.detection.depth_head.sampling.offset import moved_along, moved_aside  # noqa: E402
from densegt.detection.depth_head.sampling.pdf import cumulative_at, draw_edges  # noqa: E402

from ..bev.rigs import rig  # noqa: E402

NAMES = ("fixed", "pdf", "offset", "depth-offset", "pixel-offset")
ALL_BINS = [Bins(kind, 2.0, 50.0, 12) for kind in ("UD", "LID", "SID")]
CHANNELS, SAMPLES = 6, 5
GRID = BevGrid(-20.0, 20.0, -20.0, 20.0, 0.5)


def given(images=2, seed=0):
    """(logits, features, contrast) of images with 4x6 cells."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(images, 12, 4, 6, generator=generator)
    return (
        logits,
        torch.randn(images, CHANNELS, 4, 6, generator=generator),
        torch.rand(images, 1, 4, 6, generator=generator),
    )


def stirred(sampler, seed=0):
    """The sampler with a last layer as if it had been trained."""
    torch.manual_seed(seed)
    for parameter in sampler.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return sampler


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bins", ALL_BINS, ids=lambda bins: bins.kind)
def test_samples_are_a_distribution_within_the_bins(name, bins):
    sampler = stirred(build_sampler(name, bins, channels=CHANNELS, samples=SAMPLES))
    samples = sampler(*given())
    count = SAMPLES if name == "pdf" else bins.count
    assert samples.log_weights.shape == (2, count, 4, 6)
    torch.testing.assert_close(samples.weights.sum(1), torch.ones(2, 4, 6))
    assert samples.depth_m.dtype == torch.float64
    assert samples.depth_m.min() >= bins.min_m
    assert samples.depth_m.max() <= bins.max_m + 1e-9
    assert samples.features.shape == (2, CHANNELS, 4, 6)
    expected_m = samples.expectation_m()
    assert expected_m.shape == (2, 4, 6)
    every_m = bins.depth_m(samples._each).expand_as(samples.weights)
    assert (expected_m >= every_m.amin(1) - 1e-4).all()
    assert (expected_m <= every_m.amax(1) + 1e-4).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_lift_takes_all_of_them_and_every_parameter_learns(name):
    sampler = stirred(build_sampler(name, ALL_BINS[1], channels=CHANNELS, samples=SAMPLES))
    logits, features, edges = given()
    logits.requires_grad_()
    K, T_ref_cam = rig([0.0, 120.0], width_px=48, height_px=32, focal_px=30.0)
    bev = Lift(GRID, stride=8)(sampler(logits, features, edges), K, T_ref_cam)
    (bev * torch.randn(bev.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    assert logits.grad.abs().sum() > 0
    for parameter in sampler.parameters():
        assert parameter.grad.isfinite().all()
        assert parameter.grad.abs().sum() > 0


@pytest.mark.parametrize("name", ["offset", "depth-offset", "pixel-offset"])
@pytest.mark.parametrize("bins", ALL_BINS, ids=lambda bins: bins.kind)
def test_untrained_offsets_are_the_baseline_to_the_bit(name, bins):
    """Places, weights, bird's-eye view, and what the depth net and the features learn from it."""
    K, T_ref_cam = rig([0.0, 120.0], width_px=48, height_px=32, focal_px=30.0)
    found = []
    for one in ("fixed", name):
        logits, features, edges = given()
        sampler = build_sampler(one, bins, channels=CHANNELS, samples=SAMPLES)
        inputs = logits.requires_grad_(), features.requires_grad_()
        samples = sampler(*inputs, edges)
        bev = Lift(GRID, stride=8)(samples, K, T_ref_cam)
        loss = bev.square().sum() + samples.expectation_m().sum()
        of_logits, of_features = torch.autograd.grad(loss, inputs)
        found.append((bev, samples.log_weights, samples.features, samples.expectation_m(), of_logits, of_features))
    for a, b in zip(*found, strict=True):
        assert a.equal(b)


def test_untrained_offsets_can_begin_to_learn():
    sampler = build_sampler("offset", ALL_BINS[0], channels=CHANNELS, samples=SAMPLES)
    samples = sampler(*given())
    (samples.expectation_m().square().mean() + samples.features.square().mean()).backward()
    for head in (sampler.along, sampler.aside):
        assert head[-1].weight.grad.abs().sum() > 0


def test_rays_move_only_where_the_image_changes():
    sampler = stirred(build_sampler("pixel-offset", ALL_BINS[0], channels=CHANNELS, samples=SAMPLES))
    logits, features, edges = given()
    edges[:, :, :, :3] = 0
    shift = sampler(logits, features, edges).shift
    assert shift[..., :3].eq(0).all()
    assert (shift.abs() <= edges).all()
    assert shift[..., 3:].abs().mean() > 0.05


@pytest.mark.parametrize("name", ["offset", "pdf"])
def test_half_precision_comes_out_wide(name):
    sampler = build_sampler(name, ALL_BINS[0], channels=CHANNELS, samples=SAMPLES).bfloat16()
    samples = sampler(*(values.bfloat16() for values in given()))
    assert samples.log_weights.dtype == torch.float32
    torch.testing.assert_close(samples.weights.sum(1), torch.ones(2, 4, 6))


def test_no_sampling_of_that_name():
    with pytest.raises(ValueError, match="'pdff'"):
        build_sampler("pdff", ALL_BINS[0], channels=1, samples=1)
    with pytest.raises(ValueError, match="0 samples"):
        build_sampler("pdf", ALL_BINS[0], channels=1, samples=0)


# Inverse transform


def draw_slowly(weights, quantiles):
    """One distribution, in Python's floats: the padded cumulative distribution, and where it is crossed."""
    padded = [w + 0.01 for w in weights]
    missing = max(0.0, 1e-5 - sum(padded)) / len(padded)
    total = sum(p + missing for p in padded)
    cdf = [0.0]
    for p in padded:
        cdf.append(min(1.0, cdf[-1] + (p + missing) / total))
    out = []
    for u in quantiles:
        above = next((i for i, c in enumerate(cdf) if c > u), len(weights))
        below = max(above - 1, 0)
        out.append(below + (u - cdf[below]) / (cdf[above] - cdf[below]) if cdf[above] > cdf[below] else below)
    return out


@pytest.mark.parametrize("kind", ["random", "peak", "zero", "one bin"])
def test_edges_are_those_of_the_twin(kind):
    generator = torch.Generator().manual_seed(0)
    weights = {
        "random": torch.rand(7, 11, generator=generator, dtype=torch.float64),
        "peak": torch.eye(11, dtype=torch.float64),
        "zero": torch.zeros(2, 11, dtype=torch.float64),
        "one bin": torch.ones(2, 1, dtype=torch.float64),
    }[kind]
    quantiles = torch.linspace(0, 1, 33, dtype=torch.float64)
    wanted = [draw_slowly(row.tolist(), quantiles.tolist()) for row in weights]
    np.testing.assert_allclose(draw_edges(weights, quantiles), wanted, atol=1e-9)


def test_untrained_quantiles_are_the_published_ones():
    sampler = build_sampler("pdf", ALL_BINS[0], channels=CHANNELS, samples=16).eval()
    quantiles = sampler._quantiles(given()[0])
    np.testing.assert_allclose(quantiles, np.linspace(0, 1 - 1 / 17, 17) + 1 / (2 * 17), rtol=1e-6)
    sampler.train()
    jittered = sampler._quantiles(given()[0])
    assert jittered.shape == (2, 4, 6, 17)
    assert (jittered >= torch.arange(17) / 17).all()
    assert (jittered < torch.arange(1, 18) / 17).all()


def test_samples_gather_where_the_surface_is():
    """A sharp peak takes almost all samples, an even distribution spreads them."""
    bins = Bins("UD", 1.0, 41.0, 40)
    sampler = build_sampler("pdf", bins, channels=CHANNELS, samples=16).eval()
    logits = torch.zeros(2, 40, 1, 1)
    logits[1, 20] = 12.0
    samples = sampler(logits, torch.zeros(2, CHANNELS, 1, 1), torch.zeros(2, 1, 1, 1))
    even_m, peak_m = samples.depth_m[:, :, 0, 0]
    assert even_m.diff().max() < 3.0
    assert ((peak_m > 21) & (peak_m < 22)).sum() >= 10
    # Untrained, the weights are the mass between edges, so what is expected is what the bins expect.
    assert samples.expectation_m()[1].item() == pytest.approx(21.5, abs=0.05)
    assert samples.expectation_m()[0].item() == pytest.approx(21.0, abs=0.05)


def test_places_are_detached_and_mass_is_not():
    logits, features, edges = given()
    logits.requires_grad_()
    samples = build_sampler("pdf", ALL_BINS[2], channels=CHANNELS, samples=SAMPLES)(logits, features, edges)
    assert not samples.position.requires_grad
    samples.log_weights[:, 0].sum().backward()
    assert logits.grad.abs().sum() > 0


def test_mass_between_places():
    probability = torch.tensor([[0.1, 0.6, 0.3]], dtype=torch.float64, requires_grad=True)
    position = torch.tensor([[0.0, 0.5, 1.0, 2.0, 2.9, 3.0]], dtype=torch.float64)
    np.testing.assert_allclose(cumulative_at(probability, position).detach(), [[0, 0.05, 0.1, 0.7, 0.97, 1]])
    assert torch.autograd.gradcheck(lambda p: cumulative_at(p, position), (probability,))


# Offsets


def test_moved_along_by_hand():
    values = torch.tensor([1.0, 3.0, 7.0]).reshape(1, 3, 1, 1)
    step = torch.tensor([0.5, -0.25, 0.9]).reshape(1, 3, 1, 1)
    assert moved_along(values, step).flatten().tolist() == [2.0, 2.5, 7.0]
    assert moved_along(values, torch.tensor([-1.0, 1.0, -2.0]).reshape(1, 3, 1, 1)).flatten().tolist() == [1, 7, 1]


def test_moved_aside_by_hand():
    values = torch.arange(6.0).reshape(1, 1, 2, 3)  # value = 3 row + column
    shift = torch.zeros(1, 2, 2, 3)
    shift[0, :, 0, 0] = torch.tensor([1.5, 0.5])
    shift[0, :, 1, 2] = torch.tensor([5.0, -0.25])
    wanted = values.clone()
    wanted[0, 0, 0, 0], wanted[0, 0, 1, 2] = 3.0, 4.25
    assert moved_aside(values, shift).equal(wanted)


def test_moves_pass_gradcheck():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(2, 4, 3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    # Away from whole numbers, where the interpolation has a kink.
    step = torch.rand(2, 4, 3, 5, generator=generator, dtype=torch.float64).mul(0.8).add(-0.9).requires_grad_()
    shift = torch.rand(2, 2, 3, 5, generator=generator, dtype=torch.float64).mul(0.8).add(0.1).requires_grad_()
    assert torch.autograd.gradcheck(moved_along, (values, step))
    assert torch.autograd.gradcheck(moved_aside, (values, shift))


# Samples and contrast


@pytest.mark.parametrize("bins", ALL_BINS, ids=lambda bins: bins.kind)
def test_target_of_fixed_samples_is_the_soft_target(bins):
    depth_m = torch.linspace(0, 55, 48).reshape(2, 4, 6)
    depth_m[0, 0, 0] = float("nan")
    samples = build_sampler("fixed", bins, channels=CHANNELS, samples=SAMPLES)(*given())
    torch.testing.assert_close(samples.target(depth_m), bin_targets.soft(bins, depth_m), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("name", ["pdf", "offset"])
def test_target_of_moved_samples_expects_the_depth(name):
    bins = ALL_BINS[1]
    samples = stirred(build_sampler(name, bins, channels=CHANNELS, samples=SAMPLES))(*given())
    position = samples.position.detach()
    assert name == "pdf" or (position.diff(dim=1) < 0).any()  # out of order, which must not matter
    depth_m = torch.linspace(1, 55, 48).reshape(2, 4, 6)
    target = samples.target(depth_m)
    known = (depth_m >= bins.min_m) & (depth_m <= bins.max_m)
    torch.testing.assert_close(target.sum(1), known.float())
    expected = (target * position).sum(1)
    wanted = bins.position(depth_m).clamp(position.amin(1), position.amax(1))
    torch.testing.assert_close(expected[known], wanted[known], atol=1e-4, rtol=1e-4)


def test_two_samples_at_one_place_share_no_nan():
    position = torch.full((1, 3, 1, 1), 4.0)
    samples = Samples(ALL_BINS[0], position, torch.zeros(1, 3, 1, 1).log_softmax(1), torch.zeros(1, 1, 1, 1))
    target = samples.target(torch.full((1, 1, 1), 18.0))
    assert target.isfinite().all()
    assert target.sum() == 1


def test_contrast_is_the_largest_gradient_of_a_cell():
    images = torch.zeros(2, 3, 8, 12)
    images[0, :, :, 6:] = 10.0  # a step between columns 5 and 6
    images[0, :, 0, 0] = 4.0
    found = contrast(images, stride=4)
    assert found.shape == (2, 1, 2, 3)
    step = images[0].new_tensor([[2 * 2**0.5 / 5, 1, 0], [0, 1, 0]])
    torch.testing.assert_close(found[0, 0], step)
    assert found[1].eq(0).all()
    torch.testing.assert_close(contrast(images * 30 - 7, stride=4), found)
