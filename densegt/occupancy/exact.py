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
from densegt.motion_net.classes import class_of_category, class_of_simulated
from densegt.occupancy.classes import code_of_index
from densegt.occupancy.grid import VoxelGrid
from densegt.simulate.city import CityDrive, CityStreet
from densegt.simulate.config import SimulateConfig
from densegt.simulate.meshes.mesh import Mesh
from densegt.simulate.meshes.semantic import Semantic
from densegt.simulate.ranges import DEFAULT, read_ranges
from densegt.simulate.writer.recorder import Recorder
from densegt.simulate.writer.recording import make_recorder

Float64 = NDArray[np.float64]

# Between the places of a triangle that are looked at, voxels.
STEP = 0.1
# Half the time over which a velocity is taken.
HALF_S = 0.01
# Shipped ranges; a world does not keep the name of its own, only what it says.
PRESETS = (DEFAULT, "city-varied", "city-kitti", "city-small")


@dataclass(frozen=True)
class ExactVoxels:
    """A moment's voxels (X,Y,Z).

    Attributes:
        area: float32, surface in each, in faces of a voxel.
        kind: uint8 codes of `densegt.depth.kind.Kind`, semantic: uint8 codes of the city's classes, of most of it.
        code: uint8 codes of `densegt.occupancy.classes.NAMES`, an object's being that of its category.
        object_id: uint16, 0 = none; moves: bool, whether that moves during the scene.
        flow_mps: (X,Y,Z,3) float32 in the grid's frame, how fast what moves does so over the ground.
    """

    area: NDArray[np.float32]
    kind: NDArray[np.uint8]
    semantic: NDArray[np.uint8]
    code: NDArray[np.uint8]
    object_id: NDArray[np.uint16]
    moves: NDArray[np.bool_]
    flow_mps: NDArray[np.float32]


class ExactScene:
    """The world of a simulated city's scene, made anew from what its exact store says of it.

    Raises:
        InputError: the store does not say it, is of another street, or was written by a densegt that made other worlds.
    """

    def __init__(self, dataroot: Path, scene: str) -> None:
        path = dataroot / "exact" / f"{scene}.h5"
        self.recorder = _recorder(path, scene, read_header(path).config)
        _check_same(self.recorder, dataroot / "exact" / "objects" / f"{scene}.npz")
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
        return self._named(out, grid, timestamp_us)

    def mover_area(self, grid: VoxelGrid, timestamp_us: int, *, at_us: int) -> NDArray[np.float32]:
        """Surface (X,Y,Z) in faces of a voxel of all movers in the grid of a keyframe, at another time."""
        mesh, out = self.world.moving_mesh(self.recorder.seconds(at_us)), _nothing(grid)
        owner = np.zeros(len(mesh.triangles), np.int32)
        voxelise_triangles(_corners(mesh, self._T_voxel_world(grid, timestamp_us)), owner, STEP, out)
        return out.area

    def _T_voxel_world(self, grid: VoxelGrid, timestamp_us: int) -> Float64:
        return grid.T_voxel_grid @ se3.inverse(self.T_global_grid(grid, timestamp_us)) @ self.world.T_global_world

    def _named(self, surface: VoxelSurface, grid: VoxelGrid, timestamp_us: int) -> ExactVoxels:
        look, there = self.world.look, surface.owner >= 0
        of = [np.where(there, codes[surface.owner], 0) for codes in (look.kind, look.semantic, look.object_id)]
        kind, semantic, object_id = (
            codes.astype(kind) for codes, kind in zip(of, (np.uint8, np.uint8, np.uint16), strict=True)
        )
        moving = np.array([False, *(thing.moving for thing in self.world.things)])
        moves = moving[object_id]
        flow_mps = self._flow(np.where(moves, object_id, 0), grid, timestamp_us)
        return ExactVoxels(surface.area, kind, semantic, self._codes(semantic, object_id), object_id, moves, flow_mps)

    def _codes(self, semantic: NDArray[np.uint8], object_id: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """Codes (X,Y,Z) of classes: an object's by its category, other surfaces' by what they belong to."""
        by_semantic = [code_of_index(class_of_simulated(s.name.lower())) for s in sorted(Semantic)]
        by_object = [0, *(code_of_index(class_of_category(thing.category)) for thing in self.world.things)]
        code = np.array(by_semantic, np.uint8)[semantic]
        return np.where(object_id > 0, np.array(by_object, np.uint8)[object_id], code)

    def _flow(self, object_id: NDArray[np.uint16], grid: VoxelGrid, timestamp_us: int) -> NDArray[np.float32]:
        """Velocity (X,Y,Z,3) m/s over the ground, in the grid's frame, of each object's part in a voxel."""
        out = np.zeros((*object_id.shape, 3), np.float32)
        T_world_grid = se3.inverse(self.world.T_global_world) @ self.T_global_grid(grid, timestamp_us)
        now_s = self.recorder.seconds(timestamp_us)
        for number in np.unique(object_id[object_id > 0]).tolist():
            voxels = np.nonzero(object_id == number)
            xyz_world = se3.apply(T_world_grid, (np.stack(voxels, 1) + 0.5) * grid.voxel_m + np.array(grid.low_m))
            thing = self.world.things[number - 1]
            before, now, after = thing.T_world_box(now_s + np.array([-HALF_S, 0.0, HALF_S]))
            xyz_box = se3.apply(se3.inverse(now), xyz_world)
            out[voxels] = (se3.apply(after, xyz_box) - se3.apply(before, xyz_box)) / (2 * HALF_S) @ T_world_grid[:3, :3]
        return out


def _nothing(grid: VoxelGrid) -> VoxelSurface:
    area, lead = (np.zeros(grid.shape, np.float32) for _ in range(2))
    return VoxelSurface(area, np.full(grid.shape, -1, np.int32), lead)


def _corners(mesh: Mesh, T: Float64) -> Float64:
    """Corners (T,3,3) of the triangles under a transform (4,4)."""
    return np.ascontiguousarray(se3.apply(T, mesh.vertices)[mesh.triangles])


def _check_same(recorder: Recorder, path: Path) -> None:
    """Whether things go where the recording says: the same seed gives another world where the simulator has changed.

    Raises:
        InputError: they do not.
    """
    with np.load(path) as said:
        stamps_us, wanted, sizes = said["timestamps_us"], said["T_global_box"], said["size_lwh_m"]
    drive, at_s = recorder.drive, (stamps_us - recorder.start_us) * 1e-6
    poses = np.array([drive.T_global_world @ thing.T_world_box(at_s) for thing in drive.things])
    made = np.array([thing.size_lwh_m for thing in drive.things])
    if not (poses.size == wanted.size and np.allclose(made.ravel(), sizes.ravel(), atol=1e-6)):
        raise InputError(f"{path}: written by a densegt that made other worlds; simulate it again")
    if not np.allclose(poses.ravel(), wanted.ravel(), atol=1e-4):
        raise InputError(f"{path}: written by a densegt that made other worlds; simulate it again")


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
