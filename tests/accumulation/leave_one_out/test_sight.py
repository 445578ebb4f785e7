"""What is called surely seen is seen: held against exact depth of simulated streets."""

import numpy as np
import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.leave_one_out.scene import held_out_depth, held_out_keyframes
from densegt.accumulation.leave_one_out.sight import Sight, Sights
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.depth.matching import best_match
from densegt.depth.store import SceneReader

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow


def test_sure_points_are_seen_and_most_points_are_sure(tiny_dataset):
    config, recording = AccumulateConfig(), open_recording(tiny_dataset)
    scene = read_scene(recording, recording.scene_names[0], config)
    exact = SceneReader(tiny_dataset / "exact" / f"{scene.name}.h5")
    sights, count, unseen = Sights.of(scene, config), np.zeros(3, int), np.zeros(3, int)
    for keyframe in held_out_keyframes(scene):
        for camera, truth in zip(keyframe.cameras, held_out_depth(scene, keyframe, config), strict=True):
            exact_m = exact.read(camera.sample_token, camera.channel).depth_m
            points = (truth.depth_m > 0) & (truth.depth_m < 60)
            sight = sights.of_points(truth.depth_m, camera, keyframe.sweeps)[points]
            too_far = best_match(truth.depth_m, exact_m, points) > 1
            count += np.bincount(sight, minlength=3)
            unseen += np.bincount(sight[too_far], minlength=3)
    share = unseen / count
    assert share[Sight.SURE] < 0.005 < 0.02 < share[Sight.AMBIGUOUS] < share[Sight.HIDDEN]
    assert count[Sight.SURE] > 0.8 * count.sum()
    assert count[Sight.AMBIGUOUS] < 0.18 * count.sum()
