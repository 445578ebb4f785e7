"""Objects of a recording's images, each in its view, with what is known of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray

from densegt.datasets.scene import Camera, Track
from densegt.detection.data.depth_dataset import DepthDataset
from densegt.detection.data.labels import Labels
from densegt.detection.mono.batch import MonoBatch
from densegt.detection.mono.evidence import POINTS, RAYS, gather
from densegt.detection.mono.labels_3d import Label3d, label_of, labels_at
from densegt.detection.mono.numbers import cut_of, numbers_of, whole_px
from densegt.detection.mono.objects_2d import Object2d, Objects2d
from densegt.detection.mono.view import View
from densegt.geometry import se3

Float64 = NDArray[np.float64]


class ImageObjects(NamedTuple):
    """Of one image: N objects with their boxes (N,4) px, and boxes (L,4) px and kinds (L,) of such as are too low."""

    objects: MonoBatch
    box_px: Float64
    low_px: Float64
    low_kind: NDArray[np.int64]


class KeyframeObjects:
    """Keyframes with the objects of their images.

    Args:
        frames: gives keyframes, images and depth.
        objects: gives 2D boxes and masks.
        classes: objects of these are kept.
        crop_px: of their pictures; 0 for none.
        min_height: tangent of a box's height; lower ones are left out.
        told_by: where 2D boxes come from, in words.
    """

    def __init__(
        self, frames: DepthDataset, objects: Objects2d, classes: Sequence[str], *, crop_px: int, min_height: float,
        told_by: str,
    ) -> None:  # fmt: skip
        self.frames, self._objects, self._classes = frames, objects, tuple(classes)
        self._crop_px, self._min_height = crop_px, min_height
        self.recording, self.keyframes = frames.recording, frames.keyframes
        self.told_by = told_by
        self._tracks: dict[str, tuple[Track, ...]] = {}
        self._together: MonoBatch | None = None

    def __len__(self) -> int:
        return len(self.keyframes)

    def labels(self, index: int) -> Labels:
        """See `DepthDataset`."""
        return self.frames.labels(index)

    def images(self) -> Iterator[ImageObjects]:
        """Of all keyframes and their cameras, in order."""
        for index, keyframe in enumerate(self.keyframes):
            for camera in keyframe.cameras:
                yield self.of_camera(index, camera)

    def objects(self) -> MonoBatch:
        """Those of all keyframes, kept from the first time on."""
        if self._together is None:
            self._together = joined([image.objects for image in self.images()])
        return self._together

    def of_camera(self, index: int, camera: Camera) -> ImageObjects:
        """What is in one image."""
        keyframe = self.keyframes[index]
        T_ref_global = se3.inverse(keyframe.T_global_ego)
        things = self._objects.objects(keyframe, camera)
        views = [
            (thing, View.of(camera, T_ref_global @ camera.T_global_cam, thing.box_px))
            for thing in things if thing.name in self._classes
        ]  # fmt: skip
        high = [view.box_ab[3] - view.box_ab[2] >= self._min_height for _, view in views]
        kept = [pair for pair, enough in zip(views, high, strict=True) if enough]
        low = [thing for (thing, _), enough in zip(views, high, strict=True) if not enough]
        return ImageObjects(
            stacked(self._rows(index, camera, things, kept), self._crop_px),
            _boxes([thing for thing, _ in kept]), _boxes(low),
            np.array([self._classes.index(thing.name) for thing in low], np.int64),
        )  # fmt: skip

    def _rows(
        self, index: int, camera: Camera, things: list[Object2d], views: list[tuple[Object2d, View]]
    ) -> list[dict[str, Any]]:
        if not views:
            return []
        keyframe = self.keyframes[index]
        T_ref_global = se3.inverse(keyframe.T_global_ego)
        image = self.frames.image(camera) if self._crop_px else None
        layers = self.frames.layers(keyframe, camera)
        labels = labels_at(self._tracks_of(keyframe.scene), keyframe, camera)
        out = []
        for number, (thing, view) in enumerate(views):
            # The same evidence whatever was asked for before.
            rng = np.random.default_rng((index, camera.timestamp_us % 2**31, number))
            evidence = gather(thing, things, view, layers, rng)
            cut = cut_of(thing.box_px, whole_px(camera.height_px, camera.width_px))
            label = label_of(thing, labels, camera)
            crop = np.zeros((0, 0, 3), np.uint8) if image is None else view.crop(image, self._crop_px)
            out.append({
                "image": np.moveaxis(crop, -1, 0).copy(),
                "numbers": numbers_of(view, cut, masked=thing.mask is not None),
                "kind": self._classes.index(thing.name), "score": thing.score,
                "box_ab": view.box_ab, "cut": cut, "pixel": view.pixel, **evidence._asdict(),
                "box": _in_view(label, view, T_ref_global), "box_weight": 0.0 if label is None else 1.0,
                "moving": np.nan if label is None or label.moving is None else float(label.moving),
                "T_ref_view": view.T_ref_view,
            })  # fmt: skip
        return out

    def _tracks_of(self, scene: str) -> tuple[Track, ...]:
        if scene not in self._tracks:
            self._tracks[scene] = self.recording.scene(scene, keyframes_only=True).tracks
        return self._tracks[scene]


def joined(parts: Sequence[MonoBatch]) -> MonoBatch:
    """All objects of several batches."""
    return cast(MonoBatch, {name: torch.cat([cast(Any, part)[name] for part in parts]) for name in parts[0]})


def _boxes(things: Sequence[Object2d]) -> Float64:
    """(N,4) px."""
    return np.array([thing.box_px for thing in things], np.float64).reshape(-1, 4)


def _in_view(label: Label3d | None, view: View, T_ref_global: Float64) -> NDArray[np.float32]:
    """(7,) see `MonoBatch`."""
    if label is None:
        return np.full(7, np.nan, np.float32)
    T = se3.inverse(view.T_ref_view) @ T_ref_global @ label.T_global_box
    return np.array([*T[:3, 3], *label.size_lwh_m, np.arctan2(T[1, 0], T[0, 0])], np.float32)


def stacked(rows: list[dict[str, Any]], crop_px: int, names: Sequence[str] | None = None) -> MonoBatch:
    """As tensors, of no object too; of all of `MonoBatch`, or what is named."""
    shapes: dict[str, tuple[tuple[int, ...], Any]] = {
        "image": ((3, crop_px, crop_px), np.uint8), "numbers": ((10,), np.float32), "kind": ((), np.int64),
        "score": ((), np.float32), "box_ab": ((4,), np.float32), "cut": ((4,), np.bool_), "pixel": ((), np.float32),
        "points": ((POINTS, 3), np.float32), "point_weight": ((POINTS,), np.float32), "rays": ((RAYS, 3), np.float32),
        "inside": ((RAYS,), np.float32), "ray_weight": ((RAYS,), np.float32), "box": ((7,), np.float32),
        "box_weight": ((), np.float32), "moving": ((), np.float32), "T_ref_view": ((4, 4), np.float64),
    }  # fmt: skip
    made = {}
    for name in shapes if names is None else names:
        shape, dtype = shapes[name]
        made[name] = torch.from_numpy(np.array([row[name] for row in rows], dtype).reshape(len(rows), *shape))
    return cast(MonoBatch, made)
