"""A small network that looks at one object at a time."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from densegt.detection.mono.answer_head import AnswerHead
from densegt.detection.mono.config import MonoModelConfig
from densegt.detection.mono.placed import Answer


class CropNet(AnswerHead):
    """Convolutions with stride 2 over the crop, and an answer of all that they give."""

    def __init__(self, config: MonoModelConfig) -> None:
        channels = [3, *config.widths]
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [
                nn.Conv2d(before, after, 3, 2, 1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
        side = config.crop_px
        for _ in config.widths:
            side = (side + 1) // 2
        super().__init__(channels[-1] * side * side, config)
        self.trunk = nn.Sequential(*layers)

    def forward(self, image: Tensor, numbers: Tensor, kind: Tensor) -> Answer:
        """Of crops (B,3,S,S) uint8, numbers (B,10) and classes (B,); see `MonoBatch`."""
        return self.answer(self.trunk(image.float() / 127.5 - 1).flatten(1), numbers, kind)
