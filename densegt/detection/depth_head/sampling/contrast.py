"""Where an image changes: what tells a sampler that a cell may hold an edge."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def contrast(images: Tensor, *, stride: int) -> Tensor:
    """The largest gradient among the pixels of each cell of the feature map, without a gradient of its own.

    Args:
        images: (N,3,H,W), H and W multiples of stride; of any scale.

    Returns:
        (N,1,h,w) in [0, 1]: relative to the largest one of its image, 0 everywhere where an image is all of one colour.
    """
    grey = images.detach().float().mean(1, keepdim=True)
    wide = functional.pad(grey, (1, 1, 1, 1), mode="replicate")
    across = (wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]) / 2
    down = (wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]) / 2
    cells = functional.max_pool2d((across.square() + down.square()).sqrt(), stride)
    most = cells.amax((1, 2, 3), keepdim=True)
    return cells / most.clamp(min=1e-12)
