"""nuScenes' detection scores of any recording's keyframes, by the devkit's own code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.detection_classes import ATTRIBUTES, CLASSES, RANGE_M
from densegt.datasets.keyframes import Keyframe
from densegt.detection.bev.grid import BevGrid
from densegt.detection.scoring.nuscenes_results import Detections, result_rows
from densegt.errors import InputError
from densegt.geometry import se3
from densegt.install_hint import install_command

# Two-wheelers that stand in one of these are neither asked for nor counted as false.
BICYCLE_RACK = "static_object.bicycle_rack"
IN_RACKS = ("bicycle", "motorcycle")


def ranges_within(grid: BevGrid) -> dict[str, float]:
    """How far each class is looked for, m: as nuScenes does, but not beyond the grid."""
    reach = min(grid.x_max_m, grid.y_max_m, -grid.x_min_m, -grid.y_min_m)
    return {name: min(far, reach) for name, far in RANGE_M.items()}


def score_detections(
    found: Sequence[Detections], keyframes: Iterable[Keyframe], *, range_m: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Scores of nuScenes' detection task over the samples that detections are given of.

    Args:
        keyframes: those samples', with their boxes; others are left out.
        range_m: how far each class is looked for, where not as far as nuScenes does.

    Returns:
        `mean_ap`, `nd_score`, `tp_errors`, `label_aps` by class and distance, `label_tp_errors`, `mean_dist_aps`,
        and `boxes`, how many of each class there are to be found. A class without a box has AP 0 in `mean_ap`.

    Raises:
        InputError: the devkit is not installed, or a sample is none of the keyframes.
    """
    try:
        from nuscenes.eval.common.config import config_factory
        from nuscenes.eval.common.data_classes import EvalBoxes
        from nuscenes.eval.detection.algo import accumulate, calc_ap, calc_tp
        from nuscenes.eval.detection.constants import TP_METRICS
        from nuscenes.eval.detection.data_classes import DetectionBox, DetectionConfig, DetectionMetrics
    except ImportError as error:
        raise InputError(f"scoring detections: {error}; {install_command('devkit')}") from None

    described = config_factory("detection_cvpr_2019").serialize()
    described["class_range"] = dict(range_m or RANGE_M)
    config = DetectionConfig.deserialize(described)
    by_token = {keyframe.sample_token: keyframe for keyframe in keyframes}
    said, truth = EvalBoxes(), EvalBoxes()
    for sample in found:
        keyframe = by_token.get(sample.sample_token)
        if keyframe is None:
            raise InputError(f"sample {sample.sample_token}: none of the keyframes to score against")
        for boxes, rows in ((said, result_rows(sample)), (truth, annotation_rows(keyframe))):
            kept = _near(rows, keyframe, config.class_range)
            boxes.add_boxes(sample.sample_token, [DetectionBox.deserialize(row) for row in kept])
    metrics = DetectionMetrics(config)
    for name in config.class_names:
        for distance_m in config.dist_ths:
            curve = accumulate(truth, said, name, config.dist_fcn_callable, distance_m)
            metrics.add_label_ap(name, distance_m, calc_ap(curve, config.min_recall, config.min_precision))
            if distance_m == config.dist_th_tp:
                for metric in TP_METRICS:
                    value = calc_tp(curve, config.min_recall, metric) if _has(name, metric) else np.nan
                    metrics.add_label_tp(name, metric, value)
    counts = dict.fromkeys(CLASSES, 0)
    for box in truth.all:
        counts[box.detection_name] += 1
    figures = metrics.serialize()
    del figures["eval_time"]
    return {**figures, "boxes": counts}


def ap_at(aps: Mapping[Any, float], distance_m: float) -> float:
    """A class's AP at a distance of match; the keys are numbers, in a file their texts."""
    return next(value for key, value in aps.items() if float(key) == distance_m)


def annotation_rows(keyframe: Keyframe) -> list[dict[str, Any]]:
    """A keyframe's boxes of the ten classes, in the shape of nuScenes' result rows."""
    boxes, rows = keyframe.boxes, []
    for i, name in enumerate(boxes.classes):
        if name is not None:
            T_global_box = boxes.T_global_box[i]
            rows.append(
                {
                    "sample_token": keyframe.sample_token,
                    "translation": T_global_box[:3, 3].tolist(),
                    "size": boxes.size_lwh_m[i, [1, 0, 2]].tolist(),
                    "rotation": se3.to_quaternion(T_global_box).tolist(),
                    "velocity": boxes.velocity_global_mps[i].tolist(),
                    "num_pts": int(boxes.points[i]),
                    "detection_name": name,
                    "detection_score": -1.0,
                    "attribute_name": boxes.attributes[i] if boxes.attributes[i] in ATTRIBUTES else "",
                }
            )
    return rows


def _has(name: str, error: str) -> bool:
    """Whether a class has this error, as in the devkit: cones have no heading, barriers no speed."""
    without = {"traffic_cone": ("attr_err", "vel_err", "orient_err"), "barrier": ("attr_err", "vel_err")}
    return error not in without.get(name, ())


def _near(rows: Sequence[Mapping[str, Any]], keyframe: Keyframe, range_m: Mapping[str, float]) -> list[dict[str, Any]]:
    """The boxes that count: within range, with a point where points were counted, in no rack; with their distance."""
    kept = []
    for row in rows:
        away_m = np.subtract(row["translation"], keyframe.T_global_ego[:3, 3])
        near = float(np.hypot(*away_m[:2])) < range_m[row["detection_name"]]
        racked = row["detection_name"] in IN_RACKS and _in_rack(np.array(row["translation"]), keyframe)
        if near and row.get("num_pts", -1) != 0 and not racked:
            kept.append({**row, "ego_translation": away_m.tolist()})
    return kept


def _in_rack(xyz_global: NDArray[np.float64], keyframe: Keyframe) -> bool:
    boxes = keyframe.boxes
    racks = [i for i, category in enumerate(boxes.categories) if category == BICYCLE_RACK]
    for i in racks:
        xyz_box = se3.apply(se3.inverse(boxes.T_global_box[i]), xyz_global[None])[0]
        if (np.abs(xyz_box) <= boxes.size_lwh_m[i] / 2).all():
            return True
    return False
