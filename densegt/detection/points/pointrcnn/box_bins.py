"""Boxes told as bins and what is left within them (S. Shi et al., PointRCNN, 2019, section 3.3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class BoxBins:
    """How a box is told, seen from a place: which bin its middle is in, in x and in y, which bin its heading is in.

    What is left within a bin, in bins from its middle, height, and the logarithm of the size against a mean one are
    told as numbers.

    Attributes:
        search_m: the middle is looked for so far to each side.
        turn_rad: the heading is looked for so far to each side; beyond a quarter turn, ahead and behind are told apart.
    """

    search_m: float
    bin_m: float
    turn_rad: float
    headings: int
    mean_size_m: tuple[float, float, float]

    @property
    def places(self) -> int:
        """Bins along an axis."""
        return max(1, round(2 * self.search_m / self.bin_m))

    @property
    def numbers(self) -> int:
        """That tell a box."""
        return sum(self._parts)

    def boxes(self, values: Tensor) -> Tensor:
        """(...,7) x, y, z, l, w, h in m, yaw in rad, as seen from the place, of values (...,numbers)."""
        x_bin, y_bin, x_left, y_left, z, turn_bin, turn_left, size = torch.split(values, self._parts, -1)
        x, y = (
            _middle(logits, left) * self._side_m - self.search_m for logits, left in ((x_bin, x_left), (y_bin, y_left))
        )
        yaw = _middle(turn_bin, turn_left) * self._side_rad - self.turn_rad
        # What is larger by far than any box is no answer of a network in its right mind.
        lwh = size.clamp(-3, 3).exp() * values.new_tensor(self.mean_size_m)
        return torch.cat([x.unsqueeze(-1), y.unsqueeze(-1), z, lwh, yaw.unsqueeze(-1)], -1)

    def losses(self, values: Tensor, truth: Tensor) -> Tensor:
        """(N,) what is wrong with values (N,numbers), given the boxes (N,>=7) as they are seen from the place.

        Cross-entropy for bins, smooth L1 for numbers. Where the truth moves, as it does when a point that sees it
        does, the loss is differentiable with respect to it, but for jumps where it changes bins.
        """
        x_bin, y_bin, x_left, y_left, z, turn_bin, turn_left, size = torch.split(values, self._parts, -1)
        placed = [
            _binned(logits, left, (at + self.search_m) / self._side_m)
            for logits, left, at in ((x_bin, x_left, truth[:, 0]), (y_bin, y_left, truth[:, 1]))
        ]
        turned = _binned(turn_bin, turn_left, (self.folded(truth[:, 6]) + self.turn_rad) / self._side_rad)
        wanted = (truth[:, 3:6] / truth.new_tensor(self.mean_size_m)).log()
        return placed[0] + placed[1] + turned + _off(z, truth[:, 2:3]).squeeze(-1) + _off(size, wanted).sum(-1)

    def folded(self, yaw: Tensor) -> Tensor:
        """Within a half turn to each side, or a quarter where ahead and behind are one."""
        period = 2 * math.pi if self.turn_rad > math.pi / 2 else math.pi
        return torch.remainder(yaw + period / 2, period) - period / 2

    @property
    def _parts(self) -> list[int]:
        n, k = self.places, self.headings
        return [n, n, n, n, 1, k, k, 3]

    @property
    def _side_m(self) -> float:
        return 2 * self.search_m / self.places

    @property
    def _side_rad(self) -> float:
        return 2 * self.turn_rad / self.headings


def _middle(logits: Tensor, left: Tensor) -> Tensor:
    """(...) in bins from the first one's beginning."""
    best = logits.argmax(-1, keepdim=True)
    return (best + 0.5 + left.gather(-1, best)).squeeze(-1)


def _binned(logits: Tensor, left: Tensor, at: Tensor) -> Tensor:
    """(N,) cost of a place `at` (N,), in bins from the first one's beginning; what is beyond is at the border."""
    at = at.clamp(0, logits.shape[-1] * (1 - 1e-6))
    wanted = at.detach().floor().long().unsqueeze(-1)
    said = left.gather(-1, wanted)
    which = functional.cross_entropy(logits, wanted.squeeze(-1), reduction="none")
    return which + _off(said, at.unsqueeze(-1) - wanted - 0.5).squeeze(-1)


def _off(said: Tensor, wanted: Tensor) -> Tensor:
    return functional.smooth_l1_loss(said, wanted, reduction="none")
