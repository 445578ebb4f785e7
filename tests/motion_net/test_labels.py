"""Labels of every kind against the exact ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.datasets.scene import Scene
from densegt.depth.point_votes import NO_CLASS
from densegt.errors import InputError
from densegt.motion_net.classes import CLASSES, class_of_category, class_of_simulated
from densegt.motion_net.labels import labels_of
from densegt.motion_net.labels.point_labels import UNKNOWN, moving_by_speed
from densegt.motion_net.scene_data import SceneData
from densegt.simulate.meshes.semantic import Semantic

CONFIG = AccumulateConfig()


@pytest.fixture(scope="module")
def plain(tiny_dataset: Path) -> Scene:
    recording = open_recording(tiny_dataset)
    return read_scene(recording, recording.scene_names[0], CONFIG)


def test_exact_labels_know_movers_without_boxes(scene: SceneData) -> None:
    exact = scene.labels
    assert (exact.moving >= 0).mean() > 0.98
    assert 0.005 < (exact.moving == 1).mean() < 0.5
    assert (exact.thing[exact.moving == 1] > 0).all()
    assert (exact.speed_mps[exact.moving == 1] > 0.5).all()
    away = np.linalg.norm(exact.centre - scene.scans.xyz[:, :2], axis=1)
    assert np.isfinite(away[exact.thing > 0]).all()
    assert np.quantile(away[exact.thing > 0], 0.99) < 8
    assert np.isnan(away[exact.thing == 0]).all()


def test_boxes_agree_with_the_truth_where_there_are_some(scene: SceneData, plain: Scene, tiny_dataset: Path) -> None:
    boxes, exact = labels_of("boxes", tiny_dataset, plain, scene.scans, CONFIG), scene.labels
    asked = (boxes.moving >= 0) & (exact.moving >= 0)
    said = boxes.moving[asked] == 1
    truth = exact.moving[asked] == 1
    assert (said & truth).sum() / said.sum() > 0.97
    # Two movers have no box.
    assert (said & truth).sum() / truth.sum() > 0.4
    both = said & truth
    speed = np.abs(boxes.speed_mps[asked][both] - exact.speed_mps[asked][both])
    assert np.median(speed) < 0.5
    kinds = boxes.kind[asked][both]
    assert (kinds == exact.kind[asked][both]).mean() > 0.97


def test_automatic_labels_need_no_label(scene: SceneData, plain: Scene, tiny_dataset: Path) -> None:
    automatic, exact = labels_of("auto", tiny_dataset, plain, scene.scans, CONFIG), scene.labels
    asked = (automatic.moving >= 0) & (exact.moving >= 0)
    said, truth = automatic.moving[asked] == 1, exact.moving[asked] == 1
    assert 0.3 < asked.mean() < 1
    assert (said & truth).sum() / said.sum() > 0.9
    assert (said & truth).sum() / truth.sum() > 0.6
    assert (exact.moving[automatic.moving == 0] == 1).mean() < 0.005


def with_lidarseg(folder: Path, dataset: Path, scene: SceneData) -> Path:
    """The dataset with lidarseg made of the exact object ids: cars' are cars, all else is manmade or road."""
    (folder / "v1.0-mini").mkdir(parents=True)
    for path in dataset.iterdir():
        if not path.name.startswith("v1.0"):
            (folder / path.name).symlink_to(path)
    for path in (dataset / "v1.0-mini").iterdir():
        (folder / "v1.0-mini" / path.name).symlink_to(path)
    categories = [
        {"index": 0, "name": "noise"},
        {"index": 17, "name": "vehicle.car"},
        {"index": 28, "name": "static.manmade"},
    ]
    (folder / "v1.0-mini" / "category.json").unlink()
    (folder / "v1.0-mini" / "category.json").write_text(json.dumps([{"token": c["name"], **c} for c in categories]))
    rows = []
    (folder / "lidarseg").mkdir()
    for k, sweep in enumerate(scene.scans.sweeps):
        if sweep.is_keyframe:
            code = np.full(scene.scans.count[k], 28, dtype=np.uint8)
            here = slice(scene.scans.first[k], scene.scans.first[k + 1])
            code[scene.scans.row[here][scene.labels.kind[here] == CLASSES.index("car")]] = 17
            code.tofile(folder / "lidarseg" / f"{sweep.token}.bin")
            rows.append({"sample_data_token": sweep.token, "filename": f"lidarseg/{sweep.token}.bin"})
    (folder / "v1.0-mini" / "lidarseg.json").write_text(json.dumps(rows))
    return folder


def test_lidarseg_gives_classes_and_boxes_motion(
    scene: SceneData, plain: Scene, tiny_dataset: Path, tmp_path: Path
) -> None:
    root = with_lidarseg(tmp_path / "seg", tiny_dataset, scene)
    told = labels_of("lidarseg", root, plain, scene.scans, CONFIG)
    key = np.isin(scene.scans.sweep, [k for k, sweep in enumerate(scene.scans.sweeps) if sweep.is_keyframe])
    car = scene.labels.kind == CLASSES.index("car")
    assert (told.kind[key & car] == CLASSES.index("car")).all()
    assert (told.kind[key & ~car] == CLASSES.index("manmade")).all()
    # A car without a box may do either; what is manmade stands.
    moving = scene.labels.moving == 1
    assert (told.moving[key & car & moving] != 0).mean() > 0.95
    assert (told.moving[key & ~car] == 0).all()


def test_what_is_missing_is_named(scene: SceneData, plain: Scene, tiny_dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lidarseg.json; unpack"):
        labels_of("lidarseg", tiny_dataset, plain, scene.scans, CONFIG)
    with pytest.raises(InputError, match=r"scene-0001.h5: no such file; densegt simulate writes it"):
        labels_of("exact", tmp_path, plain, scene.scans, CONFIG)
    with pytest.raises(InputError, match="no box in it"):
        labels_of("boxes", tmp_path, replace(plain, tracks=()), scene.scans, CONFIG)


def test_between_slow_and_fast_nothing_is_asked() -> None:
    speed = np.array([0, 0.19, 0.21, 0.49, 0.51, 30], dtype=np.float32)
    assert moving_by_speed(speed).tolist() == [0, 0, UNKNOWN, UNKNOWN, 1, 1]


def test_every_vocabulary_is_known() -> None:
    assert class_of_category("vehicle.bus.bendy") == CLASSES.index("bus")
    assert class_of_category("animal") == NO_CLASS
    named = {semantic.name.lower(): class_of_simulated(semantic.name.lower()) for semantic in Semantic}
    assert {name for name, code in named.items() if code == NO_CLASS} == {"none", "animal"}
