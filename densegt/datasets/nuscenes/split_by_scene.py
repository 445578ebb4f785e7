"""From the columns of a whole dataset to those of each scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.nuscenes.columns import SceneRows, pick, pick_list
from densegt.datasets.nuscenes.table_loader import AllScenes


def split_by_scene(whole: AllScenes) -> Iterator[SceneRows]:
    """Each scene's rows in the order of scene.json; sensor data in order of time, the rest as in the tables."""
    rows, scenes = whole.rows, len(whole.scene_names)
    sample_of, data_of, boxes_of = (
        _split(whole.scene_of_sample[sample], scenes)
        for sample in (np.arange(len(whole.scene_of_sample)), rows.data.sample, rows.boxes.sample)
    )
    for sample, data, boxes in zip(sample_of, data_of, boxes_of, strict=True):
        data = data[np.argsort(rows.data.timestamp_us[data], kind="stable")]
        yield _scene(rows, sample, data, boxes)


def _scene(rows: SceneRows, sample: NDArray[np.intp], data: NDArray[np.intp], boxes: NDArray[np.intp]) -> SceneRows:
    calibrations, calibration = np.unique(rows.data.calibration[data], return_inverse=True)
    instances, instance = np.unique(rows.boxes.instance[boxes], return_inverse=True)
    its_data, its_boxes = pick(rows.data, data), pick(rows.boxes, boxes)
    return SceneRows(
        samples=pick(rows.samples, sample),
        calibrations=pick(rows.calibrations, calibrations.astype(np.intp)),
        data=replace(
            its_data,
            sample=np.searchsorted(sample, its_data.sample).astype(np.int32),
            calibration=calibration.astype(np.int32),
        ),
        instances=pick_list(rows.instances, instances.astype(np.intp)),
        categories=pick_list(rows.categories, instances.astype(np.intp)),
        boxes=replace(
            its_boxes,
            sample=np.searchsorted(sample, its_boxes.sample).astype(np.int32),
            instance=instance.astype(np.int32),
        ),
    )


def _split(scene: NDArray[np.integer[Any]], scenes: int) -> list[NDArray[np.intp]]:
    """Row numbers by scene, in the order they have."""
    in_order = np.argsort(scene, kind="stable")
    return np.split(in_order, np.cumsum(np.bincount(scene, minlength=scenes))[:-1])
