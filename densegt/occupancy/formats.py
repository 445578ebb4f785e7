"""The public benchmarks' own files, from an occupancy store."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.depth.partial_file import write_whole
from densegt.errors import InputError
from densegt.occupancy.classes import NAMES, UNKNOWN
from densegt.occupancy.grid import GRIDS
from densegt.occupancy.store import OccupancyReader, OccupancyRecord, occupancy_files
from densegt.occupancy.voxels import State

# Occ3D's code of free voxels.
OCC3D_FREE = len(NAMES)


@dataclass(frozen=True)
class FileNames:
    """What the files are named after.

    Attributes:
        scene_tokens: by name of the scene, where known; its name takes its place elsewhere.
    """

    scene_tokens: dict[str, str]

    def occ3d(self, record: OccupancyRecord) -> str:
        """Occ3D's."""
        return f"gts/{record.scene}/{record.sample_token}/labels.npz"

    def surroundocc(self, record: OccupancyRecord) -> str:
        """SurroundOcc's: after the keyframe's lidar file."""
        return f"samples/{record.filename}.npy"

    def openoccupancy(self, record: OccupancyRecord) -> str:
        """OpenOccupancy's."""
        scene = self.scene_tokens.get(record.scene, record.scene)
        return f"scene_{scene}/occupancy/{record.sweep_token}.npy"


def occ3d(record: OccupancyRecord, unknown: int) -> bytes:
    """Arrays (X,Y,Z) uint8: semantics, 17 where nothing is known to be; mask_lidar and mask_camera, 1 = observed."""
    semantics = np.where(record.state == State.OCCUPIED, _classes(record, unknown), OCC3D_FREE).astype(np.uint8)
    observed = record.state != State.UNOBSERVED
    seen = observed & (record.layers["mask_camera"] > 0)
    file = io.BytesIO()
    masks = {"mask_lidar": observed.astype(np.uint8), "mask_camera": seen.astype(np.uint8)}
    np.savez_compressed(file, semantics=semantics, **masks)
    return file.getvalue()


def surroundocc(record: OccupancyRecord, unknown: int) -> bytes:
    """Rows (N,4) int64 of occupied voxels: x, y, z, class."""
    return _rows(record, unknown, (0, 1, 2))


def openoccupancy(record: OccupancyRecord, unknown: int) -> bytes:
    """Rows (N,4) int64 of occupied voxels: z, y, x, class."""
    return _rows(record, unknown, (2, 1, 0))


def _rows(record: OccupancyRecord, unknown: int, order: tuple[int, int, int]) -> bytes:
    at = np.nonzero(record.state == State.OCCUPIED)
    file = io.BytesIO()
    np.save(file, np.column_stack([*(at[axis] for axis in order), _classes(record, unknown)[at]]).astype(np.int64))
    return file.getvalue()


def _classes(record: OccupancyRecord, unknown: int) -> NDArray[np.uint8]:
    code: NDArray[np.uint8] = record.layers["semantics"]
    return np.where(code == UNKNOWN, np.uint8(unknown), code)


ENCODERS: dict[str, Callable[[OccupancyRecord, int], bytes]] = {
    "occ3d": occ3d,
    "surroundocc": surroundocc,
    "openoccupancy": openoccupancy,
}


def export_occupancy(
    store: Path, out: Path, form: str, *, unknown: int = UNKNOWN, dataroot: Path | None = None, overwrite: bool = False
) -> int:
    """Write a store in a benchmark's layout; how many files.

    Args:
        form: a key of `ENCODERS`.
        unknown: class to write where none is known.
        dataroot: a recording in nuScenes format, whose scenes' tokens OpenOccupancy's folders are named after.

    Raises:
        InputError: the store is of another grid, cannot be read, or a file is there already.
    """
    names, written = FileNames(_scene_tokens(dataroot) if dataroot else {}), 0
    for path in occupancy_files(store):
        reader = OccupancyReader(path)
        wanted = GRIDS[form]
        if (reader.grid.low_m, reader.grid.shape, reader.grid.frame) != (wanted.low_m, wanted.shape, wanted.frame):
            raise InputError(f"{path}: made on the grid {reader.grid.name}; make it with --grid {form}")
        for record in reader:
            target = out / getattr(names, form)(record)
            if target.exists() and not overwrite:
                raise InputError(f"{target}: exists already; --overwrite replaces it")
            write_whole(target, ENCODERS[form](record, unknown), below=out)
            written += 1
    return written


def _scene_tokens(dataroot: Path) -> dict[str, str]:
    tables = sorted(dataroot.glob("v1.0-*/scene.json"))
    if not tables:
        raise InputError(f"{dataroot}: no v1.0-*/scene.json in it, which has the scenes' tokens")
    try:
        rows: list[dict[str, Any]] = [row for table in tables for row in json.loads(table.read_text())]
        return {str(row["name"]): str(row["token"]) for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{tables[0]}: cannot be read ({error})") from None
