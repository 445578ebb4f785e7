"""Task-guided global positive loss: cells where the float network sees something must say the same at eight bits.

After LiDAR-PTQ (S. Zhou et al., 2024). Every cell is asked too, or what is empty would begin to say things.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

# A cell is positive when its likeliest class is likelier than this; of more than so many the likeliest are taken.
LIKELY, MOST = 0.1, 500


class Said(NamedTuple):
    """Logits of heat (B,classes,Y,X), and what is regressed there (B,R,Y,X)."""

    heat: Tensor
    values: Tensor


def positive_cells(heat: Tensor) -> Tensor:
    """(B,Y,X) bool, of logits (B,classes,Y,X)."""
    best = heat.sigmoid().amax(1).flatten(1)
    least = best.topk(min(MOST, best.shape[1]), 1).values[:, -1:]
    return ((best > LIKELY) & (best >= least)).view(len(heat), *heat.shape[2:])


def positive_loss(said: Said, wanted: Said) -> Tensor:
    """Mean cross-entropy of heat and mean distance of values on positive cells; 0 where there is none."""
    cells = positive_cells(wanted.heat)
    count = cells.sum().clamp(min=1)
    heat = functional.binary_cross_entropy_with_logits(said.heat, wanted.heat.sigmoid(), reduction="none")
    off = (said.values - wanted.values).abs().mean(1)
    return ((heat.mean(1) + off) * cells).sum() / count


def everywhere_loss(said: Said, wanted: Said) -> Tensor:
    """Mean cross-entropy of heat over all cells."""
    return functional.binary_cross_entropy_with_logits(said.heat, torch.sigmoid(wanted.heat))
