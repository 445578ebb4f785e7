"""Confidence: what it says of a world whose depth is known, and what a threshold on it does."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from densegt.accumulation.config import AccumulateConfig, ConfidenceConfig, SurfelConfig
from densegt.accumulation.pipeline import accumulate_scene, build_cloud
from densegt.accumulation.render.confidence_model import (
    read_confidence_model,
    shipped_confidence_model,
    write_confidence_model,
)
from densegt.accumulation.render.renderer import render
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.depth.depth_map import DepthMap, Source
from densegt.depth.matching import best_match
from densegt.depth.store import SceneReader
from densegt.kernels.confidence_features import COLUMNS
from tests.accumulation.worlds import World

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

WORLD = World()
EVERYTHING = ConfidenceConfig(least=0, least_measured=0)


@cache
def depth(least: float, surface: bool = True) -> DepthMap:
    scene = WORLD.scene()
    # Pinholes are filled from what is kept around them.
    apart = SurfelConfig(pinhole_px=0)
    confidence = ConfidenceConfig(least=least, least_measured=least)
    config = AccumulateConfig(surface=surface, confidence=confidence, surfels=apart)
    return render(build_cloud(scene, config), scene.cameras[1], config)


def test_the_judge_that_ships_hears_every_column_of_evidence() -> None:
    first, second, third = shipped_confidence_model()
    assert first.shape[1] == len(COLUMNS) + 1
    assert (second.shape[1], third.shape) == (len(first) + 1, (1, len(second) + 1))
    assert all(np.abs(first[:, k]).max() > 1e-4 for k in range(len(COLUMNS)))


def test_a_judge_is_kept_as_it_is_and_refused_for_other_evidence(tmp_path: Path) -> None:
    path = tmp_path / "judge.json"
    write_confidence_model(path, shipped_confidence_model(), {"command": 'python "fit"'})
    for kept, shipped in zip(read_confidence_model(path), shipped_confidence_model(), strict=True):
        np.testing.assert_allclose(kept, shipped, rtol=1e-5)
    assert json.loads(path.read_text())["command"] == 'python "fit"'
    path.write_text(path.read_text().replace('"agree"', '"nods"'))
    with pytest.raises(ValueError, match="other features"):
        read_confidence_model(path)


def test_it_is_a_probability_where_depth_is_known_and_zero_elsewhere() -> None:
    got = depth(0.0)
    known = got.depth_m > 0
    assert known.any()
    assert ((got.confidence[known] > 0) & (got.confidence[known] <= 1)).all()
    assert (got.confidence[~known] == 0).all()


def test_a_threshold_keeps_the_pixels_above_it_as_they_were() -> None:
    every, some = depth(0.0), depth(0.93)
    keep = every.confidence >= 0.93
    assert 0.5 < keep.sum() / (every.depth_m > 0).sum() < 1
    np.testing.assert_array_equal(some.depth_m, np.where(keep, every.depth_m, 0))
    np.testing.assert_array_equal(some.source, np.where(keep, every.source, Source.NONE))
    np.testing.assert_array_equal(some.confidence, np.where(keep, every.confidence, 0))


def test_the_sure_are_wrong_far_less_often_than_the_unsure(tiny_dataset: Path) -> None:
    """The share of wrong pixels falls by a quarter among the surest nine tenths, and goes on falling."""
    exact = SceneReader(tiny_dataset / "exact" / "scene-0001.h5")
    wrong, sure = [], []
    config = AccumulateConfig(confidence=EVERYTHING)
    recording = open_recording(tiny_dataset)
    scene = read_scene(recording, "scene-0001", config, cameras=("CAM_FRONT", "CAM_BACK"))
    for camera, got in accumulate_scene(scene, config):
        truth_m = exact.read(camera.sample_token, camera.channel).depth_m
        counted = (got.depth_m > 0) & (truth_m > 0) & (truth_m < 60)
        wrong.append(np.abs(best_match(got.depth_m, truth_m, counted)) > 1)
        sure.append(got.confidence[counted])
    wrong, sure = np.concatenate(wrong), np.concatenate(sure)
    of_sure = [wrong[sure >= np.quantile(sure, 1 - share)].mean() for share in (1.0, 0.9, 0.7, 0.5)]
    assert of_sure[1] < 0.75 * of_sure[0]
    assert of_sure[0] > of_sure[1] > of_sure[2] >= of_sure[3]


@pytest.mark.parametrize("least", [0.0, 0.985])
def test_measured_pixels_alone_are_as_sure_as_they_are_with_surfaces(least: float) -> None:
    measured, every = depth(least, surface=False), depth(0.0)
    known = measured.depth_m > 0
    np.testing.assert_array_equal(measured.depth_m[known], every.depth_m[known])
    np.testing.assert_array_equal(measured.confidence[known], every.confidence[known])
    assert Source.SURFACE not in measured.source
