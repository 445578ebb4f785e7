"""MonoImageBatch: images with their objects, what a network on whole images is trained on and answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict, cast

import torch
from torch import Tensor

from densegt.detection.mono.batch import MonoBatch
from densegt.detection.mono.keyframe_objects import joined


class MonoImage(TypedDict):
    """One image: image (3,h,w) uint8, as the network takes it; objects: of N, those that count, see `MonoBatch`.

    box_px (N,4) of the input, left, top, right, bottom; other_px (L,4), other_kind (L,): of objects that shall be
    neither found nor missed.
    """

    image: Tensor
    objects: MonoBatch
    box_px: Tensor
    other_px: Tensor
    other_kind: Tensor


class MonoImageBatch(TypedDict):
    """B images (B,3,h,w); objects of all of them together, and whose they are: of (N,), other_of (L,)."""

    images: Tensor
    objects: MonoBatch
    of: Tensor
    box_px: Tensor
    other_of: Tensor
    other_px: Tensor
    other_kind: Tensor


class MonoImageKeyframe(TypedDict):
    """A keyframe's V images (V,3,h,w) uint8, and of each A (V,3,3), which takes its pixels to the input's.

    K (V,3,3), T_ref_cam (V,4,4), size_px (V,2) height and width: of the image itself.
    objects, of (N,), box_px (N,4): given ones, to score by, in pixels of the image itself.
    """

    images: Tensor
    A: Tensor
    K: Tensor
    T_ref_cam: Tensor
    size_px: Tensor
    objects: MonoBatch
    of: Tensor
    box_px: Tensor
    sample_token: Any
    scene: Any
    T_global_ref: Tensor


def collated(images: Sequence[MonoImage]) -> MonoImageBatch:
    """Several images together."""

    def of(name: str) -> Tensor:
        counts = [len(cast(Any, image)[name]) for image in images]
        return torch.repeat_interleave(torch.arange(len(images)), torch.tensor(counts))

    def together(name: str) -> Tensor:
        return torch.cat([cast(Any, image)[name] for image in images])

    return {
        "images": torch.stack([image["image"] for image in images]),
        "objects": joined([image["objects"] for image in images]), "of": of("box_px"), "box_px": together("box_px"),
        "other_of": of("other_px"), "other_px": together("other_px"), "other_kind": together("other_kind"),
    }  # fmt: skip


def chosen(objects: MonoBatch, rows: Tensor) -> MonoBatch:
    """Some of the objects, by a mask or by numbers."""
    return cast(MonoBatch, {name: cast(Tensor, values)[rows] for name, values in objects.items()})
