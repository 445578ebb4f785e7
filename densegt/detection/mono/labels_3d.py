"""3D labels of objects in images: to score with, and to learn from where that is what is compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.detection_classes import class_of
from densegt.datasets.keyframes import Keyframe, velocity_mps
from densegt.datasets.scene import Camera, Track
from densegt.detection.mono.objects_2d import Object2d, projected
from densegt.geometry import se3

Float64 = NDArray[np.float64]
# Boxes in the image that share less are not of one object.
SAME_IOU = 0.5
# A label's stamp differs from its keyframe's by no more.
SAME_US = 60_000
# Faster than this it moves.
MOVING_MPS = 0.5


class Label3d(NamedTuple):
    """A labelled box at the moment of an exposure.

    Attributes:
        T_global_box: (4,4); moving: None where unknown.
    """

    name: str
    token: str
    T_global_box: Float64
    size_lwh_m: Float64
    moving: bool | None


def labels_at(tracks: Sequence[Track], keyframe: Keyframe, camera: Camera) -> list[Label3d]:
    """Labels of a keyframe, moved on to the camera's exposure."""
    found = []
    for track in tracks:
        name = class_of(track.category)
        at = int(np.abs(track.timestamps_us - keyframe.timestamp_us).argmin())
        if name is None or abs(int(track.timestamps_us[at]) - keyframe.timestamp_us) > SAME_US:
            continue
        velocity = velocity_mps(track, at)
        T_global_box = track.T_global_box[at].copy()
        later_s = (camera.timestamp_us - int(track.timestamps_us[at])) * 1e-6
        T_global_box[:2, 3] += np.nan_to_num(velocity) * later_s
        speed = float(np.hypot(*velocity))
        moving = None if np.isnan(speed) else speed > MOVING_MPS
        found.append(Label3d(name, track.token, T_global_box, track.size_lwh_m, moving))
    return found


def label_of(thing: Object2d, labels: Sequence[Label3d], camera: Camera) -> Label3d | None:
    """The label of an object: by its token, or that of the same class whose image is most like its box."""
    if thing.token is not None:
        return next((label for label in labels if label.token == thing.token), None)
    best, most = None, SAME_IOU
    T_cam_global = se3.inverse(camera.T_global_cam)
    for label in labels:
        box_px = projected(T_cam_global @ label.T_global_box, label.size_lwh_m, camera)
        if label.name == thing.name and box_px is not None and image_iou(box_px, thing.box_px) > most:
            best, most = label, image_iou(box_px, thing.box_px)
    return best


def image_iou(a: Float64, b: Float64) -> float:
    """Of boxes (4,) px: left, top, right, bottom."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    both = float(np.prod(np.maximum(high - low, 0)))
    return both / float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - both)
