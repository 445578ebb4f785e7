"""DepthDataset: keyframes of a recording as tensors, with depth from a store or from the lidars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from densegt.datasets import RecordingPath
from densegt.datasets.keyframes import Keyframe
from densegt.datasets.recording import Recording
from densegt.datasets.scene import Camera, Points, Sweep
from densegt.depth.store import scene_files
from densegt.detection.data.augment import Augmentation, bev_affine, boxes_under, image_affine
from densegt.detection.data.batch import Batch, Supervision
from densegt.detection.data.cached_files import cached_files
from densegt.detection.data.camera_sets import with_all_cameras
from densegt.detection.data.depth_layers import DepthLayers, project_sweeps
from densegt.detection.data.labels import Labels, labels_of
from densegt.detection.data.sweep_points import EarlierSweeps, aged_points
from densegt.detection.data.warp import warp_image, warp_points, warp_surface
from densegt.errors import InputError
from densegt.geometry import se3

Float64 = NDArray[np.float64]
# K of a store and of the recording may differ by rounding, no more.
SAME_K_PX = 0.5


@dataclass(frozen=True)
class InputOptions:
    """What a sample has besides images, depth and boxes.

    Attributes:
        cameras: as many are taken of each keyframe, at random where augmented; 0 takes all.
        previous: the keyframe before as well, seen from this one's ref; a scene's first is its own.
        sweep_depth, sweep_points: the keyframe's own sweeps, in the images and as points.
        earlier_sweeps: as many before them are points as well; their files must be there.
    """

    cameras: int = 0
    previous: bool = False
    sweep_depth: bool = False
    sweep_points: bool = False
    earlier_sweeps: int = 0


@dataclass(frozen=True)
class LabelOptions:
    """Which boxes are labels.

    Attributes:
        min_points: boxes with fewer lidar and radar points are left out; 0 keeps all.
        max_boxes: as many are given of a keyframe, the nearest.
        categories: detection classes of a recording's own categories, before what its reader says.
    """

    min_points: int = 1
    max_boxes: int = 256
    categories: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetOptions:
    """What samples are made of.

    Attributes:
        supervision: what depth is given: `none`; every return of the keyframe's own sweeps, as the lidars measured it
            (`sparse`); of a depth store all that was measured (`dense`), or also what was filled in (`completed`).
        size: (height, width) px of the images.
        augmentation: the ranges; their middles are taken where samples are not augmented.
        augmented: draw from the ranges, anew for each sample.
        keep_images: as many decoded images, and as many depth maps, stay in memory, in each process.
    """

    supervision: Supervision = "dense"
    size: tuple[int, int] = (256, 704)
    augmentation: Augmentation = field(default_factory=Augmentation)
    augmented: bool = False
    inputs: InputOptions = InputOptions()
    labels: LabelOptions = LabelOptions()
    keep_images: int = 0


@dataclass(frozen=True)
class _View:
    """One image with all that belongs to it."""

    image: NDArray[np.uint8]
    K: Float64
    T_ref_cam: Float64
    layers: DepthLayers
    sweep_m: NDArray[np.float32]


class DepthDataset(Dataset[Batch]):
    """A sample is a keyframe with its cameras; the default collation of a DataLoader makes `Batch`es.

    Each sample has the cameras that most keyframes have. A keyframe that lacks one of them, say because its image is
    missing, is left out, and a line in the log says how many are.

    No file stays open between two samples, so it works in forked and in spawned workers.

    Args:
        recording: opened, or where it lies; only files of keyframes need be there.
        depth: a depth store, for `dense` and `completed` supervision.
        scenes: only these; None takes all.

    Raises:
        InputError: the recording or the store is missing, damaged, or they do not belong together.
    """

    def __init__(
        self,
        recording: Recording | RecordingPath | Path | str,
        depth: Path | str | None = None,
        options: DatasetOptions = DatasetOptions(),
        *,
        scenes: Sequence[str] | None = None,
    ) -> None:
        if depth is None and options.supervision in ("dense", "completed"):
            raise InputError(f"{options.supervision} depth comes from a depth store; name one with --depth")
        if isinstance(recording, Path | str):
            recording = RecordingPath(Path(recording))
        self.recording = recording.open() if isinstance(recording, RecordingPath) else recording
        self.depth, self.options = None if depth is None else Path(depth), options
        # Each of a keyframe's cameras asks for its sweeps in turn.
        self._newest: tuple[str, list[tuple[Sweep, Points]]] | None = None
        self._earlier = EarlierSweeps(self.recording, options.inputs.earlier_sweeps)
        names = self.recording.scene_names if scenes is None else scenes
        mapping = options.labels.categories
        found = [_mapped(keyframe, mapping) for name in names for keyframe in self.recording.keyframes(name)]
        self.channels, self.keyframes = with_all_cameras(found, self.recording.root)
        most = options.inputs.cameras
        if most > len(self.channels):
            raise InputError(f"{most} cameras are to be drawn of {len(self.channels)}")
        if self.depth is not None and options.supervision in ("dense", "completed"):
            self._check_store(self.depth)

    def __getstate__(self) -> dict[str, Any]:
        # Points would only make a worker's start slower.
        return {**self.__dict__, "_newest": None}

    def __len__(self) -> int:
        return len(self.keyframes)

    def __getitem__(self, index: int) -> Batch:
        if not 0 <= index < len(self):
            raise IndexError(index)
        if not self.options.augmented:
            return self.sample(index)
        # A worker's own torch generator differs from the others'.
        return self.augmented_sample(index, np.random.default_rng(int(torch.randint(2**62, ()))))

    def sample(self, index: int) -> Batch:
        """A keyframe as it is, augmentation at the middle of its ranges."""
        return self._sample(index, None)

    def augmented_sample(self, index: int, rng: np.random.Generator) -> Batch:
        """A keyframe under an augmentation that `rng` draws."""
        return self._sample(index, rng)

    def labels(self, index: int) -> Labels:
        """A keyframe's boxes in ref, nearest first, without augmentation."""
        keyframe = self.keyframes[index]
        return labels_of(keyframe.boxes, se3.inverse(keyframe.T_global_ego), self.options.labels.min_points)

    def image(self, camera: Camera) -> NDArray[np.uint8]:
        """(H,W,3) as it was before augmentation."""
        read = cached_files(self.options.keep_images).image
        return read(camera.image_path, camera.distortion, camera.height_px, camera.width_px)

    def layers(self, keyframe: Keyframe, camera: Camera) -> DepthLayers:
        """Depth as it was before augmentation; none where there is no supervision."""
        if self.options.supervision == "none":
            return DepthLayers.unknown((camera.height_px, camera.width_px))
        # A store has not all of a sweep's returns, and those of movers under another code.
        if self.depth is None or self.options.supervision == "sparse":
            return project_sweeps(self._sweeps(keyframe), camera)
        path = self.depth / f"{keyframe.scene}.h5"
        read = cached_files(self.options.keep_images).layers
        layers, K = read(path, keyframe.sample_token, camera.channel, self.options.supervision)
        if layers.depth_m.shape != (camera.height_px, camera.width_px) or (np.abs(K - camera.K) > SAME_K_PX).any():
            where = f"{path}: {keyframe.sample_token}/{camera.channel}"
            raise InputError(f"{where} is of another size or K than in {self.recording.root}; was it made from it?")
        return layers

    def _sample(self, index: int, rng: np.random.Generator | None) -> Batch:
        keyframe, inputs = self.keyframes[index], self.options.inputs
        A = bev_affine(self.options.augmentation.bev, rng)
        views = self._views(keyframe, keyframe, A, rng, with_depth=True)
        if inputs.previous:
            views += self._views(self._before(index), keyframe, A, rng, with_depth=False)
        T_global_ref = keyframe.T_global_ego @ np.linalg.inv(A)
        points = np.zeros((0, 4), np.float32)
        if inputs.sweep_points:
            sweeps, turns = self._sweeps(keyframe) + self._earlier.before(keyframe), 1 + inputs.earlier_sweeps
            points = aged_points(sweeps, np.linalg.inv(T_global_ref), keyframe.sweeps[0].timestamp_us, turns=turns)
        boxes, labels, attributes = self._padded_labels(index, A)
        return {
            # Not merely seen as channels first: torch's convolutions of that layout, 1x1 with a stride, corrupt memory.
            "images": _stacked([np.moveaxis(v.image, -1, 0) for v in views]).contiguous().float() / 255,
            "K": _stacked([v.K for v in views]),
            "T_ref_cam": _stacked([v.T_ref_cam for v in views]),
            "depth_m": _stacked([v.layers.depth_m for v in views]),
            "sweep_m": _stacked([v.sweep_m for v in views]),
            "points": torch.from_numpy(points[:, :3].copy()),
            "point_age_s": torch.from_numpy(points[:, 3].copy()),
            "source": _stacked([v.layers.source for v in views]),
            "confidence": _stacked([v.layers.confidence for v in views]),
            "boxes": torch.from_numpy(boxes),
            "labels": torch.from_numpy(labels),
            "attributes": torch.from_numpy(attributes),
            "T_global_ref": torch.from_numpy(T_global_ref),
            "sample_token": keyframe.sample_token,
            "scene": keyframe.scene,
        }

    def _padded_labels(
        self, index: int, A: Float64
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """Boxes, labels and attributes as in `Batch`."""
        labels, most = self.labels(index), self.options.labels.max_boxes
        boxes = np.full((most, 9), np.nan, np.float32)
        classes, attributes = (np.full(most, -1, np.int64) for _ in range(2))
        n = min(len(labels), most)
        boxes[:n] = boxes_under(A, labels.boxes)[:n]
        classes[:n], attributes[:n] = labels.classes[:n], labels.attributes[:n]
        return boxes, classes, attributes

    def _before(self, index: int) -> Keyframe:
        before = self.keyframes[max(index - 1, 0)]
        return before if before.scene == self.keyframes[index].scene else self.keyframes[index]

    def _views(
        self,
        keyframe: Keyframe,
        reference: Keyframe,
        A: Float64,
        rng: np.random.Generator | None,
        *,
        with_depth: bool,
    ) -> list[_View]:
        T_ref_global = A @ se3.inverse(reference.T_global_ego)
        cameras, most = keyframe.cameras, self.options.inputs.cameras
        if most:
            count = len(cameras)
            chosen = np.arange(count) if rng is None else np.sort(rng.permutation(count)[:most])
            cameras = tuple(cameras[i] for i in chosen)
        return [self._view(keyframe, camera, T_ref_global, rng, with_depth) for camera in cameras]

    def _view(
        self,
        keyframe: Keyframe,
        camera: Camera,
        T_ref_global: Float64,
        rng: np.random.Generator | None,
        with_depth: bool,
    ) -> _View:
        options = self.options
        image = self.image(camera)
        A = image_affine((camera.height_px, camera.width_px), options.size, options.augmentation.image, rng)
        layers = DepthLayers.unknown(options.size)
        if with_depth and options.supervision != "none":
            warp = warp_points if options.supervision == "sparse" else warp_surface
            layers = warp(self.layers(keyframe, camera), A, options.size)
        sweep_m = np.zeros((0, 0), np.float32)
        if options.inputs.sweep_depth:
            sweep_m = warp_points(project_sweeps(self._sweeps(keyframe), camera), A, options.size).depth_m
        warped = warp_image(image, A, options.size)
        return _View(warped, A @ camera.K, T_ref_global @ camera.T_global_cam, layers, sweep_m)

    def _sweeps(self, keyframe: Keyframe) -> list[tuple[Sweep, Points]]:
        """The keyframe's sweeps, one of each lidar, with their points."""
        if self._newest is None or self._newest[0] != keyframe.sample_token:
            read = [(sweep, self.recording.read_points(sweep)) for sweep in keyframe.sweeps]
            self._newest = (keyframe.sample_token, read)
        return self._newest[1]

    def _check_store(self, depth: Path) -> None:
        """Has every scene a file, and the first keyframe depth of the right kind?"""
        there = {path.stem for path in scene_files(depth)}
        for keyframe in self.keyframes:
            if keyframe.scene not in there:
                raise InputError(f"{depth}: no {keyframe.scene}.h5 in it, which {self.recording.root} has")
        first = self.keyframes[0]
        found = [self.layers(first, camera) for camera in first.cameras]
        if not any((layers.depth_m > 0).any() for layers in found):
            kind = self.options.supervision
            raise InputError(f"{depth}: keyframe {first.sample_token} has no {kind} depth in it")


def _mapped(keyframe: Keyframe, categories: Mapping[str, str]) -> Keyframe:
    """A keyframe whose boxes have the classes that a mapping of categories gives them."""
    if not categories:
        return keyframe
    boxes = keyframe.boxes
    classes = tuple(categories.get(c, name) for c, name in zip(boxes.categories, boxes.classes, strict=True))
    return replace(keyframe, boxes=replace(boxes, classes=classes))


def _stacked(arrays: Sequence[NDArray[Any]]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
