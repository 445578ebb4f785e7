"""Objects whose shape and place are known, and what a camera would see of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from densegt.detection.mono.config import FAMILIES_OF, MonoConfig
from densegt.detection.mono.placed import Placed
from densegt.detection.mono.shape_space import ShapeSpace
from densegt.shapes.prior import ShapePrior
from densegt.shapes.rays import range_on_rays
from densegt.shapes.weights import PRIOR


def space(kind: torch.dtype = torch.float64) -> ShapeSpace:
    """Cars, as shipped."""
    out = ShapeSpace(1)
    out.fill(ShapePrior.load(PRIOR), [FAMILIES_OF["car"]])
    return out.to(kind)


def placed(shapes: ShapeSpace, *, yaws: int = 1, w: Tensor | None = None, count: int = 2) -> Placed:
    """Cars ahead, 12 m and more away, one beside the other."""
    dtype = shapes.mean.dtype
    kind = torch.zeros(count, dtype=torch.long)
    w = torch.zeros(count, 8, dtype=dtype) if w is None else w
    size, middle_x = shapes.size(kind, w)
    middle = torch.tensor([[12.0 + 3 * i, 0.4 * i, -0.7] for i in range(count)], dtype=dtype)
    yaw = torch.tensor([[0.5 + i + k * 1.5 for k in range(yaws)] for i in range(count)], dtype=dtype)
    return Placed(middle, yaw, shapes.code(kind, w), size, middle_x)


def seen_by_rays(shapes: ShapeSpace, at: Placed, directions: Tensor) -> Tensor:
    """(B,R) ranges at which rays (B,R,3) meet the first yaw's shape, infinite where they miss."""
    origin = at.into_shape(torch.zeros_like(directions[:, :1]))[:, 0, 0]
    ray = at.turned(directions)[:, 0]
    rows = [
        range_on_rays(shapes.decoder, at.code[i], origin[i].expand(ray.shape[1], -1), ray[i], (6.0, 30.0))
        for i in range(len(origin))
    ]
    return torch.stack(rows)


def fan(at: Placed, count: int, seed: int = 0) -> Tensor:
    """(B,count,3) directions towards and around shapes."""
    rng = np.random.default_rng(seed)
    spread = torch.from_numpy(rng.uniform([-2.8, -2.8, -1.4], [2.8, 2.8, 1.4], (len(at.middle), count, 3)))
    return torch.nn.functional.normalize(at.middle[:, None] + spread.to(at.middle), dim=-1)


def config(**changes) -> MonoConfig:
    """Of a training that is over at once."""
    return MonoConfig.model_validate({"supervision": "dense", "threads": 1, "loader_processes": 0, **changes})
