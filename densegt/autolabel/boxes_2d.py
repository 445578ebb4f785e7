"""Objects in images: boxes and masks from a file in COCO's form, nuScenes' 2D annotations, or `train-mono`'s form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.detection_classes import class_of
from densegt.datasets.run_lengths import mask_of_runs
from densegt.datasets.scene import Camera
from densegt.errors import InputError

Kind = Literal["car", "truck", "bus", "person", "two-wheeler"]
Mask = NDArray[np.bool_]

# COCO's, nuScenes' and common words.
KINDS: dict[str, Kind] = {
    "car": "car", "van": "car", "vehicle": "car", "truck": "truck", "trailer": "truck", "construction_vehicle": "truck",
    "bus": "bus", "person": "person", "pedestrian": "person", "rider": "person", "cyclist": "two-wheeler",
    "bicycle": "two-wheeler", "motorcycle": "two-wheeler", "motorbike": "two-wheeler",
}  # fmt: skip
VEHICLE_KINDS = ("car", "truck", "bus")


@dataclass(frozen=True)
class Box2D:
    """An object in an image.

    Attributes:
        x0, y0, x1, y1: px, of the image as it is in its file.
        segmentation: as in COCO, polygons or run lengths; None where there is none.
    """

    kind: Kind
    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0
    segmentation: Any = None

    def mask(self, width_px: int, height_px: int) -> Mask | None:
        """(H,W) which pixels are the object's; None where only the box is known."""
        return None if self.segmentation is None else decode_mask(self.segmentation, width_px, height_px)


@dataclass(frozen=True)
class ImageObjects:
    """Objects of a recording's images, by the images' file names, or by sample token and channel."""

    of_image: Mapping[str, tuple[Box2D, ...]]

    def of(self, camera: Camera) -> tuple[Box2D, ...] | None:
        """Those of an image; None where the file does not speak of it."""
        name = PurePosixPath(camera.filename)
        for key in (str(name), name.name, f"{camera.sample_token}/{camera.channel}"):
            if key in self.of_image:
                return self.of_image[key]
        return None


def read_image_objects(path: Path, *, least_score: float = 0.3) -> ImageObjects:
    """Objects from a file in COCO's form (images, annotations, categories), nuScenes' image_annotations.json, or
    `train-mono`'s form ({sample token: {channel: [{box, class, score, mask}]}}).

    Args:
        least_score: what a detector is less sure of is left out.

    Raises:
        InputError: the file cannot be read, or is none of these.
    """
    try:
        return parse_image_objects(json.loads(path.read_text()), least_score=least_score)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())[:100]
        raise InputError(f"{path}: no 2D boxes in COCO's, nuScenes' or train-mono's form ({what})") from None


def parse_image_objects(said: Any, *, least_score: float = 0.3) -> ImageObjects:
    """Objects from what such a file holds; see `read_image_objects`."""
    read = _of_coco if "images" in said else _of_images
    rows = _of_nuscenes(said) if isinstance(said, list) else read(said)
    found: dict[str, list[Box2D]] = {}
    for name, box in rows:
        kept = found.setdefault(name, [])
        if box is not None and box.score >= least_score:
            kept.append(box)
    return ImageObjects({name: tuple(boxes) for name, boxes in found.items()})


def _of_coco(said: Mapping[str, Any]) -> Iterator[tuple[str, Box2D | None]]:
    kinds = {row["id"]: kind_of(str(row["name"])) for row in said["categories"]}
    names = {row["id"]: str(PurePosixPath(row["file_name"])) for row in said["images"]}
    for name in names.values():
        yield name, None
    for row in said["annotations"]:
        kind, (x, y, width, height) = kinds[row["category_id"]], map(float, row["bbox"])
        if kind is not None and not row.get("iscrowd"):
            box = _checked(kind, (x, y, x + width, y + height), float(row.get("score", 1.0)), row.get("segmentation"))
            yield names[row["image_id"]], box


def _of_nuscenes(said: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Box2D | None]]:
    for row in said:
        kind, name = kind_of(str(row["category_name"])), str(PurePosixPath(row["filename"]))
        corners = tuple(map(float, row["bbox_corners"]))
        yield name, None if kind is None else _checked(kind, corners, 1.0, None)


def _of_images(said: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> Iterator[tuple[str, Box2D | None]]:
    for sample, channels in said.items():
        for channel, rows in channels.items():
            yield f"{sample}/{channel}", None
            for row in rows:
                kind = kind_of(str(row["class"]))
                if kind is not None:
                    corners = tuple(map(float, row["box"]))
                    box = _checked(kind, corners, float(row.get("score", 1.0)), row.get("mask"))
                    yield f"{sample}/{channel}", box


def _checked(kind: Kind, corners: Sequence[float], score: float, segmentation: Any) -> Box2D:
    if len(corners) != 4 or not np.isfinite([*corners, score]).all():
        raise ValueError(f"a box is {corners}")
    x0, y0, x1, y1 = corners
    return Box2D(kind, x0, y0, x1, y1, score, segmentation or None)


def kind_of(category: str) -> Kind | None:
    """What a category's name means; None for what gets no box."""
    return KINDS.get(category.lower()) or KINDS.get(class_of(category) or "")


def decode_mask(segmentation: Any, width_px: int, height_px: int) -> Mask:
    """(H,W) of polygons, of run lengths, or of run lengths as COCO's text.

    Raises:
        InputError: it is none of these, or of another image.
    """
    import cv2

    if isinstance(segmentation, list):
        out = np.zeros((height_px, width_px), dtype=np.uint8)
        corners = [np.asarray(part, dtype=np.float64).reshape(-1, 2).round().astype(np.int32) for part in segmentation]
        cv2.fillPoly(out, corners, (1.0,))
        return out.astype(np.bool_)
    counts = segmentation["counts"]
    runs = _run_lengths(counts) if isinstance(counts, str) else counts
    try:
        return mask_of_runs(runs, segmentation["size"], (height_px, width_px))
    except ValueError as error:
        raise InputError(str(error)) from None


def _run_lengths(text: str) -> list[int]:
    """COCO's text: five bits a character, the lowest first, each run but the first two less the one before the last."""
    runs: list[int] = []
    at = 0
    while at < len(text):
        value, shift, more = 0, 0, True
        while more:
            bits = ord(text[at]) - 48
            value |= (bits & 31) << shift
            more, at, shift = bool(bits & 32), at + 1, shift + 5
        if bits & 16:
            value |= -1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
    return runs
