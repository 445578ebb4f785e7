"""A scene's maps on one lattice tell what each scan's own tell, and are made once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from densegt.accumulation.config import AccumulateConfig
from densegt.motion_net.answering import for_answers
from densegt.motion_net.batches import make_batch
from densegt.motion_net.config import NetConfig
from densegt.motion_net.examples import make_example, turned
from densegt.motion_net.infer import votes_of_scan, votes_of_scene
from densegt.motion_net.network import MotionNet, lookups
from densegt.motion_net.scene_data import SceneData
from densegt.motion_net.scene_maps import SceneMaps

SMALL = NetConfig(width=8, reach_m=16.0, cell_m=0.5, scans=3, farthest_s=0.3)
FREE_SPACE = AccumulateConfig().free_space


@pytest.fixture(scope="module")
def net() -> MotionNet:
    """Any weights: what is told must be the same for all."""
    torch.manual_seed(1)
    made = MotionNet(SMALL)
    with torch.no_grad():
        made.head.weight *= 20
    return for_answers(made, half=False)


def test_a_scan_is_told_as_in_a_frame_of_its_own(net: MotionNet, scene: SceneData) -> None:
    scan, scans = 15, scene.scans
    rows, votes = votes_of_scan(SceneMaps(net, scans), scan, FREE_SPACE)
    # The same cells: axes turned to the global ones, and the middle moved to the lattice.
    away = (scans.xy[scan] - SceneMaps(net, scans).middle_m(scan)).astype(np.float32)
    example = turned(make_example(scans, scan, SMALL, scene.free_space), float(scans.yaw[scan]))
    for points in (example.base, *example.others):
        points.xyh[:, :2] += away
    example = replace(example, lidar_xy=(float(away[0]), float(away[1])))
    with torch.inference_mode():
        told = net(make_batch([example], SMALL.model_copy(update={"reach_m": 24.0})))
    _, here, there = np.intersect1d(rows, example.rows, return_indices=True)
    near = np.linalg.norm(example.base.xyh[there, :2], axis=1) < 6
    here, there = here[near], there[near]
    assert len(here) > 500
    off = np.abs(votes.moving[here] - told.moving.sigmoid().numpy()[there])
    # Float32 puts a point in some hundred thousand into the cell beside.
    assert np.quantile(off, 0.98) < 0.02
    assert votes.moving.std() > 0.05


def test_lookups_are_the_networks(net: MotionNet, scene: SceneData) -> None:
    maps, scan = SceneMaps(net, scene.scans), 15
    example = make_example(scene.scans, scan, SMALL, scene.free_space)
    batch = make_batch([example], SMALL)
    middle = maps.middle_m(scan)
    xyz = scene.scans.xyz[example.rows]
    inside = (np.abs(xyz[:, :2] - middle) < SMALL.reach_m).all(axis=1)
    cell = np.floor((xyz[inside, :2] - middle) / SMALL.cell_m).astype(np.int64) + SMALL.cells // 2
    found = maps.lookups(scan, cell, batch.slice.numpy()[inside])
    wanted = lookups(batch).numpy()[inside]
    assert found.shape == wanted.shape
    # In other cells, the same amounts all in all.
    np.testing.assert_allclose(found.mean(axis=0), wanted.mean(axis=0), rtol=0.1, atol=0.02)


def test_each_map_is_made_about_once(net: MotionNet, scene: SceneData, monkeypatch: pytest.MonkeyPatch) -> None:
    made: Counter[int] = Counter()
    make = SceneMaps._made
    monkeypatch.setattr(SceneMaps, "_made", lambda maps, scan: made.update([scan]) or make(maps, scan))
    votes = votes_of_scene(net, scene.scans, FREE_SPACE)
    assert sorted(SceneMaps(net, scene.scans).order()) == list(range(len(scene.scans)))
    assert made.total() < 1.5 * len(scene.scans)
    assert 0.3 < np.isfinite(votes.moving).mean() < 1
