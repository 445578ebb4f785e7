"""Objects in images: COCO's form and nuScenes' own are read, masks are decoded, and what is neither is named."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from densegt.autolabel.boxes_2d import decode_mask, parse_image_objects, read_image_objects
from densegt.errors import InputError

COCO: dict[str, Any] = {
    "images": [{"id": 7, "file_name": "samples/CAM_FRONT/a.jpg"}, {"id": 8, "file_name": "b.jpg"}],
    "categories": [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}, {"id": 9, "name": "kite"}],
    "annotations": [
        {"image_id": 7, "category_id": 3, "bbox": [10, 20, 30, 40], "score": 0.9},
        {"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.1},
        {"image_id": 7, "category_id": 9, "bbox": [1, 2, 3, 4]},
        {"image_id": 7, "category_id": 1, "bbox": [5, 6, 7, 8]},
    ],
}


def camera(filename: str) -> Any:
    return SimpleNamespace(filename=filename, sample_token="key", channel="CAM_FRONT")


def test_boxes_of_an_image_are_those_of_its_file() -> None:
    found = parse_image_objects(COCO)
    boxes = found.of(camera("samples/CAM_FRONT/a.jpg"))
    assert boxes is not None
    assert [(b.kind, b.x0, b.y0, b.x1, b.y1) for b in boxes] == [("car", 10, 20, 40, 60), ("person", 5, 6, 12, 14)]
    # Nothing was found in one image, and nobody speaks of the other.
    assert found.of(camera("sweeps/b.jpg")) == ()
    assert found.of(camera("c.jpg")) is None


def test_annotations_of_nuscenes_are_read(tmp_path: Path) -> None:
    rows = [
        {"filename": "samples/CAM_BACK/x.jpg", "category_name": "vehicle.bus.rigid", "bbox_corners": [1, 2, 30, 40]},
        {"filename": "samples/CAM_BACK/x.jpg", "category_name": "movable_object.barrier", "bbox_corners": [1, 2, 3, 4]},
    ]
    (tmp_path / "image_annotations.json").write_text(json.dumps(rows))
    boxes = read_image_objects(tmp_path / "image_annotations.json").of(camera("samples/CAM_BACK/x.jpg"))
    assert boxes is not None
    assert [(b.kind, b.x1) for b in boxes] == [("bus", 30.0)]


def test_the_form_of_train_mono_is_read_too() -> None:
    rows = [{"box": [1, 2, 30, 40], "class": "truck"}, {"box": [1, 2, 3, 4], "class": "barrier"}]
    boxes = parse_image_objects({"key": {"CAM_FRONT": rows}}).of(camera("a.jpg"))
    assert boxes is not None
    assert [(b.kind, b.y1) for b in boxes] == [("truck", 40.0)]


@pytest.mark.parametrize(
    "text", ["", "[1]", '{"a": 1}', '{"images": 1}', json.dumps(COCO).replace("[10, 20", "[10, NaN")]
)
def test_what_is_neither_is_named_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(InputError, match=r"bad\.json: no 2D boxes in COCO") as said:
        read_image_objects(tmp_path / "bad.json")
    assert "\n" not in str(said.value)
    with pytest.raises(InputError, match="cannot be read"):
        read_image_objects(tmp_path / "none.json")


def test_masks_of_all_three_forms_are_one() -> None:
    wanted = np.zeros((4, 5), dtype=np.bool_)
    wanted[1:3, 2:5] = True
    # Columns one after the other: 9 outside, then 2 in and 2 out by turns. As text the runs after the third tell
    # what they differ from the one before the last.
    runs = [9, 2, 2, 2, 2, 2, 1]
    text = "922" + "0" + "0" + "0" + "O"
    for segmentation in (
        {"size": [4, 5], "counts": runs}, {"size": [4, 5], "counts": text}, [[2, 1, 4, 1, 4, 2, 2, 2]],
    ):  # fmt: skip
        assert np.array_equal(decode_mask(segmentation, 5, 4), wanted)
    with pytest.raises(InputError, match="mask of 5x4"):
        decode_mask({"size": [4, 5], "counts": runs}, 6, 4)
