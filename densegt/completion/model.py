"""The completion network: a small U-shaped encoder and decoder corrects the classical guess, then propagates it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from densegt.completion.features import ALTERNATIVES, CHANNELS, SIDES
from densegt.completion.propagation import normalised, propagate

# Log-odds that the network starts from: of sky, by what the classical method says; of a measurement being wrong.
SKY_ODDS = 4.0
WRONG_ODDS = -5.0
# (dilation, steps): from far to near.
PROPAGATION = ((4, 3), (1, 3))


@dataclass(frozen=True)
class Shape:
    """How large the network is.

    Attributes:
        widths: channels at 1/1, 1/2, 1/4, ...; each halves both sides.
        blocks: residual blocks at each.
    """

    widths: tuple[int, ...] = (16, 32, 64, 96, 128)
    blocks: tuple[int, ...] = (0, 1, 1, 1, 2)

    @property
    def stride(self) -> int:
        """Images are padded to a multiple of this."""
        return 1 << (len(self.widths) - 1)


class Answer(NamedTuple):
    """(B,1,H,W) each: depth is the guess times exp(log_change), its uncertainty that of the guess times exp(log_scale);
    log-odds of sky and of a measured pixel being wrong."""

    log_change: Tensor
    log_scale: Tensor
    sky: Tensor
    wrong: Tensor


class CompletionNet(nn.Module):
    """Corrects a guess. As built it corrects nothing: the last layer is zero."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        widths = shape.widths
        self.stem = nn.Conv2d(CHANNELS, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 3, stride=2, padding=1) for fine, coarse in pairwise(widths))
        self.encode = nn.ModuleList(
            nn.Sequential(*(Block(width) for _ in range(count)))
            for width, count in zip(widths, shape.blocks, strict=True)
        )
        self.up = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(widths))
        self.decode = nn.ModuleList(Block(width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], 4 + SIDES + 8 * len(PROPAGATION), 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, channels: Tensor, log_guess: Tensor, sky: Tensor, known: Tensor) -> Answer:
        """channels (B,CHANNELS,H,W), the others (B,1,H,W); H and W multiples of the stride."""
        out: Tensor = self.head(self._trunk(channels))
        change, log_scale, sky_odds, wrong = out[:, :4].chunk(4, dim=1)
        wrong = wrong + WRONG_ODDS
        # Sound measurements hold their place while the others move.
        trust = known * torch.sigmoid(-wrong)
        # Part of the way to what is measured on each side, and what else the image tells.
        shares, *affinities = torch.split(out[:, 4:], [SIDES, *[8] * len(PROPAGATION)], dim=1)
        change = change + (normalised(shares) * channels[:, ALTERNATIVES]).sum(1, keepdim=True)
        value = log_guess + (1 - trust) * change
        for affinity, (dilation, steps) in zip(map(normalised, affinities), PROPAGATION, strict=True):
            value = propagate(value, affinity, log_guess, trust, dilation=dilation, steps=steps)
        return Answer(value - log_guess, log_scale, sky_odds + SKY_ODDS * (2 * sky - 1), wrong)

    def _trunk(self, channels: Tensor) -> Tensor:
        feature: Tensor = self.encode[0](functional.relu(self.stem(channels)))
        skips = []
        for down, encode in zip(self.down, list(self.encode)[1:], strict=True):
            skips.append(feature)
            feature = encode(functional.relu(down(feature)))
        for up, decode in zip(reversed(self.up), reversed(self.decode), strict=True):
            # The 1x1 first: it is cheaper on the coarse map and commutes with repeating pixels.
            feature = decode(skips.pop() + functional.interpolate(up(feature), scale_factor=2, mode="nearest"))
        return feature


def answer(net: CompletionNet, channels: Tensor, guess_m: Tensor, sky: Tensor, known: Tensor) -> Answer:
    """The network on images (B,.,H,W) of any size: padded to its stride, and cut again."""
    height, width = guess_m.shape[-2:]
    stride = net.shape.stride
    pad = (0, -width % stride, 0, -height % stride)
    wide = (functional.pad(part, pad, mode="replicate") for part in (channels, guess_m.log(), sky, known))
    found: Answer = net(*wide)
    return Answer(*(part[..., :height, :width].float() for part in found))


class Block(nn.Module):
    """Two 3x3 convolutions beside the identity. No normalisation: its statistics would tell tiles from wholes."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, feature: Tensor) -> Tensor:
        """(B,width,H,W) to the same."""
        return functional.relu(feature + self.second(functional.relu(self.first(feature))))
