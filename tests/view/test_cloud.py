"""The cloud that the page shows."""

import numpy as np
import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.pipeline import build_cloud
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.view.cloud import scene_cloud, subsample
from densegt.view.ply import placed_points

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clouds(tiny_dataset):
    config = AccumulateConfig()
    scene = read_scene(open_recording(tiny_dataset), "scene-0001", config)
    keyframes_us = np.array([s.timestamp_us for s in scene.sweeps if s.is_keyframe])
    cloud = build_cloud(scene, config)
    return cloud, scene_cloud(cloud, keyframes_us, max_points=5000), keyframes_us


def test_subsampling_keeps_every_place():
    rng = np.random.default_rng(0)
    xyz = np.concatenate([rng.random((5000, 3)), 100 + rng.random((5, 3))]).astype(np.float32)
    few = subsample(xyz, 400)
    assert 100 < len(few) <= 400
    assert (few > 50).any()
    assert {tuple(p) for p in few} <= {tuple(p) for p in xyz}
    assert subsample(xyz, 10_000) is xyz
    assert len(subsample(xyz[:0], 10)) == 0


def test_subsampled_cloud_holds_as_many_as_asked(clouds):
    cloud, few, _ = clouds
    assert 1000 < len(few.static) <= 5000
    assert sum(len(m.xyz_box) for m in few.movers) <= 1250 + len(few.movers)
    assert few.points == len(cloud.static) + len(cloud.transient) + sum(len(p) for _, p in cloud.movers)
    assert (np.diff(few.transient_s) >= 0).all()


def test_objects_stand_still_in_their_box_and_smear_where_they_were_seen(clouds):
    """The ghosts: what was seen of a moving object is spread along its way, in its own frame it is as long as it is."""
    _, few, _ = clouds
    way_m = [np.ptp(m.T_origin_box[:, :2, 3][~np.isnan(m.T_origin_box[:, 0, 3])], axis=0).max() for m in few.movers]
    fast = few.movers[int(np.argmax(way_m))]
    assert max(way_m) > 3
    inside = np.abs(fast.xyz_box) <= fast.size_lwh_m / 2 + 0.5
    assert inside.all(axis=1).mean() > 0.95
    assert np.ptp(fast.xyz_seen, axis=0).max() > np.ptp(fast.xyz_box, axis=0).max() + 2


def test_placed_at_a_moment(clouds):
    cloud, _, keyframes_us = clouds
    xyz_global, rgb = placed_points(cloud, int(keyframes_us[1]))
    assert len(xyz_global) == len(rgb) > len(cloud.static)
    np.testing.assert_allclose(xyz_global[0], cloud.static.xyz[0] + cloud.origin_global_m, atol=1e-4)
