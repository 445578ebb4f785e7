"""Points and boxes as a box sees them: from its middle, along its heading."""

from __future__ import annotations

import torch
from torch import Tensor


def points_in_frame(xyz: Tensor, boxes: Tensor) -> Tensor:
    """(P,K,3) in ref to the frames of boxes (P,7)."""
    return torch.cat(
        [_turned(xyz[..., :2] - boxes[:, None, :2], -boxes[:, None, 6]), xyz[..., 2:] - boxes[:, None, 2:3]], -1
    )


def boxes_in_frame(boxes: Tensor, frames: Tensor) -> Tensor:
    """Boxes (P,>=7) in ref to the frames of boxes (P,7), one of each."""
    xy = _turned(boxes[:, :2] - frames[:, :2], -frames[:, 6])
    return torch.cat([xy, boxes[:, 2:3] - frames[:, 2:3], boxes[:, 3:6], boxes[:, 6:7] - frames[:, 6:7]], -1)


def boxes_in_ref(boxes: Tensor, frames: Tensor) -> Tensor:
    """The way back: boxes (P,7) in the frames of boxes (P,7), to ref."""
    xy = _turned(boxes[:, :2], frames[:, 6]) + frames[:, :2]
    return torch.cat([xy, boxes[:, 2:3] + frames[:, 2:3], boxes[:, 3:6], boxes[:, 6:7] + frames[:, 6:7]], -1)


def _turned(xy: Tensor, yaw: Tensor) -> Tensor:
    c, s = yaw.cos(), yaw.sin()
    return torch.stack([c * xy[..., 0] - s * xy[..., 1], s * xy[..., 0] + c * xy[..., 1]], -1)
