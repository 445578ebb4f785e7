"""One keyframe's voxels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from densegt.occupancy.grid import VoxelGrid


class State(IntEnum):
    """Codes of a voxel's state."""

    UNOBSERVED = 0
    FREE = 1
    OCCUPIED = 2


@dataclass(frozen=True)
class GridFrame:
    """Where a keyframe's grid lies.

    Attributes:
        sweep: index of the keyframe's main sweep.
        T_global_grid: (4,4) float64, the ego or the lidar at the sweep's stamp.
    """

    sample_token: str
    timestamp_us: int
    sweep: int
    T_global_grid: NDArray[np.float64]


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

    grid: VoxelGrid
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
    def occupied(self) -> NDArray[np.bool_]:
        """(X,Y,Z)."""
        occupied: NDArray[np.bool_] = self.state == State.OCCUPIED
        return occupied
