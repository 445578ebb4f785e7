"""Exact voxels of a simulated city: how much surface lies in each, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.depth.hdf5_file import read_header
from densegt.errors import InputError
from densegt.geometry import se3
from densegt.kernels.voxelise_triangles import VoxelSurface, voxelise_triangles
from densegt.occupancy.grid import VoxelGrid
from densegt.simulate.city import CityDrive, CityStreet
from densegt.simulate.config import SimulateConfig
from densegt.simulate.meshes.mesh import Mesh
from densegt.simulate.ranges import DEFAULT, read_ranges
from densegt.simulate.writer.recorder import Recorder
from densegt.simulate.writer.recording import make_recorder

Float64 = NDArray[np.float64]

# Between the places of a triangle that are looked at, voxels.
STEP = 0.1
# Shipped ranges; a world does not keep the name of its own, only what it says.
PRESETS = (DEFAULT, "city-varied", "city-kitti", "city-small")


@dataclass(frozen=True)
class ExactVoxels:
    """A moment's voxels (X,Y,Z).

    Attributes:
        area: float32, surface in each, in faces of a voxel.
        kind: uint8 codes of `densegt.depth.kind.Kind`, semantic: uint8 codes of the city's classes, of most of it.
        object_id: uint16, 0 = none; moves: bool, whether that moves during the scene.
    """

    area: NDArray[np.float32]
    kind: NDArray[np.uint8]
    semantic: NDArray[np.uint8]
    object_id: NDArray[np.uint16]
    moves: NDArray[np.bool_]


class ExactScene:
    """The world of a simulated city's scene, made anew from what its exact store says of it.

    Raises:
        InputError: the store does not say it, or is of another street.
    """

    def __init__(self, dataroot: Path, scene: str) -> None:
        path = dataroot / "exact" / f"{scene}.h5"
        self.recorder = _recorder(path, scene, read_header(path).config)
        assert isinstance(self.recorder.drive, CityDrive)
        self.world = self.recorder.drive.world

    def T_global_ego(self, timestamp_us: int) -> Float64:
        """The exact pose (4,4)."""
        return self.recorder.T_global_ego(timestamp_us)

    def T_global_grid(self, grid: VoxelGrid, timestamp_us: int) -> Float64:
        """The exact pose (4,4) of a grid at a keyframe's stamp."""
        T = self.T_global_ego(timestamp_us)
        return T if grid.frame == "ego" else T @ self.recorder.drive.rig.T_ego_lidar

    def voxels(self, grid: VoxelGrid, timestamp_us: int) -> ExactVoxels:
        """What lies in the grid of a keyframe, movers where they are at its stamp."""
        out = _nothing(grid)
        first, standing = 0, self.world.standing_mesh
        for mesh in (standing, self.world.moving_mesh(self.recorder.seconds(timestamp_us))):
            count = len(mesh.triangles)
            owner = np.arange(first, first + count, dtype=np.int32)
            voxelise_triangles(_corners(mesh, self._T_voxel_world(grid, timestamp_us)), owner, STEP, out)
            first += count
        return self._named(out)

    def mover_area(self, grid: VoxelGrid, timestamp_us: int, *, at_us: int) -> NDArray[np.float32]:
        """Surface (X,Y,Z) in faces of a voxel of all movers in the grid of a keyframe, at another time."""
        mesh, out = self.world.moving_mesh(self.recorder.seconds(at_us)), _nothing(grid)
        owner = np.zeros(len(mesh.triangles), np.int32)
        voxelise_triangles(_corners(mesh, self._T_voxel_world(grid, timestamp_us)), owner, STEP, out)
        return out.area

    def _T_voxel_world(self, grid: VoxelGrid, timestamp_us: int) -> Float64:
        return grid.T_voxel_grid @ se3.inverse(self.T_global_grid(grid, timestamp_us)) @ self.world.T_global_world

    def _named(self, surface: VoxelSurface) -> ExactVoxels:
        look, there = self.world.look, surface.owner >= 0
        of = [np.where(there, codes[surface.owner], 0) for codes in (look.kind, look.semantic, look.object_id)]
        kind, semantic, object_id = (
            codes.astype(kind) for codes, kind in zip(of, (np.uint8, np.uint8, np.uint16), strict=True)
        )
        moving = np.array([False, *(thing.moving for thing in self.world.things)])
        return ExactVoxels(surface.area, kind, semantic, object_id, moving[object_id])


def _nothing(grid: VoxelGrid) -> VoxelSurface:
    area, lead = (np.zeros(grid.shape, np.float32) for _ in range(2))
    return VoxelSurface(area, np.full(grid.shape, -1, np.int32), lead)


def _corners(mesh: Mesh, T: Float64) -> Float64:
    """Corners (T,3,3) of the triangles under a transform (4,4)."""
    return np.ascontiguousarray(se3.apply(T, mesh.vertices)[mesh.triangles])


def _recorder(path: Path, scene: str, config: Mapping[str, Any]) -> Recorder:
    if config.get("street") != "city":
        raise InputError(f"{path}: exact voxels are made of a city's meshes; simulate with --street city")
    try:
        index = int(scene.rpartition("-")[2]) - 1
        street = CityStreet(_ranges_name(path, config["ranges"]))
        return make_recorder(street, SimulateConfig(**config["simulate"]), index, path.parent.parent)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: does not say how its world was made ({error})") from None


def _ranges_name(path: Path, said: Mapping[str, Any]) -> str:
    """The shipped ranges that say the same: options are drawn in their file's order, which a store does not keep."""
    for name in PRESETS:
        ranges = read_ranges(name)
        intervals = {key: list(value) for key, value in ranges.intervals.items()}
        if intervals == said["intervals"] and {k: dict(v) for k, v in ranges.choices.items()} == said["choices"]:
            return name
    raise InputError(f"{path}: made from ranges that do not ship with densegt; exact voxels need the file")
