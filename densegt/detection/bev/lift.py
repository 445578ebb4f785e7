"""From samples on rays to the bird's-eye view."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from densegt.detection.bev.frustum import feature_uv, sample_cells
from densegt.detection.bev.grid import BevGrid
from densegt.detection.bev.ranks import Ranks, rank
from densegt.detection.bev.splat import splat
from densegt.detection.depth_head.sampling import Samples


@dataclass(frozen=True)
class _Rig:
    """Everything that decides where fixed samples lie."""

    facts: tuple[Tensor, ...]
    ranks: Ranks

    def is_of(self, facts: tuple[Tensor, ...]) -> bool:
        return all(a.device == b.device and torch.equal(a, b) for a, b in zip(self.facts, facts, strict=True))


class Lift(nn.Module):
    """Lays the features of all cameras down on one grid.

    Samples whose places follow from the calibration alone are sorted once for a rig, again only when it changes (as
    augmentation in training does); all others at every step.

    Attributes:
        stride: px of the image that the network sees to a cell of its feature map.
    """

    def __init__(self, grid: BevGrid, *, stride: int) -> None:
        super().__init__()
        self.grid, self.stride = grid, stride
        self._last: _Rig | None = None

    def forward(self, samples: Samples, K: Tensor, T_ref_cam: Tensor) -> Tensor:
        """Lift and splat.

        Args:
            samples: of N = B*V images.
            K: (B,V,3,3) of the image that the network sees, augmentation folded in, best float64.
            T_ref_cam: (B,V,4,4), best float64.

        Returns:
            (B,C,Y,X).
        """
        ranks = self._ranks(samples, K, T_ref_cam)
        return splat(_by_camera(samples.weights, K), _by_camera(samples.features, K), ranks)

    def _ranks(self, samples: Samples, K: Tensor, T_ref_cam: Tensor) -> Ranks:
        height, width = samples.features.shape[-2:]
        uv = feature_uv(height, width, stride=self.stride).to(K.device)
        depth_m = samples.depth_m.detach()
        if depth_m.dim() == 1 and samples.shift is None:
            return self._of_rig(depth_m, uv, K, T_ref_cam)
        if samples.shift is not None:
            uv = uv + self.stride * _by_camera(samples.shift.detach().double().movedim(1, -1), K)
        if depth_m.dim() == 4:
            depth_m = _by_camera(depth_m, K)
        return rank(sample_cells(self.grid, depth_m, uv, K, T_ref_cam), self.grid)

    def _of_rig(self, *facts: Tensor) -> Ranks:
        """As last time, if depth_m, uv, K and T_ref_cam are."""
        last = self._last
        if last is None or not last.is_of(facts):
            last = _Rig(tuple(fact.clone() for fact in facts), rank(sample_cells(self.grid, *facts), self.grid))
            self._last = last
        return last.ranks


def _by_camera(images: Tensor, K: Tensor) -> Tensor:
    """(B*V,...) to (B,V,...)."""
    return images.reshape(*K.shape[:2], *images.shape[1:])
