"""From image features to logits over depth bins and to what is laid down on the ground plane."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from densegt.detection.bev.residual import Residual, convolution

# What a camera is told of itself: two rows of K and three of T_ref_cam.
CAMERA_NUMBERS = 18


class DepthNet(nn.Module):
    """One 1x1 convolution for both (J. Philion, S. Fidler, Lift, Splat, Shoot, 2020)."""

    def __init__(self, channels: int, bins: int, context: int) -> None:
        super().__init__()
        self.split = [bins, context]
        self.head = nn.Conv2d(channels, bins + context, 1)

    def forward(self, features: Tensor, camera: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N,bins,h,w) and context (N,context,h,w); the camera is not looked at."""
        logits, context = self.head(features).split(self.split, 1)
        return logits, context


class CameraAwareDepthNet(nn.Module):
    """Depth that knows its camera: gates from intrinsics, extrinsics and augmentation (Y. Li et al., BEVDepth, 2022).

    After the paper's figure: a camera's numbers go through batch norm and two multilayer perceptrons, one gating what
    becomes context and one what becomes depth, which then passes three residual blocks and an atrous pyramid. BEVDepth
    has a deformable convolution after that; here is none.
    """

    def __init__(self, channels: int, bins: int, context: int, *, width: int) -> None:
        super().__init__()
        self.reduce = convolution(channels, width)
        self.norm = nn.BatchNorm1d(CAMERA_NUMBERS)
        self.gate_depth, self.gate_context = Gate(width), Gate(width)
        self.context = nn.Conv2d(width, context, 1)
        blocks = [Residual(width, width) for _ in range(3)]
        self.depth = nn.Sequential(*blocks, Pyramid(width), nn.Conv2d(width, bins, 1))

    def forward(self, features: Tensor, camera: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N,bins,h,w) and context (N,context,h,w); camera (N,18) of `camera_numbers`."""
        x, known = self.reduce(features), self.norm(camera)
        return self.depth(self.gate_depth(x, known)), self.context(self.gate_context(x, known))


class Gate(nn.Module):
    """Squeeze-and-excite whose excitation comes from the camera's numbers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.perceptron = nn.Sequential(
            nn.Linear(CAMERA_NUMBERS, width), nn.ReLU(inplace=True), nn.Linear(width, width), nn.ReLU(inplace=True),
            nn.Linear(width, width), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x: Tensor, camera: Tensor) -> Tensor:
        """(N,width,h,w), each channel more or less of it."""
        gate: Tensor = self.perceptron(camera)
        return x * gate[..., None, None]


class Pyramid(nn.Module):
    """Convolutions that look 1, 6, 12 and 18 cells wide and at the whole map (L. Chen et al., DeepLab v3, 2017)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.looks = nn.ModuleList(
            [nn.Conv2d(width, width, 1), *(nn.Conv2d(width, width, 3, padding=d, dilation=d) for d in (6, 12, 18))]
        )
        self.whole = nn.Conv2d(width, width, 1)
        self.mix = convolution(5 * width, width, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N,width,h,w) to the same."""
        whole = self.whole(x.mean((2, 3), keepdim=True)).expand_as(x)
        mixed: Tensor = self.mix(torch.cat([*(look(x).relu() for look in self.looks), whole.relu()], 1))
        return mixed


def camera_numbers(K: Tensor, T_ref_cam: Tensor, size_px: tuple[int, int]) -> Tensor:
    """(N,18) float32 of cameras (...,3,3) and (...,4,4): K in shares of the input's size, then T_ref_cam in m.

    All augmentation of images and of the ground plane is in them.
    """
    size = K.new_tensor([size_px[1], size_px[0]])
    shares = (K[..., :2, :] / size[:, None]).flatten(-2).flatten(0, -2)
    return torch.cat([shares, T_ref_cam[..., :3, :].flatten(-2).flatten(0, -2)], -1).float()
