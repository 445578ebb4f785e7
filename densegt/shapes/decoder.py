"""The decoder of shape codes: a small network whose zero level is the surface of a vehicle."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CODE, WIDTH = 8, 96
# Lengths are divided by this, so that the network's numbers are about one; size lives in the code.
UNIT_M = 2.0


class ShapeDecoder(nn.Module):
    """Signed distance in metres of points in the shape frame, for a code: x ahead, |y|, z up from the ground.

    It sees |y| alone, so every shape is symmetric (J. Park et al., DeepSDF, 2019, in metres and of half a vehicle).
    """

    def __init__(self) -> None:
        super().__init__()
        given = CODE + 3
        self.first = nn.ModuleList([nn.Linear(given, WIDTH), nn.Linear(WIDTH, WIDTH)])
        self.second = nn.ModuleList([nn.Linear(WIDTH + given, WIDTH), nn.Linear(WIDTH, WIDTH)])
        self.last = nn.Linear(WIDTH, 1)
        self.activation = nn.Softplus(beta=100)

    def forward(self, code: Tensor, xyz: Tensor) -> Tensor:
        """(...,) m of codes (...,8) and points (...,3) m of the same leading shape."""
        x, y, z = (xyz / UNIT_M).unbind(-1)
        # A kink at y = 0 would stand in the surface as a ridge.
        given = torch.cat([code, torch.stack([x, (y * y + 1e-4).sqrt(), z], -1)], -1)
        hidden = given
        for layer in self.first:
            hidden = self.activation(layer(hidden))
        hidden = torch.cat([hidden, given], -1)
        for layer in self.second:
            hidden = self.activation(layer(hidden))
        out: Tensor = self.last(hidden).squeeze(-1) * UNIT_M
        return out
