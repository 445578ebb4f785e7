"""Objects in images: where the 2D boxes and masks come from that 3D boxes are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.detection_classes import class_of
from densegt.datasets.keyframes import Keyframe
from densegt.datasets.run_lengths import mask_of_runs
from densegt.datasets.scene import Camera
from densegt.depth.store import SceneReader
from densegt.errors import InputError
from densegt.geometry import boxes as box_geometry
from densegt.geometry import camera as pinhole
from densegt.geometry import se3

Float64 = NDArray[np.float64]
# Nearer than this a box has corners behind the image.
NEAREST_M = 0.5


@dataclass(frozen=True)
class Object2d:
    """One object in one image.

    Attributes:
        box_px: (4,) left, top, right, bottom; pixel centres are integers, so edges lie between.
        name: of the detection class; score: 0 to 1.
        mask: (H,W), of what is seen of it; None where there is only the box.
        token: of its track, where it is known to be of one.
    """

    box_px: Float64
    name: str
    score: float = 1.0
    mask: NDArray[np.bool_] | None = None
    token: str | None = None


class Objects2d(Protocol):
    """A source of objects."""

    def objects(self, keyframe: Keyframe, camera: Camera) -> list[Object2d]:
        """Those of one image, of any class."""


class ExactObjects:
    """What a simulated world says: exact masks of all objects, of the file that `densegt simulate` writes."""

    def __init__(self, exact: Path) -> None:
        self._exact = exact

    def objects(self, keyframe: Keyframe, camera: Camera) -> list[Object2d]:
        """See `Objects2d`."""
        reader, known = _exact_scene(self._exact / f"{keyframe.scene}.h5")
        ids = reader.read(keyframe.sample_token, camera.channel).layers["object_id"]
        found = []
        for number in np.unique(ids[ids > 0]).tolist():
            entry = known.get(number)
            name = class_of(entry["category"]) if entry else None
            if entry is None or name is None:
                continue
            mask = ids == number
            found.append(Object2d(around(mask), name, mask=mask, token=entry["token"]))
        return found


class ProjectedObjects:
    """Labelled 3D boxes seen from the camera: what is behind them is known, but a 2D detector's boxes are alike."""

    def objects(self, keyframe: Keyframe, camera: Camera) -> list[Object2d]:
        """See `Objects2d`."""
        found = []
        boxes = keyframe.boxes
        T_cam_global = se3.inverse(camera.T_global_cam)
        for i, name in enumerate(boxes.classes):
            if name is None or boxes.points[i] == 0:
                continue
            box_px = projected(T_cam_global @ boxes.T_global_box[i], boxes.size_lwh_m[i], camera)
            if box_px is not None:
                found.append(Object2d(box_px, name))
        return found


class ObjectsFile:
    """A JSON file of a 2D detector: `{sample token: {channel: [{box, class, score, mask}]}}`.

    Boxes are left, top, right, bottom in pixels, `score` is 1 unless given, and a mask, if there is one, is in COCO's
    uncompressed runs: `{"size": [height, width], "counts": [...]}`, column by column, beginning with what is outside.

    Raises:
        InputError: it cannot be read, or is something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._rows = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: no JSON that can be read ({' '.join(str(error).split())[:200]})") from None
        if not isinstance(self._rows, dict) or not all(isinstance(v, dict) for v in self._rows.values()):
            raise InputError(f"{path}: must be {{sample token: {{channel: [objects]}}}}")

    def objects(self, keyframe: Keyframe, camera: Camera) -> list[Object2d]:
        """See `Objects2d`."""
        rows = self._rows.get(keyframe.sample_token, {}).get(camera.channel, [])
        try:
            return [_object_of(row, camera) for row in rows]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            where = f"{self._path}: {keyframe.sample_token}/{camera.channel}"
            raise InputError(f"{where}: {type(error).__name__} {str(error)[:150]}") from None


def source_of(root: Path, given: Path | None) -> tuple[Objects2d, str]:
    """Where 2D objects of a recording come from, and in words: a file, else exact masks, else projections of labels."""
    if given is not None:
        return ObjectsFile(given), f"2D boxes of {given.name}"
    if (root / "exact").is_dir():
        return ExactObjects(root / "exact"), "exact masks"
    return ProjectedObjects(), "2D boxes projected from 3D labels"


def around(mask: NDArray[np.bool_]) -> Float64:
    """(4,) px left, top, right, bottom of a mask that is not empty, outer edges of its pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0] - 0.5, rows[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5])


def projected(T_cam_box: Float64, size_lwh_m: Float64, camera: Camera) -> Float64 | None:
    """(4,) px of a 3D box in an image, cut at its edges; None where it is not all ahead, or not in the image."""
    uv, z_m = pinhole.project(camera.K, box_geometry.corners(T_cam_box, size_lwh_m))
    if z_m.min() < NEAREST_M:
        return None
    edges = np.array([camera.width_px, camera.height_px]) - 0.5
    low, high = np.clip(uv.min(axis=0), -0.5, edges), np.clip(uv.max(axis=0), -0.5, edges)
    return np.concatenate([low, high]) if (high - low > 1).all() else None


@lru_cache(maxsize=64)
def _exact_scene(path: Path) -> tuple[SceneReader, Mapping[int, Any]]:
    reader = SceneReader(path)
    objects: Sequence[Mapping[str, Any]] = reader.config.get("objects", [])
    return reader, {int(entry["id"]): entry for entry in objects}


def _object_of(row: Mapping[str, Any], camera: Camera) -> Object2d:
    box_px = np.array(row["box"], np.float64)
    if box_px.shape != (4,) or not np.isfinite(box_px).all() or (box_px[2:] <= box_px[:2]).any():
        raise ValueError(f"box {row['box']} is none of left, top, right, bottom")
    runs, image_px = row.get("mask"), (camera.height_px, camera.width_px)
    mask = None if runs is None else mask_of_runs(runs["counts"], runs["size"], image_px)
    return Object2d(box_px, str(row["class"]), float(row.get("score", 1.0)), mask)
