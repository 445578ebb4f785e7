"""One simulated world, read from nuScenes format and from KITTI's, gives the same depth."""

import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.pipeline import accumulate_scene
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.datasets.recording import RecordingOptions
from densegt.depth.metrics import DepthMetrics
from densegt.depth.store import SceneReader

from ..writers.kitti_raw import NAME

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow


def right_percent(scene, truths, config):
    """Over the keyframes' images in order of time."""
    metrics = DepthMetrics()
    for (camera, depth), truth in zip(accumulate_scene(scene, config), truths, strict=True):
        assert (camera.height_px, camera.width_px) == truth.depth_m.shape
        metrics.update(depth.depth_m, truth.depth_m, source=depth.source)
    return metrics.compute().all


def test_the_same_depth(tiny_dataset, kitti_raw):
    config = AccumulateConfig()
    front = read_scene(open_recording(tiny_dataset), "scene-0001", config, cameras=["CAM_FRONT"])
    truth = SceneReader(tiny_dataset / "exact" / "scene-0001.h5")
    truths = [truth.read(camera.sample_token, camera.channel) for camera in front.cameras]
    keyframes = [number for number, sweep in enumerate(front.sweeps) if sweep.is_keyframe]
    options = RecordingOptions(keyframe_every=keyframes[1] - keyframes[0], exposure="image")
    drive = read_scene(open_recording(kitti_raw, options=options), NAME, config)
    assert len(drive.cameras) == len(front.cameras) == len(keyframes)
    ours, theirs = right_percent(front, truths, config), right_percent(drive, truths, config)
    assert theirs.right_percent == pytest.approx(ours.right_percent, abs=0.2)
