"""A network that finds objects in whole images and says of each what is where in 3D."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from densegt.detection.bev.heads import RARE
from densegt.detection.bev.pyramid import Pyramid
from densegt.detection.bev.residual import convolution
from densegt.detection.mono.answer_head import AnswerHead
from densegt.detection.mono.config import MonoModelConfig
from densegt.detection.mono.placed import Answer

# Pixels to a cell.
STRIDE = 4


class ImageMaps(NamedTuple):
    """Of B images: logits of heat (B,classes,h,w), edges (B,4,h,w), see `edges_of`, and features (B,C,h,w)."""

    heat: Tensor
    edges: Tensor
    features: Tensor


class ImageNet(nn.Module):
    """A residual pyramid of stride 4, ResNet-34's stages by default, and heads as CenterNet's (X. Zhou et al., 2019).

    What it says of an object is read from the features at its centre, together with the numbers that a network on
    crops is given, in the object's own level view.
    """

    def __init__(self, config: MonoModelConfig) -> None:
        super().__init__()
        how = config.image
        self.stem = nn.Sequential(convolution(3, how.widths[0], kernel=7, stride=2), nn.MaxPool2d(3, 2, 1))
        self.pyramid = Pyramid(how.widths[0], how.channels, widths=how.widths, blocks=how.blocks)
        self.heat, self.edges = (
            nn.Sequential(convolution(how.channels, how.channels), nn.Conv2d(how.channels, out, 1))
            for out in (len(config.classes), 4)
        )
        rare = self.heat[-1].bias
        assert isinstance(rare, Tensor)
        nn.init.constant_(rare, torch.logit(torch.tensor(RARE, device="cpu")).item())
        self.head = AnswerHead(how.channels, config)

    def forward(self, images: Tensor) -> ImageMaps:
        """Of images (B,3,H,W) uint8, whose sides are multiples of 4."""
        features = self.pyramid(self.stem(images.float() / 127.5 - 1))
        return ImageMaps(self.heat(features), self.edges(features), features)

    def answer(self, maps: ImageMaps, of: Tensor, cell: Tensor, numbers: Tensor, kind: Tensor) -> Answer:
        """Of M objects in images (M,) at cells (M,), counted row times w plus column; see `MonoBatch` for the rest."""
        return self.head.answer(maps.features.flatten(2)[of, :, cell], numbers, kind)
