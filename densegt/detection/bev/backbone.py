"""From images to features: a small residual network, or any backbone that Hugging Face's transformers knows by name."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from densegt.detection.bev.residual import Merge, convolution, stage
from densegt.errors import InputError
from densegt.install_hint import install_command

SMALL = "small"
# ImageNet's, which every public backbone was trained with.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Backbone(nn.Module):
    """Images (N,3,H,W), 0 to 1, to features (N,channels,H/stride,W/stride), of that stride and the next coarser one.

    Args:
        name: `small`; or a folder or repository that transformers' AutoBackbone opens, such as `microsoft/resnet-50`;
            or, without weights, a type of model in its default size, such as `resnet` (which is ResNet-50).
        pretrained: take the weights of a named one, else begin with none.
        widths: of the small one at strides 2, 4, 8, ...
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, name: str, channels: int, *, stride: int, widths: tuple[int, ...] = (), pretrained: bool = False
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(-1, 1, 1), persistent=False)
        self.trunk: nn.Module = SmallTrunk(widths, stride) if name == SMALL else NamedTrunk(name, stride, pretrained)
        fine, coarse = self.trunk.channels
        self.neck = Merge(int(fine), int(coarse), channels)

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        fine, coarse = self.trunk((images - self.mean) / self.std)
        features: Tensor = self.neck(fine, coarse)
        return features


class SmallTrunk(nn.Module):
    """One residual block a stride of two; the last two strides are given."""

    def __init__(self, widths: tuple[int, ...], stride: int) -> None:
        super().__init__()
        wanted = stride.bit_length()
        if len(widths) != wanted:
            raise InputError(f"stride {stride} needs {wanted} backbone widths, for strides 2 to {2 * stride}; {widths}")
        self.channels = widths[-2:]
        self.stem = convolution(3, widths[0], kernel=5, stride=2)
        self.stages = nn.ModuleList(stage(before, after, 1, 2) for before, after in pairwise(widths))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N,3,H,W) to the maps of the two coarsest strides, finer first."""
        x = self.stem(x)
        fine = x
        for each in self.stages:
            fine, x = x, each(x)
        return fine, x


class NamedTrunk(nn.Module):
    """A backbone of transformers.

    Raises:
        InputError: transformers is not installed, or knows no such backbone.
    """

    def __init__(self, name: str, stride: int, pretrained: bool) -> None:
        super().__init__()
        # Its stages have strides 4, 8, 16, 32.
        level = stride.bit_length() - 2
        try:
            from transformers import CONFIG_MAPPING, AutoBackbone, AutoConfig
        except ImportError as error:
            raise InputError(f"backbone {name}: {error}; {install_command('foundation')}") from None
        options: dict[str, Any] = {"out_indices": [level, level + 1]}
        try:
            if pretrained:
                self.net = AutoBackbone.from_pretrained(name, **options)  # type: ignore[no-untyped-call]
            else:
                found = AutoConfig.for_model if name in CONFIG_MAPPING else AutoConfig.from_pretrained
                self.net = AutoBackbone.from_config(found(name, **options))  # type: ignore[no-untyped-call]
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"backbone {name}: {str(error).splitlines()[0]}") from None
        self.channels = tuple(self.net.channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N,3,H,W) to two maps, finer first."""
        fine, coarse = self.net(x).feature_maps
        return fine, coarse
