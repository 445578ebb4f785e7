"""Detections through nuScenes' own evaluation: labels said back score one, and what is off costs what it should."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("nuscenes.nuscenes")

from densegt.datasets.detection_classes import ATTRIBUTES, CLASSES, RANGE_M, attributes_of, class_of
from densegt.datasets.keyframes import KeyframeBoxes
from densegt.datasets.nuscenes.splits import official_validation_scenes
from densegt.detection.bev.grid import BevGrid
from densegt.detection.bev.scores import fixed_boxes
from densegt.detection.data.depth_dataset import DatasetOptions, DepthDataset
from densegt.detection.scoring.nuscenes_metrics import ap_at, ranges_within, score_detections
from densegt.detection.scoring.nuscenes_results import Detections, write_results
from densegt.errors import InputError


def truth(dataset):
    """Every label, said back with a score of one."""
    found = []
    for index, keyframe in enumerate(dataset.keyframes):
        labels = dataset.labels(index)
        boxes, attributes = np.nan_to_num(labels.boxes), np.maximum(labels.attributes, 0)
        T, sure = keyframe.T_global_ego, np.ones(len(labels))
        found.append(Detections(keyframe.sample_token, boxes, labels.classes, attributes, sure, T))
    return found


@pytest.fixture(scope="module")
def dataset(tiny_dataset):
    return DepthDataset(tiny_dataset, options=DatasetOptions("none", (32, 64)))


def scored(found, dataset, **options):
    return score_detections(found, dataset.keyframes, **options)


def test_the_truth_scores_one(dataset):
    scores = scored(truth(dataset), dataset)
    there = [name for name, count in scores["boxes"].items() if count]
    assert {"car", "pedestrian"} <= set(there)
    for name in CLASSES:
        for ap in scores["label_aps"][name].values():
            assert ap == pytest.approx(1.0 if name in there else 0.0, abs=1e-6)
    assert scores["label_tp_errors"]["car"]["trans_err"] == pytest.approx(0, abs=1e-6)
    for error in ("scale_err", "orient_err", "vel_err", "attr_err"):
        assert scores["label_tp_errors"]["car"][error] == pytest.approx(0, abs=0.02)


def test_a_metre_off_is_a_metre_of_error(dataset):
    off = [replace(f, boxes=f.boxes + np.array([0.6, 0.8, 0, 0, 0, 0, 0.1, 0, 0])) for f in truth(dataset)]
    scores = scored(off, dataset)
    assert scores["label_tp_errors"]["car"]["trans_err"] == pytest.approx(1, abs=0.01)
    assert scores["label_tp_errors"]["car"]["orient_err"] == pytest.approx(0.1, abs=0.01)
    aps = scores["label_aps"]["car"]
    assert ap_at(aps, 0.5) < 0.2
    assert ap_at(aps, 2.0) > 0.9


def test_boxes_beyond_the_range_are_not_asked_for(dataset):
    near = ranges_within(BevGrid(-10, 10, -10, 10, 1))
    assert near["car"] == near["barrier"] == 10
    whole = scored(truth(dataset), dataset)["boxes"]
    assert scored(truth(dataset), dataset, range_m=near)["boxes"]["car"] < whole["car"]
    assert ranges_within(BevGrid(-60, 60, -60, 60, 1)) == RANGE_M


def test_two_wheelers_in_racks_are_left_out(dataset):
    """A rack about everything takes bicycles and motorcycles out, labelled and found ones, and nothing else."""
    rack = KeyframeBoxes(
        ("static_object.bicycle_rack",), (None,), ("",), np.full((1, 3), 1e4), np.eye(4)[None],
        np.full((1, 2), np.nan), np.array([5]),
    )  # fmt: skip
    racked = [replace(k, boxes=joined(k.boxes, rack)) for k in dataset.keyframes]
    before, after = (score_detections(truth(dataset), keyframes)["boxes"] for keyframes in (dataset.keyframes, racked))
    assert before["bicycle"] + before["motorcycle"] > 0
    assert after == {**before, "bicycle": 0, "motorcycle": 0}


def joined(one, two):
    """The boxes of both."""
    return KeyframeBoxes(
        *(
            getattr(one, f.name) + getattr(two, f.name)
            if isinstance(getattr(one, f.name), tuple)
            else np.concatenate([getattr(one, f.name), getattr(two, f.name)])
            for f in fields(KeyframeBoxes)
        )
    )


def test_nothing_found_is_scored_too(dataset):
    nothing = [
        replace(f, boxes=f.boxes[:0], classes=f.classes[:0], attributes=f.attributes[:0], scores=f.scores[:0])
        for f in truth(dataset)
    ]
    assert scored(nothing, dataset)["mean_ap"] == 0


def test_the_best_500_are_kept_and_attributes_mended(dataset, tmp_path):
    first = truth(dataset)[0]
    many = np.arange(600) % len(first.scores)
    crowd = replace(
        first, boxes=first.boxes[many], classes=first.classes[many], scores=np.linspace(0, 1, 600),
        attributes=np.full(600, ATTRIBUTES.index("cycle.with_rider")),
    )  # fmt: skip
    write_results(tmp_path / "results.json", [crowd], use_lidar=True)
    written = json.loads((tmp_path / "results.json").read_text())
    assert written["meta"]["use_lidar"]
    (rows,) = written["results"].values()
    assert len(rows) == 500
    assert min(row["detection_score"] for row in rows) > 0.15
    for row in rows:
        possible = attributes_of(row["detection_name"])
        assert row["attribute_name"] in (possible or ("",))


def test_results_of_another_dataset_are_refused(dataset):
    stranger = replace(truth(dataset)[0], sample_token="stranger")
    with pytest.raises(InputError, match="none of the keyframes"):
        scored([stranger], dataset)


def test_fixed_boxes_stand_where_most_labels_are(dataset):
    grid = BevGrid(-30, 30, -30, 30, 2)
    boxes, scores = fixed_boxes([dataset.labels(i) for i in range(len(dataset))], grid)
    assert (np.diff(scores) <= 0).all()
    assert 0 < scores[-1] <= scores[0]
    assert len(boxes) == len(scores)


def test_classes_are_the_devkits():
    from nuscenes.eval.detection.constants import ATTRIBUTE_NAMES, DETECTION_NAMES
    from nuscenes.eval.detection.utils import category_to_detection_name, detection_name_to_rel_attributes

    assert list(CLASSES) == DETECTION_NAMES
    assert set(ATTRIBUTES) == set(ATTRIBUTE_NAMES)
    for category in ("vehicle.car", "vehicle.bus.bendy", "vehicle.ego", "animal", "human.pedestrian.stroller"):
        assert class_of(category) == category_to_detection_name(category)
    for name in CLASSES:
        assert set(attributes_of(name)) == set(detection_name_to_rel_attributes(name))
    assert len(official_validation_scenes()) == 150
