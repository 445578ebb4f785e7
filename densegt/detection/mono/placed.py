"""From what a network says to shapes in their view."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from densegt.detection.mono.shape_space import ShapeSpace

SAMPLES = 8
# Beyond the middle of a shape, of its length.
REACH = 0.62


class Answer(NamedTuple):
    """What the network says of B objects.

    Attributes:
        place: (B,3): logarithm of the depth by that of a mean vehicle as high as the box; how far the middle is left
            of and above the box's, in heights of the box.
        w: (B,8) code in deviations. yaw: (B,K) rad in the view; logits: (B,K).
    """

    place: Tensor
    w: Tensor
    yaw: Tensor
    logits: Tensor


class Placed(NamedTuple):
    """B shapes in their views, each with K yaws.

    Attributes:
        middle: (B,3) m of the box; yaw: (B,K); code: (B,8); size: (B,3) l, w, h m; middle_x: (B,) of the box in the
            shape frame, whose z = 0 is the ground.
    """

    middle: Tensor
    yaw: Tensor
    code: Tensor
    size: Tensor
    middle_x: Tensor

    def into_shape(self, xyz: Tensor) -> Tensor:
        """(B,K,N,3) in the shape frame of each yaw, of points (B,N,3) in the view."""
        return self.turned(xyz - self.middle[:, None]) + self._offset[:, None, None]

    def turned(self, direction: Tensor) -> Tensor:
        """(B,K,N,3) along the axes of the shape frame, of directions (B,N,3) in the view."""
        c, s = self.yaw.cos()[:, :, None], self.yaw.sin()[:, :, None]
        x, y, z = direction[:, None].unbind(-1)
        return torch.stack([c * x + s * y, c * y - s * x, z.expand(-1, c.shape[1], -1)], -1)

    def corners(self) -> Tensor:
        """(B,K,8,3) of the box, in the view."""
        signs = torch.cartesian_prod(*[self.size.new_tensor([-0.5, 0.5])] * 3)
        x, y, z = (signs * self.size[:, None])[:, None].unbind(-1)
        c, s = self.yaw.cos()[:, :, None], self.yaw.sin()[:, :, None]
        around = torch.stack([c * x - s * y, s * x + c * y, z.expand(-1, c.shape[1], -1)], -1)
        return around + self.middle[:, None, None]

    @property
    def _offset(self) -> Tensor:
        """(B,3) of the box's middle in the shape frame."""
        return torch.stack([self.middle_x, torch.zeros_like(self.middle_x), self.size[:, 2] / 2], -1)


def place(answer: Answer, kind: Tensor, box_ab: Tensor, space: ShapeSpace) -> Placed:
    """Shapes where the network says: the depth is that of the class's height in the box, times what it makes of it."""
    right, left, bottom, top = box_ab.unbind(-1)
    height = (top - bottom).clamp(min=1e-4)
    x = space.height(kind) / height * answer.place[:, 0].clamp(-3, 3).exp()
    a = (left + right) / 2 + height * answer.place[:, 1]
    b = (top + bottom) / 2 + height * answer.place[:, 2]
    size, middle_x = space.size(kind, answer.w)
    return Placed(torch.stack([x, x * a, x * b], -1), answer.yaw, space.code(kind, answer.w), size, middle_x)


def least_on_rays(space: ShapeSpace, placed: Placed, direction: Tensor) -> Tensor:
    """Least signed distance (B,K,R) m to each yaw's shape along rays (B,R,3) of length one from the view's origin.

    Its gradient is that of the distance at the place of the least, which itself does not count: the slope along the ray
    is nought there.
    """
    origin = placed.into_shape(torch.zeros_like(direction[:, :1]))  # (B,K,1,3)
    ray = placed.turned(direction)  # (B,K,R,3)
    with torch.no_grad():
        reach = REACH * placed.size[:, 0].clamp(min=1.0)
        step = 2 * reach / (SAMPLES - 1)
        share = torch.linspace(-1, 1, SAMPLES, dtype=ray.dtype, device=ray.device)
        t = (placed.middle.norm(dim=-1, keepdim=True) + reach[:, None] * share).clamp(min=0.3)  # (B,S)
        t = t[:, None, None].expand(*ray.shape[:3], -1)
        f = _along(space, placed, origin, ray, t)
        best = f.argmin(-1, keepdim=True).clamp(1, SAMPLES - 2)
        three = best + torch.arange(-1, 2, device=best.device)
        lowest = _lowest(t.gather(-1, three), f.gather(-1, three))
        for part in (0.3, 0.1):
            near = lowest + (part * step)[:, None, None, None] * torch.arange(-1, 2, device=step.device)
            lowest = _lowest(near, _along(space, placed, origin, ray, near))
    return _along(space, placed, origin, ray, lowest).squeeze(-1)


def _along(space: ShapeSpace, placed: Placed, origin: Tensor, ray: Tensor, t: Tensor) -> Tensor:
    """(B,K,R,S) distances at ranges of that shape."""
    return space.distance(placed.code, origin[..., None, :] + t.unsqueeze(-1) * ray[..., None, :])


def _lowest(t: Tensor, f: Tensor) -> Tensor:
    """(...,1) where the parabola through three values (...,3) at even steps is lowest, a step aside at most."""
    before, at, after = f.unbind(-1)
    bend = (before - 2 * at + after).clamp(min=1e-9)
    aside = ((before - after) / (2 * bend)).clamp(-1, 1)
    return (t[..., 1] + aside * (t[..., 2] - t[..., 1])).unsqueeze(-1)
