"""The network: it begins near the classical method, learns, keeps what is measured, and says where it does not."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.completion.baselines import nearest, plane  # noqa: E402
from densegt.completion.batches import stacked  # noqa: E402
from densegt.completion.classical import Classical  # noqa: E402
from densegt.completion.features import ALTERNATIVES, CHANNELS, features_of  # noqa: E402
from densegt.completion.infer import Network, leaning  # noqa: E402
from densegt.completion.losses import MANY_SIGMAS, choice_loss, depth_loss, is_wrong, scale_loss  # noqa: E402
from densegt.completion.method import SparseDepth  # noqa: E402
from densegt.completion.model import CHOICES, GUESS_ODDS, CompletionNet, Shape, answer, choices  # noqa: E402
from densegt.completion.sampling import draw_example  # noqa: E402
from densegt.completion.sparsify import scanned  # noqa: E402
from densegt.completion.task import losses_of, run  # noqa: E402
from densegt.completion.tiles import MARGIN_PX, tiles  # noqa: E402

from .scenes import given, scan_lines, street  # noqa: E402
from .streets import whole  # noqa: E402

SMALL = Shape(widths=(8, 16, 24), blocks=(0, 1, 1))
HEADS_IN_ORDER = ("further", "scale", "sky", "wrong")


@pytest.fixture(autouse=True)
def one_thread():
    """The machine may have others to serve."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


def shaken(net, by=0.05):
    """With weights that are nowhere zero."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += by * torch.randn_like(parameter)
    return net


def batch_of(seeds, size=(96, 128)):
    """Crops of streets that differ, stacked."""
    items = []
    for seed in seeds:
        drawn = draw_example(whole(seed), size, np.random.default_rng(seed))
        features = features_of(drawn.given, Classical())
        items.append(stacked(features, drawn.target_m, drawn.weight, drawn.exact, inner=drawn.inner))
    return {name: torch.stack([item[name] for item in items]) for name in items[0]}


# --- before it has learned anything ---


@pytest.mark.parametrize("every_row", [1, 4, 9, 40])
def test_as_built_it_leans_on_the_classical_method(every_row):
    """Where its choices agree it is the guess, sky included, and mostly elsewhere; at a size that no stride divides."""
    image, truth = street()
    sparse = given(image[:, :153], scan_lines(truth, every_row)[:, :153])
    before, after = Classical()(sparse), Network(CompletionNet(Shape()))(sparse)
    np.testing.assert_array_equal(after.depth_m == 0, before.depth_m == 0)
    there = before.depth_m > 0
    assert not there.all()
    features = features_of(sparse, Classical())
    alternatives = features.channels[ALTERNATIVES]
    apart = np.log(np.maximum(after.depth_m, 1e-3) / np.maximum(before.depth_m, 1e-3))
    np.testing.assert_allclose(apart[there & (alternatives == 0).all(0)], 0, atol=1e-6)
    assert (apart <= np.maximum(alternatives.max(0), 0) + 1e-5)[there].all()
    assert (apart >= np.minimum(alternatives.min(0), 0) - 1e-5)[there].all()
    assert np.median(np.abs(apart[there])) < 0.02


def test_the_answer_is_the_mean_of_the_choices():
    """By their probabilities, in metres; their spread is its uncertainty."""
    net = CompletionNet(SMALL)
    odds = torch.linspace(-1, 1, CHOICES)
    with torch.no_grad():
        net.head.bias[4 * 4 : 4 * (4 + CHOICES)] = odds.repeat_interleave(4)
    channels = torch.zeros(1, CHANNELS, 16, 16)
    channels[:, ALTERNATIVES] = torch.randn(CHOICES - 1)[:, None, None] / 2
    ones = torch.ones(1, 1, 16, 16)
    found = answer(net, channels, 10 * ones, ones, 0 * ones, 0 * ones)
    weights = torch.softmax(odds + torch.tensor([GUESS_ODDS] + [0] * (CHOICES - 1)), 0)
    choices_m = choices(channels, 10 * ones)[0, :, 5, 5]
    mean = (weights * choices_m).sum()
    deviation = (weights * (choices_m - mean) ** 2).sum().sqrt()
    torch.testing.assert_close(10 * found.log_change[0, 0, 5, 5].exp(), mean)
    torch.testing.assert_close(found.log_shares[0, :, 5, 5].exp(), weights)
    torch.testing.assert_close(found.log_doubt[0, 0, 5, 5].exp(), torch.hypot(deviation / mean, torch.tensor(0.01)))


def test_nothing_known_gives_nothing():
    image, truth = street()
    done = Network(shaken(CompletionNet(SMALL)))(given(image, np.zeros_like(truth)))
    assert not done.depth_m.any()
    assert not done.uncertainty_m.any()


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 1), (1, 40), (40, 1), (2, 3)])
def test_tiny_images(shape):
    depth = np.full(shape, 12.0, np.float32)
    done = Network(shaken(CompletionNet(Shape())))(given(np.full((*shape, 3), 60, np.uint8), depth))
    assert done.depth_m.shape == done.uncertainty_m.shape == shape
    assert np.isfinite(done.depth_m).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -3.0])
def test_what_is_no_depth_is_unknown(value):
    image, truth = street()
    depth, network = scan_lines(truth), Network(shaken(CompletionNet(SMALL)))
    source = (depth > 0).astype(np.uint8)
    wanted = network(SparseDepth(image, depth, source))
    done = network(SparseDepth(image, np.where(depth > 0, depth, np.float32(value)), source))
    np.testing.assert_array_equal(done.depth_m, wanted.depth_m)
    np.testing.assert_array_equal(done.uncertainty_m, wanted.uncertainty_m)


def test_the_same_again():
    image, truth = street()
    network = Network(shaken(CompletionNet(SMALL)))
    one, two = (network(given(image, scan_lines(truth))) for _ in range(2))
    np.testing.assert_array_equal(one.depth_m, two.depth_m)


# --- what is measured, and what is nothing ---


def biased(**heads):
    """A network that answers the same everywhere."""
    net = CompletionNet(SMALL)
    with torch.no_grad():
        for at, value in heads.items():
            if at == "neighbours":
                net.head.bias[4 * (4 + CHOICES) :] = value
                continue
            # Each answer four times: for the pixels of a 2x2 block.
            first = 4 * HEADS_IN_ORDER.index(at)
            net.head.bias[first : first + 4] = value
    return Network(net)


def test_measured_pixels_are_kept_unless_there_is_evidence():
    """Evidence is what lies around: here all pixels move to the mean of their neighbours."""
    truth = np.full((48, 64), 10, np.float32)
    truth[20, 30] = 30
    dense = given(np.full((48, 64, 3), 90, np.uint8), truth)
    trusting, doubting = biased(neighbours=5)(dense).depth_m, biased(neighbours=5, wrong=20)(dense).depth_m
    np.testing.assert_array_equal(trusting, truth)
    assert doubting[20, 30] < 15
    np.testing.assert_array_equal(doubting[10:15, 10:15], truth[10:15, 10:15])
    # Doubt alone is no evidence: it must know something else.
    np.testing.assert_array_equal(biased(wrong=20)(dense).depth_m, truth)


def test_small_changes_are_left_to_the_classical_method():
    image, truth = street()
    features = features_of(given(image, scan_lines(truth)), Classical())
    for factor, wanted in ((0.92, 1.0), (1.05, 1.0), (1.15, 1.075), (1.3, 1.3), (0.5, 0.5), (4, 4)):
        found = leaning(features, features.guess_m * np.float32(factor)) / features.guess_m
        np.testing.assert_allclose(found[features.sky == 0], wanted, rtol=1e-5)
        np.testing.assert_allclose(found[features.sky > 0], factor, rtol=1e-5)


def test_sky_is_the_networks_to_say():
    image, truth = street()
    sparse = given(image, scan_lines(truth))
    known = sparse.depth_m > 0
    full, empty = biased(sky=-30)(sparse), biased(sky=30)(sparse)
    assert (full.depth_m > 0).all()
    assert (full.uncertainty_m > 0).all()
    np.testing.assert_array_equal(empty.depth_m > 0, known)
    np.testing.assert_array_equal(empty.uncertainty_m > 0, known)


# --- in pieces ---


# A network at work on large images, or learning.
@pytest.mark.slow
def test_pieces_are_equal_to_the_whole():
    image, truth = street()
    image, truth = np.tile(image, (4, 3, 1)), np.tile(truth, (4, 3))
    net, sparse = shaken(CompletionNet(Shape()), 0.02), given(image, scan_lines(truth))
    with torch.no_grad():
        # The guess no likelier than the others, so that answers differ from it.
        net.head.bias[4 * 4 : 4 * 5] = -GUESS_ODDS
    whole_, pieces = Network(net), Network(net, max_piece_px=1000, core_px=160)
    assert len(list(tiles(*truth.shape, max_piece_px=1000, core_px=160))) == 9
    features = features_of(sparse, Classical())
    for one, other in zip(whole_._answer(features), pieces._answer(features), strict=True):
        assert np.ptp(one) > 0
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    one, other = whole_(sparse), pieces(sparse)
    np.testing.assert_allclose(one.depth_m, other.depth_m, rtol=1e-4)


def test_no_answer_looks_beyond_the_margin():
    net = shaken(CompletionNet(Shape()), 0.02)
    side = 2 * MARGIN_PX + 64
    channels = torch.randn(1, CHANNELS, side, side, requires_grad=True)
    ones = torch.ones(1, 1, side, side)
    found = answer(net, channels, 10 * ones, ones, 0 * ones, 0 * ones)
    for at in (side // 2, side // 2 + 13):
        (slope,) = torch.autograd.grad(sum(part[0, :, at, at].sum() for part in found), channels, retain_graph=True)
        seen = (slope[0] != 0).any(0).nonzero()
        assert (seen - at).abs().max() <= MARGIN_PX
        assert (seen - at).abs().max() > MARGIN_PX - 32, "a smaller margin would do"


@pytest.mark.parametrize("size", [(10, 10), (100, 100), (101, 333), (96, 160)])
def test_tiles_cover_everything_once(size):
    count = np.zeros(size, int)
    for tile in tiles(*size, max_piece_px=2000, core_px=32):
        count[tile.kept] += 1
        assert all(s.start <= k.start < k.stop <= s.stop for s, k in zip(tile.seen, tile.kept, strict=True))
        assert all(s.start % 16 == 0 for s in tile.seen)
    assert (count == 1).all()


# --- learning ---


def test_losses_are_finite_and_reach_every_weight():
    """Also where an image has no target, no measurement, nothing but sky, or a guess far off."""
    batch = batch_of(range(4))
    batch["weight"][0] = 0
    batch["target_m"][1], batch["known"][1] = 0, 0
    batch["guess_m"][2] = 1e-2
    batch["sigma_m"][2] = 0
    net = shaken(CompletionNet(SMALL))
    losses = losses_of(run(net, batch), batch)
    assert all(torch.isfinite(loss) for loss in losses.values())
    sum(losses.values()).backward()
    for name, parameter in net.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


def test_every_head_learns_from_the_start():
    """The last layer is zero, and what comes before it must move all the same after one step."""
    net = CompletionNet(SMALL)
    batch = batch_of(range(4))
    sum(losses_of(run(net, batch), batch).values()).backward()
    slope = net.head.weight.grad
    assert (slope.flatten(1).abs().sum(1) > 0).all()


def test_unknown_targets_teach_nothing():
    """Where the accumulated depth has a gap, nobody says that nothing is there."""
    net = shaken(CompletionNet(SMALL))
    batch = batch_of([1])
    batch["exact"][:] = 0
    batch["target_m"][..., :40] = 0
    batch["weight"] = (batch["target_m"] > 0).float()
    found = run(net, batch)
    other = type(found)(*(torch.where(batch["target_m"] > 0, part, part + 3) for part in found))
    for one, two in zip(losses_of(found, batch).values(), losses_of(other, batch).values(), strict=True):
        torch.testing.assert_close(one, two)


def test_wrong_measurements():
    truth = torch.tensor([[10.0, 10, 10, 30], [10, 10, 10, 30], [10, 10, 10, 0]])[None, None]
    measured = torch.tensor([[10.4, 11, 30, 30], [9.4, 10, 29, 28], [10, 10, 10, 5]])[None, None]
    wanted = [[False, True, False, False], [True, False, False, True], [False, False, False, True]]
    np.testing.assert_array_equal(is_wrong(measured, truth)[0, 0], wanted)


def test_losses_are_least_at_the_truth():
    target = torch.tensor([2.0, 20, 80])
    for factor in (0.5, 0.9, 1.1, 3.0):
        assert (depth_loss(target * factor, target) > depth_loss(target, target)).all()
    # Of all scales the likeliest is the root of the mean square.
    error = torch.distributions.Normal(0.0, 3.0).sample((20000,))
    costs = [scale_loss(error, torch.tensor(3 * factor)).mean() for factor in (0.8, 1.0, 1.25)]
    assert costs[1] < min(costs[0], costs[2])


def test_the_right_choice_costs_least():
    """Nothing where it is sure of the one that is nearest the truth, whatever that is off by."""
    choices_m = torch.tensor([10.0, 12, 30]).view(1, 3, 1, 1)
    sure = torch.log_softmax(torch.eye(3) * 50, 1).view(3, 3, 1, 1)
    costs = choice_loss(sure, choices_m, torch.tensor(33.0)).flatten()
    assert costs[2] == pytest.approx(0, abs=1e-4)
    assert costs[0] > costs[1] > 5


def test_no_single_error_decides_the_scale():
    """From so many sigmas on, the slope grows as the error, not as its square."""
    log_sigma = torch.zeros(1, requires_grad=True)
    slopes = []
    for many in (1, 10):
        (slope,) = torch.autograd.grad(scale_loss(torch.tensor([many * MANY_SIGMAS]), log_sigma.exp()).sum(), log_sigma)
        slopes.append(float(slope) - 1)
    assert slopes[1] / slopes[0] == pytest.approx(10, rel=0.01)


def trained(batches, steps, rate):
    """A small network after so many steps."""
    net = CompletionNet(SMALL)
    optimizer = torch.optim.AdamW(net.parameters(), rate)
    costs = []
    for step in range(steps):
        batch = batches[step % len(batches)]
        loss = sum(losses_of(run(net, batch), batch).values())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        costs.append(float(loss.detach()))
    return net, costs


# A network at work on large images, or learning.
@pytest.mark.slow
def test_one_batch_is_learned_by_heart():
    _, costs = trained([batch_of([0, 1])], 60, 5e-3)
    assert np.mean(costs[-5:]) < 0.5 * costs[0]


def from_a_few_beams(seed):
    """A street that a lidar with 12 beams has seen."""
    given_ = whole(seed).inputs[0]
    return scanned(given_, 12, np.random.default_rng(seed))


# A network at work on large images, or learning.
@pytest.mark.slow
def test_it_beats_what_has_not_learned():
    """On streets that it has not seen, from a few scan lines: nearest neighbour, a plane, and the classical guess."""
    classical, batches, errors = Classical(), [], {}
    for first in range(0, 64, 4):
        items = []
        for seed in range(first, first + 4):
            target_m = whole(seed).target_m
            items.append(
                stacked(features_of(from_a_few_beams(seed), classical), target_m, np.ones_like(target_m), True)
            )
        batches.append({name: torch.stack([item[name] for item in items]) for name in items[0]})
    net, _ = trained(batches, 96, 3e-3)
    network = Network(net)
    for seed in range(1000, 1012):
        sparse, truth = from_a_few_beams(seed), whole(seed).target_m
        answers = {"network": network(sparse).depth_m, "classical": classical(sparse).depth_m}
        answers |= {"nearest": nearest(sparse.depth_m), "plane": plane(sparse.depth_m)}
        for name, depth_m in answers.items():
            errors.setdefault(name, []).append((depth_m - truth)[(truth > 0) & (truth < 60)])
    rmse = {name: np.sqrt(np.square(np.concatenate(parts)).mean()) for name, parts in errors.items()}
    assert rmse["network"] < 0.8 * min(rmse["nearest"], rmse["plane"]), rmse
    assert rmse["network"] < 0.95 * rmse["classical"], rmse
