"""The network: each of its parts learns one batch, depth knows its camera, samplers that do nothing change nothing."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from densegt.detection.bev.heads import decode  # noqa: E402
from densegt.detection.bev.losses import answer_of, losses_of, vehicles_of  # noqa: E402
from densegt.detection.bev.lss import LiftSplat  # noqa: E402
from densegt.detection.bev.residual import Residual  # noqa: E402
from densegt.detection.bev.train_config import LossWeights  # noqa: E402
from densegt.detection.depth_head.depth_net import CAMERA_NUMBERS, CameraAwareDepthNet, camera_numbers  # noqa: E402
from densegt.detection.depth_head.depth_target import depth_target  # noqa: E402
from densegt.errors import InputError  # noqa: E402

from ...cases import mostly  # noqa: E402
from .small import batch, config, model  # noqa: E402

ONLY = {
    "vehicles": LossWeights(heat=0, values=0, attributes=0, depth=0),
    "centres": LossWeights(vehicles=0, depth=0, values=1),
    "depth": LossWeights(vehicles=0, heat=0, values=0, attributes=0),
}


def say(net, given):
    return answer_of(net, given)


def learn(settings, given, steps, rate=5e-3):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    net = LiftSplat(settings.model)
    optimizer = torch.optim.AdamW(net.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    losses = []
    for _ in range(steps):
        parts = losses_of(say(net, given), given, settings)
        loss = torch.stack(list(parts.values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    return net, losses


# Learns a batch by heart.
@pytest.mark.slow
@pytest.mark.parametrize("sampling", mostly(["offset", "fixed", "pdf"], keep=1))
def test_vehicles_of_one_batch_are_learned(tiny_dataset, sampling):
    given, settings = batch(tiny_dataset), config("none", weights=ONLY["vehicles"], sampling=sampling)
    net, _ = learn(settings, given, 90)
    with torch.no_grad():
        said = say(net, given).vehicles > 0
    truth = vehicles_of(given, settings)
    assert (said & truth).sum() / (said | truth).sum() > 0.8


# Learns a batch by heart.
@pytest.mark.slow
def test_boxes_of_one_batch_are_learned(tiny_dataset):
    given, settings = batch(tiny_dataset, count=1), config("none", weights=ONLY["centres"])
    net, losses = learn(settings, given, 200)
    assert losses[-1] < 0.1 * losses[0]
    with torch.no_grad():
        found = decode(say(net, given).centres, settings.model.grid.made(), most=100)
    sure = found.scores[0] > 0.5
    grid = settings.model.grid
    cars = (given["labels"][0] == 0) & (given["boxes"][0, :, :2].abs() < grid.half_m).all(1)
    assert cars.any()
    for box in given["boxes"][0][cars]:
        off = (found.boxes[0, :, :2] - box[:2]).norm(dim=1)
        assert off[sure & (found.labels[0] == 0)].min() < 1


# Learns a batch by heart.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("sampling", "kind"),
    mostly([("fixed", "ce"), ("offset", "ce"), ("fixed", "focal"), ("fixed", "bce"), ("pdf", "ce")], keep=2),
)
def test_depth_of_one_batch_is_learned(tiny_dataset, sampling, kind):
    given = batch(tiny_dataset, count=1)
    settings = config(weights=ONLY["depth"], sampling=sampling).model_copy(update={"depth_loss": kind})
    net, _ = learn(settings, given, 100)
    with torch.no_grad():
        samples = say(net, given).samples
    layers = [given[name].flatten(0, 1) for name in ("depth_m", "confidence")]
    truth = depth_target("mode", *layers, samples.bins, stride=settings.model.stride).depth_m
    known = truth > 0
    error = (samples.expectation_m() - truth).abs()[known].mean()
    constant = (truth[known].median() - truth).abs()[known].mean()
    assert error < 0.5 * constant


@pytest.mark.parametrize("left_out", ["vehicles", "heat", "values", "attributes", "depth"])
def test_a_weight_of_zero_leaves_that_loss_out_and_no_other(tiny_dataset, left_out):
    given = batch(tiny_dataset, count=1)
    net = LiftSplat(model()).eval()
    with torch.no_grad():
        whole = losses_of(say(net, given), given, config())
        parts = losses_of(say(net, given), given, config(weights=LossWeights(**{left_out: 0})))
    assert set(whole) - set(parts) == {left_out}
    assert all(torch.equal(parts[name], whole[name]) for name in parts)


def test_residual_blocks_never_stride_over_channels_last():
    """There torch's 1x1 convolution with a stride writes beyond its memory, where channels are few."""
    block, seen = Residual(8, 12, 2), []
    block.shortcut[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].is_contiguous()))
    given = torch.randn(2, 10, 14, 8).movedim(-1, 1)
    assert not given.is_contiguous()
    block(given)
    assert seen == [True]


def test_two_frames_and_a_camera_aware_depth_net(tiny_dataset):
    given, settings = batch(tiny_dataset, frames=2), config(frames=2, camera_aware=True)
    _, losses = learn(settings, given, 25)
    assert losses[-1] < 0.6 * losses[0]


# Learns a batch by heart.
@pytest.mark.slow
def test_edges_in_and_fine_depth_out_are_learned(tiny_dataset):
    given = batch(tiny_dataset, sweep_depth=True)
    settings = config(weights=ONLY["depth"], edge_input=True, fine_depth=True)
    net, losses = learn(settings, given, 25)
    assert losses[-1] < 0.6 * losses[0]
    assert set(losses_of(say(net, given), given, settings)) == {"depth", "fine", "edges"}
    assert say(net.eval(), given).fine is None
    with pytest.raises(ValueError, match="sweep"):
        net(given["images"], given["K"], given["T_ref_cam"])


# Learns a batch by heart.
@pytest.mark.slow
def test_a_named_backbone(tiny_dataset):
    pytest.importorskip("transformers")
    net = LiftSplat(model(backbone="resnet", size=(32, 64), stride=16)).eval()
    assert say(net, batch(tiny_dataset, count=1, size=(32, 64))).logits.shape[-2:] == (2, 4)
    with pytest.raises(InputError, match="backbone no_such_type"):
        LiftSplat(model(backbone="no_such_type"))


@pytest.mark.parametrize("sampling", ["offset", "depth-offset", "pixel-offset"])
@pytest.mark.parametrize("kind", ["UD", "LID", "SID"])
def test_offsets_that_have_learned_nothing_are_the_baseline_to_the_bit(tiny_dataset, sampling, kind):
    given, bins = batch(tiny_dataset), {"kind": kind, "min_m": 2, "max_m": 58, "count": 16}
    torch.manual_seed(0)
    baseline = LiftSplat(model(bins=bins)).eval()
    other = LiftSplat(model(bins=bins, sampling=sampling)).eval()
    missing = other.load_state_dict(baseline.state_dict(), strict=False)
    assert missing.missing_keys
    assert not missing.unexpected_keys
    with torch.no_grad():
        one, two = say(baseline, given), say(other, given)
    assert torch.equal(one.vehicles, two.vehicles)
    assert all(torch.equal(a, b) for a, b in zip(one.centres, two.centres, strict=True))
    assert torch.equal(one.logits, two.logits)


def test_a_still_second_frame_is_the_first_again(tiny_dataset):
    """Laid down separately: what is in one half of the channels is in the other."""
    given = batch(tiny_dataset, frames=2, count=1)  # the scene's first keyframe is its own predecessor
    net = LiftSplat(model(frames=2)).eval()
    seen = []
    net.bev_net.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        say(net, given)
    now, before = seen[0].chunk(2, 1)
    torch.testing.assert_close(now, before)
    assert now.any()


def test_depth_knows_its_camera():
    torch.manual_seed(0)
    net = CameraAwareDepthNet(8, 5, 6, width=8).eval()
    features, camera = torch.rand(2, 8, 3, 4), torch.rand(2, CAMERA_NUMBERS)
    logits, context = net(features, camera)
    assert logits.shape == (2, 5, 3, 4)
    assert context.shape == (2, 6, 3, 4)
    assert not torch.allclose(net(features, camera + 1)[0], logits)


def test_what_a_camera_is_told_does_not_grow_with_its_pixels():
    K = torch.tensor([[100.0, 0, 50], [0, 100, 20], [0, 0, 1]]).double()[None, None]
    T = torch.eye(4).double()[None, None]
    twice = torch.diag(torch.tensor([2.0, 2, 1])).double() @ K
    torch.testing.assert_close(camera_numbers(K, T, (40, 100)), camera_numbers(twice, T, (80, 200)))


def test_losses_that_weigh_nothing_are_left_out(tiny_dataset):
    given, net = batch(tiny_dataset), LiftSplat(model())
    answer = say(net, given)
    assert set(losses_of(answer, given, config())) == {"vehicles", "heat", "values", "attributes", "depth"}
    assert set(losses_of(answer, given, config("none"))) == {"vehicles", "heat", "values", "attributes"}
    assert set(losses_of(answer, given, config(weights=ONLY["depth"]))) == {"depth"}


def test_shapes_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="no multiple"):
        model(size=(50, 80))
    with pytest.raises(InputError, match="4 backbone widths"):
        LiftSplat(model(backbone_widths=(8, 8)))
    with pytest.raises(ValueError, match="whole number"):
        model(grid={"half_m": 10, "cell_m": 0.3})
