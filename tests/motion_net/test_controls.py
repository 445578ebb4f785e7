"""Controls that cannot fail silently: what must not matter, does not, and what must, does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from densegt.accumulation.config import AccumulateConfig
from densegt.motion_net.answering import for_answers
from densegt.motion_net.batches import make_batch, make_targets
from densegt.motion_net.config import MotionTrainConfig, NetConfig
from densegt.motion_net.dataset import augmented, slowed, some_asked, some_place
from densegt.motion_net.examples import Example, cropped, make_example, repeated, reversed_in_time, turned
from densegt.motion_net.head import fit_head
from densegt.motion_net.losses import losses_of
from densegt.motion_net.network import MotionNet
from densegt.motion_net.pillars import SLICES_M, cells_of, pillars, share_map
from densegt.motion_net.scene_data import SceneData

SMALL = NetConfig(width=8, reach_m=16.0, cell_m=0.5, scans=3, farthest_s=0.3)


@pytest.fixture(scope="module")
def example(scene: SceneData) -> Example:
    return make_example(scene.scans, 15, SMALL, scene.free_space)


@pytest.fixture(scope="module")
def trained(scene: SceneData) -> MotionNet:
    """A small network after some dozens of steps on the tiny world; it learns, or the tests below fail."""
    return learn(scene, SMALL)


def learn(scene: SceneData, config: NetConfig, steps: int = 60) -> MotionNet:
    torch.manual_seed(0)
    net, rng = MotionNet(config), np.random.default_rng(0)
    optimizer = torch.optim.AdamW(net.parameters(), 1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    for _ in range(steps):
        drawn = make_example(scene.scans, int(rng.integers(len(scene.scans))), config, scene.free_space)
        drawn, targets = augmented(drawn, scene.targets(drawn), rng)
        batch = make_batch([drawn], config)
        loss = torch.stack(list(losses_of(net(batch), make_targets([targets]), batch.example).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


def log_odds(net: MotionNet, *examples: Example) -> np.ndarray:
    with torch.inference_mode():
        return net(make_batch(examples, net.config)).moving.numpy()


def iou(net: MotionNet, scene: SceneData) -> float:
    found, truth = [], []
    for scan in range(1, len(scene.scans), 6):
        shown = make_example(scene.scans, scan, net.config, scene.free_space)
        found.append(log_odds(net, shown) > 0)
        truth.append(scene.labels.moving[shown.rows] == 1)
    hit, wanted = np.concatenate(found), np.concatenate(truth)
    return float((hit & wanted).sum() / max((hit | wanted).sum(), 1))


def test_it_learns_and_needs_several_scans(trained: MotionNet, scene: SceneData) -> None:
    several = iou(trained, scene)
    alone = iou(learn(scene, SMALL.model_copy(update={"scans": 1, "free_space": False})), scene)
    assert several > 0.5
    assert alone < several - 0.1


def test_the_head_learns_by_points_alone(scene: SceneData) -> None:
    net = MotionNet(SMALL)
    fit_head(net, [scene], MotionTrainConfig(net=SMALL, head_steps=100, points=3000, every=6))
    assert iou(net.eval(), scene) > 0.5
    # The map says nothing yet.
    assert not net.point[0].weight[:, : SMALL.width].any()


def test_a_repeated_scan_stands_still(trained: MotionNet, example: Example) -> None:
    assert (log_odds(trained, example) > 0).mean() > 0.005
    assert (log_odds(trained, repeated(example)) > 0).mean() < 0.001


def test_reversed_time_gives_the_same(trained: MotionNet, example: Example) -> None:
    assert len(example.others) == 2
    np.testing.assert_allclose(log_odds(trained, reversed_in_time(example)), log_odds(trained, example), atol=1e-4)


def test_pillars_turn_with_the_points(example: Example) -> None:
    """By quarter turns to the bit: rows run along x, columns along y."""
    away = np.abs(np.mod(example.base.xyh[:, :2] / SMALL.cell_m + 0.5, 1.0) - 0.5).min(axis=1) > 1e-4
    inside = replace(
        example, base=example.base.take(away), rows=example.rows[away], free_space=example.free_space[away]
    )
    quarter = turned(inside, np.pi / 2)
    before, after = pillars(inside.base, SMALL), pillars(quarter.base, SMALL)
    np.testing.assert_allclose(after, np.rot90(before, 1, axes=(1, 2)), atol=1e-5)
    assert not np.allclose(after, before, atol=1e-2)
    np.testing.assert_allclose(make_batch([quarter], SMALL).features, make_batch([inside], SMALL).features, atol=1e-3)


def test_shares_of_free_space_turn_with_the_points(example: Example) -> None:
    before = share_map(example.base, example.free_space, SMALL)
    quarter = turned(example, np.pi / 2)
    off = np.abs(share_map(quarter.base, quarter.free_space, SMALL) - np.rot90(before, 1, axes=(1, 2))) > 1e-3
    # Points on a border may change sides.
    assert off.mean() < 1e-3
    assert before.max() > 0.5
    above = example.base.xyh[:, 2] >= SLICES_M[0]
    cell = cells_of(example.base.xyh, SMALL)
    here = above & (cell == cell[above][0]).all(axis=1)
    np.testing.assert_allclose(before[:, *cell[above][0]], example.free_space[here].mean(axis=0), atol=1e-5)


def test_a_part_of_a_scan_is_what_lies_there(scene: SceneData, example: Example) -> None:
    middle = np.array([6.0, -3.0])
    part, kept = cropped(example, middle, 8.0)
    assert 0 < kept.sum() < len(kept)
    np.testing.assert_allclose(part.base.xyh[:, :2] + middle, example.base.xyh[kept, :2], atol=1e-5)
    assert all(np.abs(points.xyh[:, :2]).max() <= 8 for points in (part.base, *part.others))
    whole, few = make_batch([example], SMALL), make_batch([part], SMALL.model_copy(update={"reach_m": 8.0}))
    # By whole cells: all that a point tells of itself is as before, its range too.
    np.testing.assert_allclose(few.features, whole.features[torch.from_numpy(kept)], atol=1e-3)
    targets = scene.targets(example)
    shown, told = some_place(example, targets, 8.0, np.random.default_rng(0))
    assert len(shown.rows) == len(told[0]) > 0
    np.testing.assert_array_equal(scene.labels.moving[shown.rows], told[0])


def test_slowed_time_is_as_if_all_went_a_quarter_as_fast(scene: SceneData, example: Example) -> None:
    targets = scene.targets(example)
    slow, (moving, _, _, speed, _) = slowed(example, targets)
    fast = targets[3] > 0
    np.testing.assert_allclose(speed[fast], targets[3][fast] / 4)
    assert (moving[targets[3] > 2.4] == 1).all()
    assert (moving[fast & (targets[3] < 1.9)] != 1).all()
    np.testing.assert_array_equal(moving[~fast], targets[0][~fast])
    assert [points.gap_s for points in slow.others] == [4 * points.gap_s for points in example.others]
    np.testing.assert_array_equal(slow.free_space[:, 2:], example.free_space[:, :4])
    assert not slow.free_space[:, 0].any()


def test_a_turned_world_gives_the_same_mask(trained: MotionNet, example: Example) -> None:
    still = log_odds(trained, example) > 0
    for angle in (np.pi / 2, np.pi, 2.2):
        assert (still != (log_odds(trained, turned(example, angle)) > 0)).mean() < 0.02
    assert (still != (log_odds(trained, turned(example, 0.0, mirrored=True)) > 0)).mean() < 0.02


def test_each_example_is_answered_by_its_own_scans_in_any_order(trained: MotionNet, scene: SceneData) -> None:
    shown = [make_example(scene.scans, k, SMALL, scene.free_space) for k in (2, 15, 28)]
    alone = [log_odds(trained, one) for one in shown]
    together = log_odds(trained, shown[1], shown[2], shown[0])
    np.testing.assert_allclose(together, np.concatenate([alone[1], alone[2], alone[0]]), atol=1e-4)
    assert not np.allclose(alone[0][:50], alone[1][:50])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_any_batch_size_learns(scene: SceneData, count: int) -> None:
    net = MotionNet(SMALL)
    shown = [make_example(scene.scans, 5 + k, SMALL, scene.free_space) for k in range(count)]
    batch, targets = make_batch(shown, SMALL), make_targets([scene.targets(one) for one in shown])
    losses = losses_of(net(batch), targets, batch.example)
    torch.stack(list(losses.values())).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)


def test_the_network_of_one_reach_and_number_of_scans_takes_others(trained: MotionNet, scene: SceneData) -> None:
    wider = MotionNet(SMALL.model_copy(update={"reach_m": 24.0, "scans": 5}))
    wider.load_state_dict(trained.state_dict())
    shown = make_example(scene.scans, 15, wider.config, scene.free_space)
    assert len(shown.others) == 4
    near = (np.abs(shown.base.xyh[:, :2]) < 12).all(axis=1)
    same = make_example(scene.scans, 15, SMALL, scene.free_space)
    near_same = (np.abs(same.base.xyh[:, :2]) < 12).all(axis=1)
    agree = (log_odds(wider.eval(), shown)[near] > 0) == (log_odds(trained, same)[near_same] > 0)
    assert agree.mean() > 0.97


def test_free_space_tells_movers_from_what_stands(scene: SceneData) -> None:
    passed = scene.free_space[:, 2] / 255
    moving, still = scene.labels.moving == 1, scene.labels.moving == 0
    assert passed[moving].mean() > 0.2
    assert passed[still].mean() < 0.02
    again = scene.scans.free_space(np.arange(50), AccumulateConfig().free_space)
    np.testing.assert_array_equal(again, scene.free_space[:50])


def test_points_asked_about_are_answered_as_among_all(trained: MotionNet, scene: SceneData, example: Example) -> None:
    targets = scene.targets(example)
    few, told = some_asked(example, targets, 500, np.random.default_rng(0))
    assert few.asked is not None
    assert len(few.asked) == len(told[0]) == 500
    np.testing.assert_allclose(log_odds(trained, few), log_odds(trained, example)[few.asked], atol=1e-4)
    np.testing.assert_array_equal(told[0], targets[0][few.asked])


@pytest.mark.parametrize(("half", "tolerance"), [(False, 1e-4), (True, 0.3)])
def test_the_quick_network_answers_the_same(trained: MotionNet, example: Example, half: bool, tolerance: float) -> None:
    quick, plain = log_odds(for_answers(trained, half=half), example), log_odds(trained, example)
    np.testing.assert_allclose(quick, plain, atol=tolerance)
    assert ((quick > 0) != (plain > 0)).mean() < 0.002
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in for_answers(trained).modules())
