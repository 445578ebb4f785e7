"""A dense cloud made as sparse as a spinning lidar's: in each direction that it looks, only what is nearest.

The choice of points is not differentiable; it is kept as indices, through which gradients flow to the points chosen
(R. Qian et al., End-to-End Pseudo-LiDAR, 2020, section 3.2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from densegt.detection.points.pseudo_lidar.points import PointBatch


@dataclass(frozen=True)
class BeamPattern:
    """The directions in which a spinning lidar looks.

    Attributes:
        beams: from min_elevation_deg to max_elevation_deg, evenly.
        columns: directions of a full turn, as seen from above.
        min_range_m, max_range_m: nothing nearer or farther is seen.
        height_m: of the sensor over ref's origin; from there angles and ranges are counted.
    """

    beams: int = 32
    columns: int = 1080
    min_elevation_deg: float = -30.67
    max_elevation_deg: float = 10.67
    min_range_m: float = 1.0
    max_range_m: float = 100.0
    height_m: float = 1.84


@torch.no_grad()
def nearest_per_beam(points: PointBatch, spin: BeamPattern) -> Tensor:
    """Places (K,), rising, of the points that are nearest in their angular bin; of equally near ones the first."""
    direction, range_m = beam_of(points.xyz_ref, spin)
    seen = (direction >= 0).nonzero().squeeze(1)
    bins = spin.beams * spin.columns
    ray = points.sample[seen] * bins + direction[seen]
    rays = points.samples * bins
    least = range_m.new_full((rays,), math.inf).scatter_reduce_(0, ray, range_m[seen], "amin")
    wins = range_m[seen] == least[ray]
    nobody = len(range_m)
    first = seen.new_full((rays,), nobody).scatter_reduce_(0, ray[wins], seen[wins], "amin")
    return first[first < nobody].sort().values


def beam_of(xyz_ref: Tensor, spin: BeamPattern) -> tuple[Tensor, Tensor]:
    """Angular bin (M,) of points (M,3), -1 where the lidar does not look, and their range in m."""
    x, y, z = xyz_ref.double().unbind(-1)
    z = z - spin.height_m
    level_m = torch.hypot(x, y)
    range_m = torch.hypot(level_m, z)
    low, high = math.radians(spin.min_elevation_deg), math.radians(spin.max_elevation_deg)
    beam = torch.floor((torch.atan2(z, level_m) - low) / (high - low) * spin.beams)
    column = torch.floor((torch.atan2(y, x) / (2 * math.pi) + 0.5) * spin.columns).clamp(max=spin.columns - 1)
    seen = (beam >= 0) & (beam < spin.beams) & (range_m >= spin.min_range_m) & (range_m <= spin.max_range_m)
    return torch.where(seen, beam * spin.columns + column, -1).long(), range_m
