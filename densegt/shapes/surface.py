"""The surface of a code: points of a grid moved along the gradient until the distance is nought."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from densegt.shapes.decoder import ShapeDecoder

Float64 = NDArray[np.float64]

STEPS = 5
ON_M = 0.006


def project(decoder: ShapeDecoder, code: Tensor, xyz: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Points (N,3) moved onto the zero level, their normals (N,3) and what distance is left (N,), m."""
    code = code.expand(len(xyz), -1)
    for _ in range(STEPS):
        xyz = xyz.detach().requires_grad_(True)
        f = decoder(code, xyz)
        (slope,) = torch.autograd.grad(f.sum(), xyz)
        xyz = xyz - f[:, None] * slope / slope.square().sum(-1, keepdim=True).clamp(min=0.25)
    with torch.no_grad():
        left = decoder(code, xyz)
    return xyz.detach(), torch.nn.functional.normalize(slope, dim=-1), left


def surface_points(decoder: ShapeDecoder, code: Float64, size_lwh_m: Float64, count: int) -> Float64:
    """About `count` points (N,3) of the surface, m, spread over it; the same for equal arguments.

    Args:
        size_lwh_m: (3,) about the size of the shape.
    """
    rng = np.random.default_rng(0)
    half = np.array([*size_lwh_m[:2] / 2, size_lwh_m[2] / 2])
    on_box = rng.uniform(-1, 1, (count, 3))
    # On the sides of a box a little larger than the shape: the bottom is of no use.
    side = rng.choice(5, count, p=[0.3, 0.3, 0.12, 0.12, 0.16])
    axis, sign = np.array([1, 1, 0, 0, 2])[side], np.array([1, -1, 1, -1, 1])[side]
    on_box[np.arange(count), axis] = sign
    xyz = torch.from_numpy(on_box * half + [0, 0, half[2]]).float()
    found, _, left = project(decoder, torch.from_numpy(code).float(), xyz)
    return found[left.abs() < ON_M].double().numpy()


def extent(decoder: ShapeDecoder, code: Float64, about_lwh_m: Float64) -> tuple[Float64, float]:
    """Size (3,) m of the shape, from the ground up, and the x of its middle.

    Found as the farthest points that are not outside, along lines through the body.

    Args:
        about_lwh_m: (3,) roughly its size.
    """
    length, width, height = about_lwh_m
    t = np.linspace(0.3, 1.6, 66)
    ends = []
    for axis, sign in ((0, 1), (0, -1), (1, 1), (2, 1)):
        others = [k for k in range(3) if k != axis]
        half = {0: length / 2, 1: width / 2, 2: height}
        cross = {
            0: np.linspace(-0.35, 0.35, 5) * length,
            1: np.linspace(0.0, 0.35, 3) * width,
            2: np.linspace(0.2, 0.9, 8) * height,
        }
        a, b, along = np.meshgrid(cross[others[0]], cross[others[1]], t * half[axis], indexing="ij")
        places = np.empty((*a.shape, 3))
        places[..., others[0]], places[..., others[1]], places[..., axis] = a, b, sign * along
        flat = torch.from_numpy(places.reshape(-1, 3)).float()
        with torch.no_grad():
            f = decoder(torch.from_numpy(code).float().expand(len(flat), -1), flat).numpy().reshape(a.shape)
        inside = f <= 0
        ends.append(_crossing(f, along, inside))
    front, back, half_width, top = ends
    return np.array([front + back, 2 * half_width, top]), (front - back) / 2


def _crossing(f: Float64, along: Float64, inside: NDArray[np.bool_]) -> float:
    """The farthest place along the lines at which the shape ends, between samples."""
    far = np.where(inside, along, -np.inf)
    line, k = np.unravel_index(int(far.reshape(-1, far.shape[-1]).argmax()), (far[..., 0].size, far.shape[-1]))
    f, along = f.reshape(-1, far.shape[-1])[line], along.reshape(-1, far.shape[-1])[line]
    if k + 1 >= len(f) or not inside.any():
        return float(along[k])
    return float(along[k] + (along[k + 1] - along[k]) * -f[k] / (f[k + 1] - f[k] + 1e-9))
