"""Batch: what detectors are trained on and answer."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from torch import Tensor

Supervision = Literal["none", "sparse", "dense", "completed"]


class Batch(TypedDict):
    """B samples of `DepthDataset`, each a keyframe with V views; without the leading B where it is one sample.

    images (B,V,3,H,W) float32, red green blue, 0 to 1; V counts cameras, then those of the keyframe before, if asked.
    K (B,V,3,3), T_ref_cam (B,V,4,4) float64, augmentation folded in; ref is ego at the keyframe's lidar stamp.
    depth_m (B,V,H,W) float32 z-depth, 0 = unknown; source (B,V,H,W) uint8; confidence (B,V,H,W) float32, 0 to 1.
    sweep_m (B,V,H,W) float32 z-depth of the keyframe's own sweeps, 0 = unknown; of no size unless asked for.
    points (B,N,3) float32 m, of the keyframe's own sweeps in ref, and of those before where asked for, augmentation
    folded in; point_age_s (B,N) float32 s before the keyframe; NaN is padding; of no size unless asked for.
    boxes (B,M,9) float32: x, y, z, l, w, h in m, yaw in rad, vx, vy in m/s (NaN unknown) in ref; M is padded.
    labels (B,M) int64 in order of CLASSES, -1 is padding; attributes (B,M) int64 in order of ATTRIBUTES, -1 none.
    T_global_ref (B,4,4) float64; sample_token, scene: names.
    """

    images: Tensor
    K: Tensor
    T_ref_cam: Tensor
    depth_m: Tensor
    sweep_m: Tensor
    points: Tensor
    point_age_s: Tensor
    source: Tensor
    confidence: Tensor
    boxes: Tensor
    labels: Tensor
    attributes: Tensor
    T_global_ref: Tensor
    sample_token: Any
    scene: Any
