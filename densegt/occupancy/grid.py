"""Voxel grids: those of the public benchmarks by name, or one of one's own from a YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from densegt.configuration import read_yaml, validated
from densegt.errors import InputError
from densegt.strict_yaml import shortened

Float64 = NDArray[np.float64]
# More voxels than this fill the memory of one process.
MAX_VOXELS = 1 << 26


@dataclass(frozen=True)
class VoxelGrid:
    """A box of cubic voxels in the frame of a keyframe's ego or main lidar.

    Attributes:
        low_m: its lowest corner.
        shape: how many voxels along x, y, z.
    """

    name: str
    frame: Literal["ego", "lidar"]
    low_m: tuple[float, float, float]
    voxel_m: float
    shape: tuple[int, int, int]

    @property
    def high_m(self) -> tuple[float, float, float]:
        """Its highest corner."""
        x, y, z = (low + self.voxel_m * n for low, n in zip(self.low_m, self.shape, strict=True))
        return x, y, z

    @property
    def T_voxel_grid(self) -> Float64:
        """(4,4) from m in the grid's frame to voxels: voxel (i,j,k) is i to i + 1 and so on."""
        T = np.eye(4)
        T[:3, :3] /= self.voxel_m
        T[:3, 3] = -np.array(self.low_m) / self.voxel_m
        return T

    @property
    def centres_m(self) -> Float64:
        """(X,Y,Z,3) in the grid's frame."""
        axes = [low + self.voxel_m * (np.arange(n) + 0.5) for low, n in zip(self.low_m, self.shape, strict=True)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)

    def described(self) -> dict[str, Any]:
        """What a file says of it."""
        return {
            "name": self.name,
            "frame": self.frame,
            "range_m": [round(value, 9) for value in (*self.low_m, *self.high_m)],
            "voxel_m": self.voxel_m,
            "shape": list(self.shape),
        }


GRIDS = {
    "occ3d": VoxelGrid("occ3d", "ego", (-40.0, -40.0, -1.0), 0.4, (200, 200, 16)),
    "surroundocc": VoxelGrid("surroundocc", "lidar", (-50.0, -50.0, -5.0), 0.5, (200, 200, 16)),
    "openoccupancy": VoxelGrid("openoccupancy", "lidar", (-51.2, -51.2, -5.0), 0.2, (512, 512, 40)),
}


class GridFile(BaseModel):
    """What a grid's file holds.

    Attributes:
        range_m: x, y, z of the lowest corner, then of the highest, in the frame.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    frame: Literal["ego", "lidar"] = "ego"
    range_m: tuple[float, float, float, float, float, float]
    voxel_m: float = Field(gt=0)


def open_grid(name: str) -> VoxelGrid:
    """A grid by its name, or from a YAML file of `frame`, `range_m` and `voxel_m`.

    Raises:
        InputError: there is no such grid or file, or it is none.
    """
    if name in GRIDS:
        return GRIDS[name]
    if not Path(name).is_file():
        raise InputError(f"{name[:300]}: neither a file nor the name of a grid; known grids are {', '.join(GRIDS)}")
    return _grid(name, read_yaml(name))


def grid_of(described: dict[str, Any]) -> VoxelGrid:
    """The grid that a file describes; ValueError, TypeError or KeyError where it is none."""
    low, shape = tuple(map(float, described["range_m"][:3])), tuple(map(int, described["shape"]))
    frame = described["frame"]
    if len(low) != 3 or len(shape) != 3 or frame not in ("ego", "lidar") or not 0 < np.prod(shape) <= MAX_VOXELS:
        raise ValueError(f"no grid: {shortened(described)}")
    return VoxelGrid(str(described["name"]), frame, low, float(described["voxel_m"]), shape)


def _grid(name: str, values: dict[str, Any]) -> VoxelGrid:
    read = validated(GridFile, values, name)
    low, high = np.array(read.range_m[:3]), np.array(read.range_m[3:])
    counts = (high - low) / read.voxel_m
    if not (np.isfinite(counts).all() and (counts > 0.5).all() and np.abs(counts - np.rint(counts)).max() < 1e-6):
        raise InputError(f"{name}: range_m is not a whole number of voxels of {read.voxel_m} m along each axis")
    if np.prod(counts) > MAX_VOXELS:
        raise InputError(f"{name}: {' x '.join(f'{n:.0f}' for n in counts)} voxels; {MAX_VOXELS} are the most")
    x, y, z = np.rint(counts).astype(int).tolist()
    return VoxelGrid(name, read.frame, read.range_m[:3], read.voxel_m, (x, y, z))
