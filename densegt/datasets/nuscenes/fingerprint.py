"""What the tables say about a scene, in one short text: equal texts, equal input."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import numpy as np
from numpy.typing import ArrayLike, NDArray

from densegt.datasets.nuscenes.columns import SceneRows, pick


def fingerprint(rows: SceneRows) -> str:
    """Digest of a scene's lidar sweeps, keyframe cameras and boxes as the tables have them: tokens, file names, stamps,
    poses, calibration, sizes.

    Sweeps and images themselves are not read, so one that is replaced under its own name goes unnoticed; in return it
    takes milliseconds, and a finished scene is known after its sweeps have been moved away.
    """
    digest = sha256(b"densegt input 1")
    for column in _columns(rows):
        digest.update(len(column).to_bytes(8, "little"))
        digest.update(column)
    return digest.hexdigest()


def _columns(rows: SceneRows) -> Iterable[bytes]:
    data = pick(rows.data, _in_order(rows.data.tokens))
    calibrations = pick(rows.calibrations, data.calibration.astype(np.intp))
    yield _text(data.tokens)
    yield _text(data.filenames)
    yield _text(rows.samples.tokens[i] for i in data.sample)
    yield _text(calibrations.channels)
    yield _text(map(repr, calibrations.intrinsics))
    yield _numbers(np.stack([data.timestamp_us, data.is_keyframe, data.width_px, data.height_px]))
    for pose in (calibrations.pose, data.ego_pose):
        yield _numbers(pose.rotation_wxyz)
        yield _numbers(pose.translation_m)
    boxes = pick(rows.boxes, _in_order(rows.boxes.pose.tokens))
    yield _text(rows.instances[i] for i in boxes.instance)
    yield _text(rows.categories[i] for i in boxes.instance)
    yield _numbers(rows.samples.timestamp_us[boxes.sample])
    yield _numbers(boxes.size_lwh_m)
    yield _numbers(boxes.pose.rotation_wxyz)
    yield _numbers(boxes.pose.translation_m)


def _in_order(tokens: list[str]) -> NDArray[np.intp]:
    """Row numbers by token: the order of a table's rows means nothing."""
    return np.array(sorted(range(len(tokens)), key=tokens.__getitem__), dtype=np.intp)


def _text(values: Iterable[str]) -> bytes:
    return "\0".join(values).encode()


def _numbers(values: ArrayLike) -> bytes:
    """Times in microseconds are whole numbers beyond float32 but within float64."""
    return np.ascontiguousarray(values, dtype="<f8").tobytes()
