"""The block that the small networks here are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

FEW = 16


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut (K. He et al., 2015)."""

    def __init__(self, channels: int, out: int, stride: int = 1) -> None:
        super().__init__()
        self.first = convolution(channels, out, stride=stride)
        self.second = nn.Sequential(nn.Conv2d(out, out, 3, padding=1, bias=False), nn.BatchNorm2d(out))
        straight = stride == 1 and channels == out
        self.shortcut = (
            nn.Identity()
            if straight
            else nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N,channels,H,W) to (N,out,H/stride,W/stride)."""
        if x.device.type == "cpu" and x.shape[1] < FEW:
            # Torch's 1x1 convolution with a stride corrupts memory there where so few channels are last.
            x = x.contiguous()
        return functional.relu(self.second(self.first(x)) + self.shortcut(x))


def convolution(channels: int, out: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)
    )


def stage(channels: int, out: int, blocks: int, stride: int) -> nn.Sequential:
    """Residual blocks, the first of which strides."""
    return nn.Sequential(Residual(channels, out, stride), *(Residual(out, out) for _ in range(blocks - 1)))


class Merge(nn.Module):
    """A coarse map brought to a fine one's size, beside it, then a convolution over both."""

    def __init__(self, fine: int, coarse: int, out: int) -> None:
        super().__init__()
        self.mix = convolution(fine + coarse, out)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """(N,out,H,W) of the fine map's size."""
        size = fine.shape[-2:]
        wide = functional.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
        mixed: Tensor = self.mix(torch.cat([fine, wide], 1))
        return mixed
