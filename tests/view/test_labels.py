"""Labels on the page: boxes over the image where the object is, shapes in the cloud, one line where there are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from densegt.autolabel.labels import Label
from densegt.autolabel.publish import SceneLabels, write_labels
from densegt.datasets import RecordingPath
from densegt.depth.store import ImageRecord, SceneReader
from densegt.errors import InputError
from densegt.geometry import se3
from densegt.shapes.prior import ShapePrior
from densegt.shapes.weights import PRIOR
from densegt.view.labels import ShownSceneLabels
from densegt.view.page import Choice, write_view


def label_before(record: ImageRecord) -> Label:
    """A parked car 12 m ahead of a camera."""
    family = ShapePrior.load(PRIOR).families["car"]
    size = family.size_lwh_m + np.array([0.0, 0.3, 0.0])
    place = se3.apply(record.T_global_cam, np.array([[0.0, 0.5, 12.0]]))[0]
    T = np.stack([se3.from_yaw(0.4, place)] * 2)
    knots_us = np.array([record.timestamp_us - 100_000, record.timestamp_us + 100_000])
    return Label(
        "object-0000", "vehicle.car", size, (record.sample_token,), T[:1], np.zeros((1, 2)), np.array([40]), 0.9, True,
        "car", family.mean, se3.from_yaw(0.0, [0, 0, -size[2] / 2]), knots_us, T,
    )  # fmt: skip


@pytest.fixture
def labelled(viewed: SimpleNamespace, tmp_path: Path) -> tuple[Path, ImageRecord]:
    record = next(iter(SceneReader(viewed.depth / "scene-0001.h5")))
    found = SceneLabels("scene-0001", (record.sample_token,), (label_before(record),))
    write_labels(tmp_path / "scene-0001.h5", found, {"prior": None}, "digest")
    return tmp_path, record


def test_a_box_is_drawn_where_its_object_is(labelled: tuple[Path, ImageRecord]) -> None:
    folder, record = labelled
    image = np.zeros((*record.depth_m.shape, 3), dtype=np.uint8)
    ShownSceneLabels.read(folder, "scene-0001").draw(image, record)
    v, u = np.nonzero(image.any(axis=-1))
    assert len(u) > 20
    middle = np.array([record.K[0, 2], record.K[1, 2] + 0.5 / 12 * record.K[1, 1]])
    assert np.abs(np.array([(u.min() + u.max()) / 2, (v.min() + v.max()) / 2]) - middle).max() < 4


def test_shapes_stand_in_the_cloud(labelled: tuple[Path, ImageRecord]) -> None:
    folder, record = labelled
    stamps = np.array([record.timestamp_us, record.timestamp_us + 5_000_000])
    (shown,) = ShownSceneLabels.read(folder, "scene-0001").in_cloud(record.T_global_cam[:3, 3], stamps)
    assert np.isfinite(shown.T_origin_box[0]).all()
    assert np.isnan(shown.T_origin_box[1]).all()
    assert len(shown.lines_box) > 500
    assert (np.abs(shown.lines_box) <= shown.label.size_lwh_m / 2 + 0.15).all()


def test_the_page_shows_them_and_names_a_folder_without_any(
    labelled: tuple[Path, ImageRecord], viewed: SimpleNamespace
) -> None:
    folder, _ = labelled
    recording = RecordingPath(viewed.data)
    shown = Choice(max_points=0, downscale=2, labels_dir=folder)
    write_view(viewed.depth, recording, folder / "with.html", shown)
    write_view(viewed.depth, recording, folder / "without.html", replace(shown, labels_dir=None))
    assert (folder / "with.html").read_bytes() != (folder / "without.html").read_bytes()
    with pytest.raises(InputError, match=r"scene-0001\.h5: no such file; densegt autolabel"):
        write_view(viewed.depth, recording, folder / "none.html", replace(shown, labels_dir=folder / "none"))
