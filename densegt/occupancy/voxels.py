"""One keyframe's voxels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from densegt.geometry import se3
from densegt.occupancy.grid import VoxelGrid


class State(IntEnum):
    """Codes of a voxel's state."""

    UNOBSERVED = 0
    FREE = 1
    OCCUPIED = 2


@dataclass(frozen=True)
class GridFrame:
    """A grid where a keyframe has it.

    Attributes:
        sweep: index of the keyframe's main sweep.
        T_global_grid: (4,4) float64, the ego or the lidar at the sweep's stamp.
    """

    grid: VoxelGrid
    sample_token: str
    timestamp_us: int
    sweep: int
    T_global_grid: NDArray[np.float64]

    @property
    def T_voxel_global(self) -> NDArray[np.float64]:
        """(4,4) from global m to voxels."""
        T: NDArray[np.float64] = self.grid.T_voxel_grid @ se3.inverse(self.T_global_grid)
        return T

    def T_voxel_local(self, origin_global_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """(4,4) to voxels from global less an origin (3,)."""
        T = self.T_voxel_global
        T[:3, 3] += T[:3, :3] @ origin_global_m
        return T


@dataclass(frozen=True)
class Occupancy:
    """A keyframe's voxels (X,Y,Z), movers where they are at its time.

    Attributes:
        state: uint8 codes of `State`.
        semantics: uint8 codes of `densegt.occupancy.classes.NAMES`, 0 where unknown and where nothing is.
        hits: uint16, surfels that lie in the voxel; passes: uint16, beams that passed through it.
        mover: int16, index of the mover that most of an occupied voxel's surfels are of, -1 = of none.
        mask_camera: bool, on the way of a ray of some camera of the keyframe, before or at the first occupied voxel.
        confidence: float32, probability that the state is right, 0 where unobserved.
        flow_mps: (X,Y,Z,3) float32 in the grid's frame, how fast that mover's part moves over the ground.
    """

    frame: GridFrame
    state: NDArray[np.uint8]
    semantics: NDArray[np.uint8]
    hits: NDArray[np.uint16]
    passes: NDArray[np.uint16]
    mover: NDArray[np.int16]
    mask_camera: NDArray[np.bool_]
    confidence: NDArray[np.float32]
    flow_mps: NDArray[np.float32]

    @property
    def grid(self) -> VoxelGrid:
        """The grid that they are of."""
        return self.frame.grid

    @property
    def occupied(self) -> NDArray[np.bool_]:
        """(X,Y,Z)."""
        occupied: NDArray[np.bool_] = self.state == State.OCCUPIED
        return occupied
