"""Files of labels: what is written is read, bad ones are named, and other tools' formats hold the same boxes."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from densegt.autolabel.labels import BoxOverTime, Label, without_overlaps
from densegt.autolabel.publish import SceneLabels, read_labels, write_labels, write_results
from densegt.autolabel.tables import annotation_tables
from densegt.depth.hdf5_file import read_header
from densegt.errors import InputError
from densegt.geometry import se3


def some_labels() -> SceneLabels:
    T = np.stack([se3.from_yaw(0.3, [10.0 + k, 5.0, 1.0]) for k in range(2)])
    size, code, shape = np.array([4.4, 2.0, 1.5]), np.arange(8.0), se3.from_yaw(0.0, [0.1, 0, -0.75])
    moving = Label(
        "vehicle-0000", "vehicle.car", size, ("a", "b"), T, np.array([[2.0, 0], [2.0, 0]]), np.array([9, 7]),
        0.9, True, "car", code, shape, np.array([0, 10]), T,
    )  # fmt: skip
    parked = Label(
        "vehicle-0001", "vehicle.truck", size * 2, ("b",), T[:1], np.zeros((1, 2)), np.array([30]), 0.3, False,
        "truck", code, shape, np.array([0, 10]), T,
    )  # fmt: skip
    return SceneLabels("scene-0001", ("a", "b", "c"), (moving, parked))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    found = some_labels()
    write_labels(tmp_path / "scene-0001.h5", found, {"algorithm": 1}, "digest")
    header, again = read_header(tmp_path / "scene-0001.h5"), read_labels(tmp_path / "scene-0001.h5")
    assert (header.config, header.input_digest) == ({"algorithm": 1}, "digest")
    assert again.sample_tokens == found.sample_tokens
    for a, b in zip(again.labels, found.labels, strict=True):
        assert a.token == b.token
        assert a.sample_tokens == b.sample_tokens
        assert np.array_equal(a.T_global_box, b.T_global_box)
        assert np.array_equal(a.code, b.code)
    write_labels(tmp_path / "none.h5", SceneLabels("none", ("a",), ()), {}, "")
    assert read_labels(tmp_path / "none.h5").labels == ()


@pytest.mark.parametrize("damage", ["missing", "text", "cut", "other"])
def test_a_bad_file_is_one_line_that_names_it(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "scene.h5"
    if damage == "text":
        path.write_text("no h5\n")
    elif damage == "cut":
        write_labels(path, some_labels(), {}, "")
        path.write_bytes(path.read_bytes()[:-300])
    elif damage == "other":
        write_labels(path, some_labels(), {}, "")
        with h5py.File(path, "a") as file:
            del file["label"]
    with pytest.raises(InputError, match=r"scene\.h5: ") as said:
        read_labels(path)
    assert "\n" not in str(said.value)


def test_results_hold_the_boxes_of_each_keyframe(tmp_path: Path) -> None:
    write_results(tmp_path / "results.json", [some_labels()])
    results = json.loads((tmp_path / "results.json").read_text())["results"]
    assert {token: len(rows) for token, rows in results.items()} == {"a": 1, "b": 2, "c": 0}
    row = results["a"][0]
    assert row["size"] == [2.0, 4.4, 1.5]
    assert (row["detection_name"], row["attribute_name"]) == ("car", "vehicle.moving")
    assert results["b"][1]["attribute_name"] == "vehicle.parked"


def test_tables_are_linked() -> None:
    tables = annotation_tables([some_labels()])
    first, second, other = tables["sample_annotation"]
    assert (first["next"], second["prev"], other["prev"]) == (second["token"], first["token"], "")
    assert {row["token"] for row in tables["category"]} == {row["category_token"] for row in tables["instance"]}
    assert [row["nbr_annotations"] for row in tables["instance"]] == [2, 1]


def test_the_likelier_of_two_on_the_same_ground_stays() -> None:
    size = np.array([4.4, 1.9, 1.5])
    boxes = [BoxOverTime(size, se3.from_yaw(yaw, [x, 0, 0]), None) for x, yaw in ((0, 0), (1.0, 0.1), (5.0, 0))]
    t_us = np.array([0.0, 1e6])
    assert without_overlaps(boxes, np.array([0.5, 0.9, 0.1]), t_us) == [1, 2]
    assert without_overlaps([], np.zeros(0), t_us) == []
