"""Rays against a shape: how near they pass it, and where they meet it."""

from __future__ import annotations

import torch
from torch import Tensor

from densegt.shapes.decoder import ShapeDecoder

SAMPLES, STEPS = 48, 24
ON_M = 0.003


def nearest_on_rays(
    decoder: ShapeDecoder, code: Tensor, origin: Tensor, direction: Tensor, near_far_m: tuple[float, float]
) -> Tensor:
    """Least signed distance (R,) m along rays: below nought where they meet the shape, with gradient in all tensors.

    The least of a distance is where the silhouette is decided, so a mask's border moves a shape through this number.

    Args:
        code: (8,); origin, direction: (R,3) m in the shape frame, directions of length one.
        near_far_m: between these ranges the rays are sampled.
    """
    t = torch.linspace(*near_far_m, SAMPLES, dtype=origin.dtype)
    with torch.no_grad():
        first = _along(decoder, code, origin, direction, t.expand(len(origin), -1))
        best = t[first.argmin(1)]
        step = (near_far_m[1] - near_far_m[0]) / (SAMPLES - 1)
        fine = best[:, None] + torch.linspace(-step, step, 9, dtype=origin.dtype)
        f = _along(decoder, code, origin, direction, fine)
        best = fine.gather(1, f.argmin(1, keepdim=True)).squeeze(1)
    # At the least the slope along the ray is nought: only the place's own movement counts.
    out: Tensor = decoder(code.expand(len(origin), -1), origin + best[:, None] * direction)
    return out


@torch.no_grad()
def range_on_rays(
    decoder: ShapeDecoder, code: Tensor, origin: Tensor, direction: Tensor, near_far_m: tuple[float, float]
) -> Tensor:
    """Range (R,) m at which rays first meet the shape, found by steps as long as the distance; infinite where none."""
    t = torch.full((len(origin),), near_far_m[0], dtype=origin.dtype)
    given = code.expand(len(origin), -1)
    f = decoder(given, origin + t[:, None] * direction)
    for _ in range(STEPS):
        # The network's slope may exceed one by a little.
        t = t + torch.where(f.abs() < ON_M, 0.0, 0.9 * f)
        f = decoder(given, origin + t[:, None] * direction)
    met = (f.abs() < 4 * ON_M) & (t > near_far_m[0] - 1.0) & (t < near_far_m[1])
    return torch.where(met, t, torch.inf)


def _along(decoder: ShapeDecoder, code: Tensor, origin: Tensor, direction: Tensor, t: Tensor) -> Tensor:
    xyz = origin[:, None] + t[..., None] * direction[:, None]
    out: Tensor = decoder(code.expand(*xyz.shape[:2], -1), xyz)
    return out
