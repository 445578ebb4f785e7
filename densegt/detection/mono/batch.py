"""MonoBatch: what the network is trained on and answers."""

from __future__ import annotations

from typing import Any, TypedDict

from torch import Tensor


class MonoBatch(TypedDict):
    """B objects, each in its own view (see `View`); without the leading B where it is one.

    image (B,3,S,S) uint8; numbers (B,10): logarithms of the box's height and of its width to height, tangent of its
    middle, whether it is cut at its right, left, bottom and top, whether its mask is known, and by how much, as a
    logarithm, the ground at its bottom is farther than its height says, and whether that can be told.
    kind (B,) place in the configuration's classes; score (B,) of the 2D detector.
    box_ab (B,4): see `View`; cut (B,4) bool, in the same order; pixel (B,): see `View`.
    points (B,P,3) m, of depth on the object; point_weight (B,P), 0 is padding.
    rays (B,R,3) of length one; inside (B,R) 0 or 1; ray_weight (B,R), 0 is padding or unknown.
    box (B,7) x, y, z of the middle, l, w, h in m, yaw in rad, in the view, of a label; NaN where there is none.
    box_weight (B,): how much it is believed.
    moving (B,) 1, 0, or NaN where unknown. T_ref_view (B,4,4) float64.
    """

    image: Tensor
    numbers: Tensor
    kind: Tensor
    score: Tensor
    box_ab: Tensor
    cut: Tensor
    pixel: Tensor
    points: Tensor
    point_weight: Tensor
    rays: Tensor
    inside: Tensor
    ray_weight: Tensor
    box: Tensor
    box_weight: Tensor
    moving: Tensor
    T_ref_view: Tensor


class MonoKeyframe(TypedDict):
    """All objects of a keyframe, and whose they are."""

    objects: MonoBatch
    sample_token: Any
    scene: Any
    T_global_ref: Tensor


def mirrored(batch: MonoBatch) -> MonoBatch:
    """The same objects, left and right changed; a flag of the mask stays."""
    sides = [1, 0, 2, 3]
    y = batch["points"].new_tensor([1.0, -1.0, 1.0])
    numbers = batch["numbers"][..., [0, 1, 2, 4, 3, 5, 6, 7, 8, 9]]
    box_ab = batch["box_ab"][..., sides] * batch["box_ab"].new_tensor([-1.0, -1.0, 1.0, 1.0])
    box = batch["box"] * batch["box"].new_tensor([1.0, -1.0, 1.0, 1.0, 1.0, 1.0, -1.0])
    return {
        **batch, "image": batch["image"].flip(-1), "numbers": numbers, "box_ab": box_ab,
        "cut": batch["cut"][..., sides], "points": batch["points"] * y, "rays": batch["rays"] * y, "box": box,
    }  # fmt: skip
