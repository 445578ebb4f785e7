"""Points of several sweeps, where the ego's motion puts them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from densegt.datasets import RecordingPath
from densegt.detection.data.depth_dataset import DatasetOptions, DepthDataset, InputOptions
from densegt.detection.data.sweep_points import EarlierSweeps


def test_earlier_sweeps_are_the_newest_before_the_keyframe(tiny_dataset):
    recording = RecordingPath(tiny_dataset).open()
    scene = recording.scene_names[0]
    keyframes = recording.keyframes(scene)
    earlier = EarlierSweeps(recording, 3)
    assert earlier.before(keyframes[0]) == []
    found = [sweep for sweep, _ in earlier.before(keyframes[-1])]
    stamps = sorted({s.timestamp_us for s in recording.scene(scene).sweeps})
    own = keyframes[-1].sweeps[0].timestamp_us
    assert [s.timestamp_us for s in found] == [t for t in stamps if t < own][:-4:-1]
    assert EarlierSweeps(recording, 0).before(keyframes[-1]) == []


def test_samples_have_ages_and_what_stands_still_lies_on_itself(tiny_dataset):
    inputs = InputOptions(sweep_points=True, earlier_sweeps=2)
    several = DepthDataset(tiny_dataset, None, DatasetOptions("none", (32, 64), inputs=inputs))
    one = DepthDataset(tiny_dataset, None, DatasetOptions("none", (32, 64), inputs=InputOptions(sweep_points=True)))
    last = len(several) - 1
    both = [sample.sample(last) for sample in (several, one)]
    points, age_s = (both[0][name].numpy() for name in ("points", "point_age_s"))
    there = np.isfinite(age_s)
    assert (np.isfinite(points).all(1) == there).all()
    ages = np.unique(age_s[there])
    assert len(ages) == 3
    assert ages[0] == 0
    assert 0 < ages[2] < 1
    # The keyframe's own points are the same.
    alone = both[1]["points"].numpy()
    np.testing.assert_array_equal(points[age_s == 0], alone[np.isfinite(alone).all(1)])
    # Most of what an earlier sweep saw nearby is within a hand's breadth of what this one sees.
    now, before = points[age_s == 0], points[age_s == ages[2]]
    near = before[np.linalg.norm(before[:, :2], axis=1) < 12][::20]
    away = np.array([np.linalg.norm(now - p, axis=1).min() for p in near])
    assert np.median(away) < 0.6
