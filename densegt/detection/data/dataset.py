"""NuScenesDepth: keyframes of a nuScenes-format folder as tensors, with depth from a store or from the lidar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypedDict

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from densegt.datasets import open_recording
from densegt.datasets.keyframes import Keyframe
from densegt.datasets.scene import Camera, Points, Sweep
from densegt.depth.store import SceneReader, scene_files
from densegt.detection.bev.warp import warp_image, warp_points, warp_surface
from densegt.detection.data.augment import Augmentation, bev_affine, boxes_under, image_affine
from densegt.detection.data.depth_layers import Layers, of_record, of_sweep
from densegt.detection.data.labels import Labels, labels_of
from densegt.errors import InputError
from densegt.geometry import se3

Supervision = Literal["none", "sparse", "dense", "completed"]
# K of a store and of the tables may differ by rounding, no more.
SAME_K_PX = 0.5


class Batch(TypedDict):
    """What `NuScenesDepth` gives; without the leading B where it is one sample.

    images (B,V,3,H,W) float32, red green blue, 0 to 1; V counts cameras, then those of the keyframe before, if asked.
    K (B,V,3,3), T_ref_cam (B,V,4,4) float64, augmentation folded in; ref is ego at the keyframe's lidar stamp.
    depth_m (B,V,H,W) float32 z-depth, 0 = unknown; source (B,V,H,W) uint8; confidence (B,V,H,W) float32, 0 to 1.
    sweep_m (B,V,H,W) float32 z-depth of the keyframe's own sweep, 0 = unknown; of no size unless asked for.
    boxes (B,M,9) float32: x, y, z, l, w, h in m, yaw in rad, vx, vy in m/s (NaN unknown) in ref; M is padded.
    labels (B,M) int64 in order of CLASSES, -1 is padding; attributes (B,M) int64 in order of ATTRIBUTES, -1 none.
    T_global_ref (B,4,4) float64; sample_token, scene: names.
    """

    images: Tensor
    K: Tensor
    T_ref_cam: Tensor
    depth_m: Tensor
    sweep_m: Tensor
    source: Tensor
    confidence: Tensor
    boxes: Tensor
    labels: Tensor
    attributes: Tensor
    T_global_ref: Tensor
    sample_token: Any
    scene: Any


@dataclass(frozen=True)
class _View:
    """One image with all that belongs to it."""

    image: NDArray[np.uint8]
    K: NDArray[np.float64]
    T_ref_cam: NDArray[np.float64]
    layers: Layers
    sweep_m: NDArray[np.float32]


class NuScenesDepth(Dataset[Batch]):
    """A sample is a keyframe with its cameras; the default collation of a DataLoader makes `Batch`es.

    No file stays open between two samples, so it works in forked and in spawned workers.

    Args:
        dataroot: a nuScenes-format folder; only files of keyframes need be there.
        depth: a depth store. Without one `sparse` depth is the keyframe's own sweep, as the lidar measured it.
        supervision: what depth is given: `none`, the own sweep's (`sparse`), all that was measured (`dense`), or also
            what completion filled in (`completed`).
        size: (height, width) px of the network's input.
        augmentation: what is drawn anew for each sample; None draws nothing and takes the ranges' middles.
        ranges: the ranges whose middles are taken where nothing is drawn.
        with_sweep: give the own sweep's depth as well, as an input.
        draw_cameras: as many are taken of each keyframe, drawn where there is augmentation; 0 takes all.
        previous: give the keyframe before as well, seen from this one's ref; a scene's first is its own.
        version, scenes: which tables and which of their scenes; None takes the only one and all.
        min_points: boxes with fewer lidar and radar points are left out; 0 keeps all.
        max_boxes: as many are given of a keyframe, the nearest.
        keep_images: as many decoded images, and as many depth maps, stay in memory, in each process.

    Raises:
        InputError: the folder or the store is missing, damaged, or they do not belong together.
    """

    def __init__(
        self,
        dataroot: Path | str,
        depth: Path | str | None = None,
        *,
        supervision: Supervision = "dense",
        size: tuple[int, int] = (256, 704),
        augmentation: Augmentation | None = None,
        ranges: Augmentation | None = None,
        with_sweep: bool = False,
        draw_cameras: int = 0,
        previous: bool = False,
        version: str | None = None,
        scenes: Sequence[str] | None = None,
        min_points: int = 1,
        max_boxes: int = 256,
        keep_images: int = 0,
    ) -> None:
        if depth is None and supervision in ("dense", "completed"):
            raise InputError(f"{supervision} depth comes from a depth store; name one with --depth")
        self.dataroot, self.depth = Path(dataroot), None if depth is None else Path(depth)
        self.supervision, self.size, self.previous = supervision, size, previous
        self.augmentation, self.version = augmentation, version
        self._ranges = augmentation or ranges or Augmentation()
        self._draw_cameras, self._min_points, self._max_boxes = draw_cameras, min_points, max_boxes
        self._keep_images, self._with_sweep = keep_images, with_sweep
        # Each of a keyframe's cameras asks for its sweep in turn.
        self._newest: tuple[str, Points] | None = None
        self._recording = open_recording(self.dataroot, version=version)
        names = self._recording.scene_names if scenes is None else scenes
        self.keyframes = [keyframe for name in names for keyframe in self._recording.keyframes(name)]
        self.channels = self._check_cameras()
        if self.depth is not None and supervision != "none":
            self._check_store(self.depth)

    def __len__(self) -> int:
        return len(self.keyframes)

    def __getitem__(self, index: int) -> Batch:
        if not 0 <= index < len(self):
            raise IndexError(index)
        # A worker's own torch generator differs from the others'.
        seed = int(torch.randint(2**62, ()))
        return self.draw(index, None if self.augmentation is None else np.random.default_rng(seed))

    def draw(self, index: int, rng: np.random.Generator | None) -> Batch:
        """The sample `index` with what `rng` draws of the augmentation; None draws nothing."""
        keyframe = self.keyframes[index]
        A = bev_affine(self._ranges.bev, rng)
        labels = self.labels(index)
        boxes = np.full((self._max_boxes, 9), np.nan, np.float32)
        classes, attributes = (np.full(self._max_boxes, -1, np.int64) for _ in range(2))
        n = min(len(labels), self._max_boxes)
        boxes[:n] = boxes_under(A, labels.boxes)[:n]
        classes[:n], attributes[:n] = labels.classes[:n], labels.attributes[:n]
        views = self._views(keyframe, keyframe, A, rng, with_depth=True)
        if self.previous:
            views += self._views(self._before(index), keyframe, A, rng, with_depth=False)
        return {
            # Not merely seen as channels first: torch's convolutions of that layout, 1x1 with a stride, corrupt memory.
            "images": _stacked([np.moveaxis(v.image, -1, 0) for v in views]).contiguous().float() / 255,
            "K": _stacked([v.K for v in views]),
            "T_ref_cam": _stacked([v.T_ref_cam for v in views]),
            "depth_m": _stacked([v.layers.depth_m for v in views]),
            "sweep_m": _stacked([v.sweep_m for v in views]),
            "source": _stacked([v.layers.source for v in views]),
            "confidence": _stacked([v.layers.confidence for v in views]),
            "boxes": torch.from_numpy(boxes),
            "labels": torch.from_numpy(classes),
            "attributes": torch.from_numpy(attributes),
            "T_global_ref": torch.from_numpy(keyframe.T_global_ego @ np.linalg.inv(A)),
            "sample_token": keyframe.sample_token,
            "scene": keyframe.scene,
        }

    def labels(self, index: int) -> Labels:
        """A keyframe's boxes in ref, nearest first, without augmentation."""
        keyframe = self.keyframes[index]
        return labels_of(keyframe.boxes, se3.inverse(keyframe.T_global_ego), self._min_points)

    def _before(self, index: int) -> Keyframe:
        before = self.keyframes[max(index - 1, 0)]
        return before if before.scene == self.keyframes[index].scene else self.keyframes[index]

    def _views(
        self,
        keyframe: Keyframe,
        reference: Keyframe,
        A: NDArray[np.float64],
        rng: np.random.Generator | None,
        *,
        with_depth: bool,
    ) -> list[_View]:
        T_ref_global = A @ se3.inverse(reference.T_global_ego)
        cameras = keyframe.cameras
        if self._draw_cameras:
            count = len(cameras)
            drawn = np.arange(count) if rng is None else np.sort(rng.permutation(count)[: self._draw_cameras])
            cameras = tuple(cameras[i] for i in drawn)
        return [self._view(keyframe, camera, T_ref_global, rng, with_depth) for camera in cameras]

    def _view(
        self,
        keyframe: Keyframe,
        camera: Camera,
        T_ref_global: NDArray[np.float64],
        rng: np.random.Generator | None,
        with_depth: bool,
    ) -> _View:
        image = _files(self._keep_images).image(camera.image_path, camera.height_px, camera.width_px)
        A = image_affine((camera.height_px, camera.width_px), self.size, self._ranges.image, rng)
        layers = Layers.unknown(self.size)
        if with_depth and self.supervision != "none":
            warp = warp_points if self.supervision == "sparse" else warp_surface
            layers = warp(self._layers(keyframe, camera), A, self.size)
        sweep_m = np.zeros((0, 0), np.float32)
        if self._with_sweep:
            seen = of_sweep(self._points(keyframe.sweeps[0]), keyframe.sweeps[0], camera)
            sweep_m = warp_points(seen, A, self.size).depth_m
        picture = warp_image(image, A, self.size)
        return _View(picture, A @ camera.K, T_ref_global @ camera.T_global_cam, layers, sweep_m)

    def _layers(self, keyframe: Keyframe, camera: Camera) -> Layers:
        """Depth as it was before augmentation."""
        if self.depth is None:
            return of_sweep(self._points(keyframe.sweeps[0]), keyframe.sweeps[0], camera)
        path = self.depth / f"{keyframe.scene}.h5"
        read = _files(self._keep_images).layers
        layers, K = read(path, keyframe.sample_token, camera.channel, self.supervision)
        if layers.depth_m.shape != (camera.height_px, camera.width_px) or (np.abs(K - camera.K) > SAME_K_PX).any():
            raise InputError(
                f"{path}: {keyframe.sample_token}/{camera.channel} is of another size or K than in {self.dataroot}; "
                "was the store made from it?"
            )
        return layers

    def _points(self, sweep: Sweep) -> Points:
        if self._newest is None or self._newest[0] != sweep.token:
            self._newest = (sweep.token, self._recording.read_points(sweep))
        return self._newest[1]

    def _check_cameras(self) -> tuple[str, ...]:
        """Channels, the same ones in each keyframe, or they could not be stacked."""
        if not self.keyframes:
            raise InputError(f"{self.dataroot}: no keyframe in it")
        channels = tuple(camera.channel for camera in self.keyframes[0].cameras)
        for keyframe in self.keyframes:
            if (mine := tuple(camera.channel for camera in keyframe.cameras)) != channels:
                where = f"{self.dataroot}: keyframe {keyframe.sample_token} of {keyframe.scene}"
                raise InputError(f"{where} has {', '.join(mine)}, the first one {', '.join(channels)}")
        if self._draw_cameras > len(channels):
            raise InputError(f"{self._draw_cameras} cameras are to be drawn of {len(channels)}")
        return channels

    def _check_store(self, depth: Path) -> None:
        """Has every scene a file, and the first keyframe depth of the right kind?"""
        there = {path.stem for path in scene_files(depth)}
        for keyframe in self.keyframes:
            if keyframe.scene not in there:
                raise InputError(f"{depth}: no {keyframe.scene}.h5 in it, which {self.dataroot} has")
        first = self.keyframes[0]
        found = [self._layers(first, camera) for camera in first.cameras]
        if not any((layers.depth_m > 0).any() for layers in found):
            raise InputError(f"{depth}: keyframe {first.sample_token} has no {self.supervision} depth in it")


class Draws(Dataset[Batch]):
    """Samples of several folders by number, without end.

    The same seed and number give the same sample with the same augmentation, in whatever process.
    """

    def __init__(self, folders: Sequence[NuScenesDepth], seed: int) -> None:
        self._places = [(folder, i) for folder in folders for i in range(len(folder))]
        self._seed = seed

    def __len__(self) -> int:
        """Of one epoch."""
        return len(self._places)

    def __getitem__(self, index: int) -> Batch:
        folder, place = self._places[index % len(self)]
        drawn = folder.augmentation is not None
        return folder.draw(place, np.random.default_rng((self._seed, index)) if drawn else None)


def _stacked(arrays: Sequence[NDArray[Any]]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))


@dataclass(frozen=True)
class _Files:
    """How files are read: a process's own, so that nothing open or remembered crosses a fork."""

    image: Callable[[Path, int, int], NDArray[np.uint8]]
    layers: Callable[[Path, str, str, str], tuple[Layers, NDArray[np.float64]]]


@lru_cache(maxsize=4)
def _files(keep: int) -> _Files:
    if not keep:
        return _Files(_read_image, _read_layers)
    return _Files(lru_cache(maxsize=keep)(_read_image), lru_cache(maxsize=keep)(_read_layers))


def _read_image(path: Path, height_px: int, width_px: int) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{path}: not a readable image")
    if image.shape[:2] != (height_px, width_px):
        raise InputError(f"{path}: {image.shape[1]}x{image.shape[0]} px, its row says {width_px}x{height_px}")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _read_layers(path: Path, sample_token: str, channel: str, supervision: str) -> tuple[Layers, NDArray[np.float64]]:
    record = _reader(path).read(sample_token, channel)
    return of_record(record, supervision), record.K


@lru_cache(maxsize=64)
def _reader(path: Path) -> SceneReader:
    return SceneReader(path)
