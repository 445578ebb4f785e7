"""What is said of one object, of what a network has seen of it and of where its 2D box is."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from densegt.detection.mono.config import MonoModelConfig
from densegt.detection.mono.placed import Answer
from densegt.shapes.decoder import CODE

NUMBERS = 10
# Which of them says by how much the ground is farther than the height makes it, and what share is believed at first.
FARTHER, BELIEVED = 8, 0.2


class AnswerHead(nn.Module):
    """Two layers that see the 2D box too.

    The yaws begin evenly spread, so that each hypothesis has a side of the vehicle to look for.

    Args:
        seen: how many numbers an object's picture was made into.
    """

    start: Tensor

    def __init__(self, seen: int, config: MonoModelConfig) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Linear(seen + NUMBERS + len(config.classes), config.features), nn.ReLU(inplace=True),
            nn.Dropout(config.dropout),
            nn.Linear(config.features, config.features), nn.ReLU(inplace=True), nn.Dropout(config.dropout),
        )  # fmt: skip
        self.hypotheses, self.classes = config.hypotheses, len(config.classes)
        self.last = nn.Linear(config.features + NUMBERS, 3 + CODE + 3 * config.hypotheses)
        nn.init.normal_(self.last.weight, std=0.01)
        nn.init.zeros_(self.last.bias)
        with torch.no_grad():
            self.last.weight[:, config.features :] = 0
            self.last.weight[0, config.features + FARTHER] = BELIEVED
        self.register_buffer("start", torch.arange(config.hypotheses) * (2 * math.pi / config.hypotheses))

    def answer(self, seen: Tensor, numbers: Tensor, kind: Tensor) -> Answer:
        """Of what was seen (B,seen), numbers (B,10) and classes (B,); see `MonoBatch`."""
        classes = nn.functional.one_hot(kind, self.classes).to(seen)
        hidden = self.hidden(torch.cat([seen, numbers, classes], 1))
        out = self.last(torch.cat([hidden, numbers], 1))
        place, w, rest = out.split([3, CODE, 3 * self.hypotheses], 1)
        cosine, sine, logits = rest.view(-1, 3, self.hypotheses).unbind(1)
        return Answer(place, cast(Tensor, w), self.start + torch.atan2(sine, 1 + cosine), logits)
