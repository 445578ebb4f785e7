"""The training step, the validation and the answers of a monocular detector of whole images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from densegt.detection.data.depth_dataset import DatasetOptions, DepthDataset
from densegt.detection.mono.batch import MonoBatch
from densegt.detection.mono.centres_2d import Found2d, cells_of, centre_losses, found_2d, heat_of
from densegt.detection.mono.config import MonoModelConfig
from densegt.detection.mono.image_batch import MonoImageBatch, chosen
from densegt.detection.mono.image_dataset import MonoImageData, MonoImageDataset
from densegt.detection.mono.image_net import STRIDE, ImageMaps, ImageNet
from densegt.detection.mono.keyframe_objects import stacked
from densegt.detection.mono.labels_3d import image_iou
from densegt.detection.mono.numbers import cut_of, numbers_of, whole_px
from densegt.detection.mono.objective import losses
from densegt.detection.mono.objects_2d import source_of
from densegt.detection.mono.placed import Answer
from densegt.detection.mono.prediction import MonoPrediction, in_ref, merged, no_depth
from densegt.detection.mono.task import MonoTask
from densegt.detection.mono.view import View

if TYPE_CHECKING:
    from densegt.detection.fit import TrainingSource

Float64 = NDArray[np.float64]
# A found 2D box that shares more with a given one is of the same object.
SAME = 0.5


class FoundViews(NamedTuple):
    """Found objects in their views; objects has `numbers`, `kind`, `box_ab`, `cut` and `T_ref_view` of `MonoBatch`.

    box_px (M,4) in pixels of the image itself; of (M,) which image.
    """

    objects: MonoBatch
    box_px: Float64
    of: NDArray[np.int64]


class MonoImageTask(MonoTask):
    """As `MonoTask`, of a network that finds the 2D boxes itself."""

    def _network(self, config: MonoModelConfig) -> torch.nn.Module:
        return ImageNet(config)

    def dataset_options(self, *, learned: bool, has_depth: bool) -> DatasetOptions:
        """See `DetectionTask`."""
        before = super().dataset_options(learned=learned, has_depth=has_depth)
        return DatasetOptions(before.supervision, keep_images=self.settings.keep_images)

    def dataset(
        self, source: TrainingSource, options: DatasetOptions, scenes: Sequence[str] | None
    ) -> MonoImageDataset:
        """See `DetectionTask`."""
        frames = DepthDataset(source.recording, source.depth, options, scenes=scenes)
        objects, where = source_of(frames.recording.root, source.boxes_2d)
        model = self.settings.model
        return MonoImageDataset(
            frames, objects, model.classes, size=model.image.size, min_height=self.lowest, told_by=where
        )

    def data(self, learned: Sequence[Any], held_out: Sequence[Any]) -> MonoImageData:
        """See `DetectionTask`."""
        return MonoImageData(learned, held_out, self.settings)

    def progress_line(self, metrics: Mapping[str, float]) -> str:
        """See `DetectionTask`; BEV IoU is of boxes at given 2D boxes."""
        return f"{super().progress_line(metrics)}; {metrics['found']:.0%} found in 2D"

    def maps(self, images: Tensor) -> ImageMaps:
        """What the network makes of images (B,3,h,w) uint8."""
        return cast(ImageMaps, self.net(images))

    def answer(self, maps: ImageMaps, objects: MonoBatch, of: Tensor, cell: Tensor) -> Answer:
        """What is said of objects in images (M,) at cells (M,)."""
        return cast(ImageNet, self.net).answer(maps, of, cell, objects["numbers"], objects["kind"])

    def losses(self, batch: Any, step: int) -> dict[str, Tensor]:
        """Parts of the loss of a `MonoImageBatch`, weighed."""
        maps = self.maps(batch["images"])
        return self._losses(maps, self._at_given(maps, batch), batch, step)

    def validation_step(self, batch: Any, index: int) -> None:
        """Add one batch to the sums; no step's draws matter here."""
        maps = self.maps(batch["images"])
        answer = self._at_given(maps, batch)
        with torch.random.fork_rng():
            torch.manual_seed(index)
            parts = self._losses(maps, answer, batch, self.settled)
        self.add_loss(parts, len(batch["images"]))
        self.add_labelled(answer, batch["objects"])
        found, box_px = self.found(maps), batch["box_px"].double().cpu().numpy()
        same = matches(
            found.box_px.double().cpu().numpy(), _where(found.of, found.kind), box_px,
            _where(batch["of"], batch["objects"]["kind"]),
        )  # fmt: skip
        count = found.score.new_tensor(float(len(box_px)))
        self.add_ratio("found", count.new_tensor(float((same >= 0).sum())), count)

    def _at_given(self, maps: ImageMaps, batch: MonoImageBatch) -> Answer:
        """Of the objects that there are, wherever heat is."""
        cell = cells_of(batch["box_px"], (maps.heat.shape[2], maps.heat.shape[3]))
        return self.answer(maps, batch["objects"], batch["of"], cell)

    def _losses(self, maps: ImageMaps, answer: Answer, batch: MonoImageBatch, step: int) -> dict[str, Tensor]:
        weights, objects = self.settings.weights, batch["objects"]
        counted = torch.cat([torch.ones_like(batch["of"]), torch.zeros_like(batch["other_of"])]).bool()
        heat = heat_of(
            torch.cat([batch["box_px"], batch["other_px"]]), torch.cat([objects["kind"], batch["other_kind"]]),
            torch.cat([batch["of"], batch["other_of"]]), counted, maps.heat,
        )  # fmt: skip
        found = centre_losses(maps, heat, batch["box_px"], batch["of"])
        parts = {name: getattr(weights, name) * value for name, value in found.items()}
        if len(objects["kind"]):
            return parts | losses(answer, objects, self.space, self.settings, step)
        # So that every weight has a gradient, of images without an object too.
        return parts | {"score": sum(values.sum() for values in answer) * 0}

    def found(self, maps: ImageMaps) -> Found2d:
        """Objects in images."""
        how = self.settings.model.image
        return found_2d(maps, most=how.most, min_score=how.min_score, max_overlap=how.max_overlap)

    def prediction(self, batch: Any) -> MonoPrediction:
        """See `DetectionTask`; of a `MonoImageKeyframe`."""
        maps = self.maps(batch["images"][0].to(self.device))
        found = self.found(maps)
        seen = _in_views(found, batch, self.settings.model.image.size)
        objects = cast(MonoBatch, self.transfer_batch_to_device(cast(Any, seen.objects), self.device, 0))
        boxes, consistency = np.zeros((0, 7)), np.zeros(0)
        if len(seen.of):
            boxes, consistency = self.boxes(self.answer(maps, objects, found.of, found.cell), objects)
        names = [self.settings.model.classes[i] for i in found.kind.tolist()]
        scores = found.score.double().cpu().numpy() * consistency
        T_ref_view = seen.objects["T_ref_view"].numpy()
        given = cast(MonoBatch, {name: cast(Tensor, value)[0] for name, value in batch["objects"].items()})
        same = matches(
            seen.box_px, _where(found.of, found.kind), batch["box_px"][0].double().numpy(),
            _where(batch["of"][0], given["kind"]),
        )  # fmt: skip
        met = chosen(given, torch.from_numpy(same >= 0))
        return MonoPrediction(
            found=merged(
                in_ref(boxes, T_ref_view), names, scores, batch["sample_token"][0],
                batch["T_global_ref"][0].cpu().numpy(),
            ),
            **no_depth(), said=_in_other_views(boxes, T_ref_view, same, met["T_ref_view"].numpy()),
            true=met["box"].double().numpy(), moving=met["moving"].double().numpy(), cut=met["cut"].any(-1).numpy(),
        )  # fmt: skip


def matches(found_px: Float64, found: Float64, given_px: Float64, given: Float64) -> NDArray[np.int64]:
    """(N,) which of the found boxes (M,4) is of each given one (N,4), -1 for none; likelier ones have the first choice.

    Args:
        found, given: (M,2), (N,2) image and class, which must be the same.
    """
    out = np.full(len(given_px), -1, np.int64)
    for i in range(len(found_px)):
        free = np.flatnonzero((out < 0) & (given == found[i]).all(axis=1))
        shares = [image_iou(found_px[i], given_px[j]) for j in free]
        if shares and max(shares) > SAME:
            out[free[int(np.argmax(shares))]] = i
    return out


def _where(of: Tensor, kind: Tensor) -> Float64:
    """(M,2)"""
    return torch.stack([of, kind], -1).double().cpu().numpy()


def _in_views(found: Found2d, batch: Any, size: tuple[int, int]) -> FoundViews:
    """Of each found box what a network on crops would be told of it."""
    rows, boxes_px = [], np.zeros((len(found.of), 4))
    for i, (of, kind) in enumerate(zip(found.of.tolist(), found.kind.tolist(), strict=True)):
        A, K, T_ref_cam = (batch[name][0][of].numpy() for name in ("A", "K", "T_ref_cam"))
        scale, shift = np.diag(A)[[0, 1, 0, 1]], A[[0, 1, 0, 1], 2]
        image_px = whole_px(*batch["size_px"][0][of].tolist())
        input_px = (whole_px(*size) - shift) / scale
        seen_px = np.concatenate([np.maximum(image_px, input_px)[:2], np.minimum(image_px, input_px)[2:]])
        box_px = (found.box_px[i].double().cpu().numpy() - shift) / scale
        cut = cut_of(box_px, seen_px, within_px=STRIDE / 2 / scale[0])
        box_px = np.clip(box_px, np.tile(seen_px[:2], 2), np.tile(seen_px[2:], 2))
        # Of a box that lies beyond an edge a pixel is left.
        box_px[2:] = np.maximum(box_px[2:], box_px[:2] + 1)
        view = View.through(K, T_ref_cam, box_px)
        boxes_px[i] = box_px
        rows.append({
            "numbers": numbers_of(view, cut, masked=False), "kind": kind, "box_ab": view.box_ab, "cut": cut,
            "T_ref_view": view.T_ref_view,
        })  # fmt: skip
    objects = stacked(rows, 0, ("numbers", "kind", "box_ab", "cut", "T_ref_view"))
    return FoundViews(objects, boxes_px, found.of.cpu().numpy())


def _in_other_views(boxes: Float64, T_ref_view: Float64, rows: NDArray[np.int64], T_ref_other: Float64) -> Float64:
    """(N,7) of some of the boxes (M,7) in views (M,4,4): those of rows that are not -1, in views (N,4,4) of the same
    cameras."""
    rows = rows[rows >= 0]
    T_other_view = np.linalg.inv(T_ref_other) @ T_ref_view[rows]
    return in_ref(boxes[rows], T_other_view)
