"""A keyframe's occupied voxels as the page and Rerun show them: where they are, and their colours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.errors import InputError
from densegt.occupancy.classes import NAMES, UNKNOWN
from densegt.occupancy.grid import VoxelGrid
from densegt.occupancy.store import OccupancyReader, OccupancyRecord
from densegt.occupancy.voxels import State
from densegt.view.codec import encode_bytes, encode_uint16
from densegt.view.ply import FOUND_COLOUR

# What moves and is of no known class has the code after the classes'.
MOVES = len(NAMES)
# By code: nuScenes' own colours of its classes, about.
COLOURS = (
    (140, 148, 160), (112, 128, 144), (220, 20, 60), (255, 127, 80), (255, 158, 0), (233, 150, 70), (255, 61, 99),
    (60, 110, 230), (47, 79, 79), (255, 140, 0), (255, 99, 71), (0, 207, 191), (175, 0, 75), (90, 60, 110),
    (112, 180, 60), (222, 184, 135), (0, 175, 0), FOUND_COLOUR,
)  # fmt: skip
WORDS = ("of no known class", *(name.replace("_", " ") for name in NAMES[1:]), "moves, of no known class")


@dataclass(frozen=True)
class ShownVoxels:
    """Occupied voxels (N) of a keyframe.

    Attributes:
        at: (N,3) which they are; code: (N,) uint8 into `COLOURS`; confidence: (N,) uint8, 255 = certain.
    """

    grid: VoxelGrid
    T_global_grid: NDArray[np.float64]
    at: NDArray[np.intp]
    code: NDArray[np.uint8]
    confidence: NDArray[np.uint8]

    @classmethod
    def of(cls, record: OccupancyRecord) -> ShownVoxels:
        """Those of a store's keyframe."""
        there = np.nonzero(record.state == State.OCCUPIED)
        code, moves = (record.layers[name][there] for name in ("semantics", "mover"))
        code = np.where((code == UNKNOWN) & (moves >= 0), MOVES, code).astype(np.uint8)
        return cls(record.grid, record.T_global_grid, np.stack(there, axis=1), code, record.layers["confidence"][there])

    @property
    def centres_m(self) -> NDArray[np.float64]:
        """(N,3) in the grid's frame."""
        centres: NDArray[np.float64] = (self.at + 0.5) * self.grid.voxel_m + np.array(self.grid.low_m)
        return centres


def occupancy_reader(folder: Path, scene: str) -> OccupancyReader:
    """The reader of a scene's voxels.

    Raises:
        InputError: it has none there.
    """
    path = folder / f"{scene}.h5"
    if not path.is_file():
        raise InputError(f"{path}: no such file; --occupancy is a store with the same scenes as --depth")
    return OccupancyReader(path)


def encoded(voxels: ShownVoxels, name: str, origin_global_m: NDArray[np.float64], parts: dict[str, str]) -> Any:
    """What the page draws of a keyframe; the long part of it goes to `parts`."""
    parts[f"{name}-at"] = encode_uint16(voxels.at.T)
    parts[f"{name}-code"] = encode_bytes(voxels.code)
    parts[f"{name}-confidence"] = encode_bytes(voxels.confidence)
    T = voxels.T_global_grid.copy()
    T[:3, 3] -= origin_global_m
    grid = voxels.grid
    return {
        "part": name,
        "count": len(voxels.at),
        "low": list(grid.low_m),
        "voxel_m": grid.voxel_m,
        "shape": list(grid.shape),
        "pose": T.T.ravel().round(5).tolist(),
        "codes": np.unique(voxels.code).tolist(),
    }
