"""What occupied voxels are: nuScenes lidarseg's sixteen classes, as the public layouts number them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from densegt.accumulation.cloud import Cloud
from densegt.datasets.scene import Scene, Track
from densegt.depth.point_votes import NO_CLASS
from densegt.geometry import se3
from densegt.motion_net.classes import CLASSES, class_of_category
from densegt.occupancy.boxes import in_box
from densegt.occupancy.grid import VoxelGrid
from densegt.occupancy.voxels import Occupancy

Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]

# Code 0 is occupied by nobody knows what; what follows is numbered as lidarseg's challenge does.
NAMES = ("others", *CLASSES)
UNKNOWN = 0
# From here on they are ground, houses and plants.
FIRST_FIXED = NAMES.index("driveable_surface")
NOW_US = 60_000
# A class goes on over so many voxels of unlabelled surface.
REACH_VOXELS = 2.5
# A keyframe's boxes are those annotated so near to it.
BOX_US = 300_000


@dataclass(frozen=True)
class ClassifiedPoints:
    """Points of a scene with their classes.

    Attributes:
        xyz_global: (N,3) float64 m, where they were measured; code: (N,) uint8, index into `NAMES`.
        stamp_us: (N,) int64, of the sweep.
    """

    xyz_global: Float64
    code: UInt8
    stamp_us: NDArray[np.int64]

    def valid_at(self, time_us: int) -> ClassifiedPoints:
        """Those that say what is there at a time: of what can move, only those measured then."""
        rows = np.flatnonzero((self.code >= FIRST_FIXED) | (np.abs(self.stamp_us - time_us) <= NOW_US))
        return ClassifiedPoints(self.xyz_global[rows], self.code[rows], self.stamp_us[rows])


@dataclass(frozen=True)
class SceneClasses:
    """What is known of a scene's classes.

    Attributes:
        movers: (M,) uint8 code of each mover of the cloud.
        standing: annotated objects that stand still, each with its code.
        points: labelled points of what does not move; None where there are none.
    """

    movers: UInt8
    standing: tuple[tuple[Track, int], ...]
    points: ClassifiedPoints | None = None

    @classmethod
    def of(
        cls,
        cloud: Cloud,
        scene: Scene,
        known: Mapping[str, str | None],
        points: ClassifiedPoints | None = None,
    ) -> SceneClasses:
        """From the categories of boxes, and of the movers that were found.

        Args:
            known: detection class by category, as the recording's format tells it.
        """
        carried = {track.token for track, _ in cloud.movers}
        movers = np.array([code_of(track.category, known) for track, _ in cloud.movers], np.uint8)
        standing = ((track, code_of(track.category, known)) for track in scene.tracks if track.token not in carried)
        return cls(movers, tuple(standing), points)


def classes_at(voxels: Occupancy, classes: SceneClasses) -> UInt8:
    """The class (X,Y,Z) of each occupied voxel: its mover's, its box's, that of points; 0 = unknown."""
    grid, frame, occupied = voxels.grid, voxels.frame, voxels.occupied
    code = np.zeros(grid.shape, np.uint8)
    if classes.points is not None:
        code = vote(
            classes.points.valid_at(frame.timestamp_us), grid.T_voxel_grid @ se3.inverse(frame.T_global_grid), occupied
        )
    mark_standing(code, classes.standing, frame.T_global_grid, frame.timestamp_us, occupied, grid)
    moves = voxels.mover >= 0
    code[moves] = classes.movers[voxels.mover[moves]]
    return code


def code_of(category: str, known: Mapping[str, str | None]) -> int:
    """Index into `NAMES` of a box's category.

    Args:
        known: detection class by category, as the recording's format tells it.
    """
    name = known.get(category)
    if name in NAMES:
        return NAMES.index(name)
    return code_of_index(class_of_category(category))


def code_of_index(index: int) -> int:
    """Index into `NAMES` of one into the sixteen classes, which may be NO_CLASS."""
    return UNKNOWN if index == NO_CLASS else index + 1


def vote(points: ClassifiedPoints, T_voxel_global: Float64, occupied: NDArray[np.bool_]) -> UInt8:
    """The class (X,Y,Z) of most points in each occupied voxel, carried on over surface near by; 0 = unknown."""
    shape, out = occupied.shape, np.zeros(occupied.shape, np.uint8)
    at = np.floor(se3.apply(T_voxel_global, points.xyz_global)).astype(np.int64)
    inside = ((at >= 0) & (at < shape)).all(axis=1)
    if not inside.any():
        return out
    voxel = np.ravel_multi_index(tuple(at[inside].T), shape)
    rows, of = np.unique(voxel, return_inverse=True)
    votes = np.bincount(of * len(NAMES) + points.code[inside], minlength=len(rows) * len(NAMES))
    out.reshape(-1)[rows] = votes.reshape(len(rows), len(NAMES)).argmax(axis=1)
    out[~occupied] = UNKNOWN
    if not out.any():
        return out
    away, nearest = distance_transform_edt(out == UNKNOWN, return_indices=True)
    carried = occupied & (out == UNKNOWN) & (away <= REACH_VOXELS)
    out[carried] = out[tuple(nearest[:, carried])]
    return out


def mark_standing(
    code: UInt8,
    tracks: Sequence[tuple[Track, int]],
    T_global_grid: Float64,
    time_us: int,
    occupied: NDArray[np.bool_],
    grid: VoxelGrid,
) -> None:
    """Write the class of boxes into the occupied voxels that they hold, but for the lowest slice: that is ground.

    Args:
        code: (X,Y,Z), changed in place.
        tracks: what stands, with its code.
    """
    for track, own in tracks:
        nearest = int(np.abs(track.timestamps_us - time_us).argmin())
        if own == UNKNOWN or abs(int(track.timestamps_us[nearest]) - time_us) > BOX_US:
            continue
        T_grid_box = se3.inverse(T_global_grid) @ track.T_global_box[nearest]
        part, xyz_box = in_box(T_grid_box, track.size_lwh_m, grid, margin_m=0.25 * grid.voxel_m)
        above = xyz_box[..., 2] > -track.size_lwh_m[2] / 2 + 0.5 * grid.voxel_m
        code[tuple(axis[above] for axis in part)] = own
    code[~occupied] = UNKNOWN
