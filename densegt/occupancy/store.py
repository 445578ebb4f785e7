"""The occupancy store: a folder with one HDF5 file a scene, readable by plain h5py.

<scene name>.h5
  attributes: those of a depth store's file, format being densegt-occupancy; grid (JSON: name, frame, range_m, voxel_m,
              shape), movers (JSON: token and category of each)
  /<sample_token>/state       uint8   (X,Y,Z)    0 unobserved, 1 free, 2 occupied
  /<sample_token>/semantics   uint8   (X,Y,Z)    class of what is occupied, 0 unknown, else lidarseg's 1 to 16
  /<sample_token>/confidence  uint8   (X,Y,Z)    probability x 255 that the state is right; 0 where unobserved
  /<sample_token>/mask_camera uint8   (X,Y,Z)    1 = seen by a camera
  /<sample_token>/hits        uint16  (X,Y,Z)    surfels that lie in the voxel: evidence for
  /<sample_token>/passes      uint16  (X,Y,Z)    beams that passed through it: evidence against
  /<sample_token>/mover       int16   (X,Y,Z)    index into movers of what is there, -1 = nothing that moves
  /<sample_token>/flow        float16 (X,Y,Z,3)  m/s over the ground along the grid's axes
  attributes of the keyframe's group: timestamp_us, T_global_grid, sweep_token, filename (of the main lidar's sweep)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.depth.attributes import inside, integer, matrix, refuse, text
from densegt.depth.file_identity import FileIdentity
from densegt.depth.hdf5_file import WholeFile, attributes_of, datasets_of, group_of, made_from, opened, set_attributes
from densegt.depth.layer_codec import FILTERS, encode_layer
from densegt.depth.read_layer import MAX_BYTES, read_array
from densegt.errors import InputError
from densegt.occupancy.grid import VoxelGrid, grid_of
from densegt.occupancy.voxels import Occupancy

FORMAT = "densegt-occupancy"


@dataclass(frozen=True)
class MoverName:
    """A mover of a scene: its instance token and category."""

    token: str
    category: str


@dataclass(frozen=True)
class OccupancyRecord:
    """One keyframe of a store.

    Attributes:
        T_global_grid: (4,4).
        filename: of the main lidar's sweep, relative to the recording.
        layers: arrays (X,Y,Z,...) by name, as stored.
    """

    scene: str
    sample_token: str
    timestamp_us: int
    grid: VoxelGrid
    T_global_grid: NDArray[np.float64]
    sweep_token: str
    filename: str
    layers: dict[str, NDArray[Any]]

    @property
    def state(self) -> NDArray[np.uint8]:
        """(X,Y,Z) codes of `State`."""
        return self.layers["state"]


class OccupancyWriter(WholeFile):
    """Writes the voxels of one scene, keyframe by keyframe.

    Args:
        config: everything needed to repeat it.
        input_digest: what it is made from, where a later run is to recognise it.
        inferred: what was not given but told from the recording.
    """

    def __init__(
        self,
        folder: Path,
        scene: str,
        config: Mapping[str, Any],
        *,
        input_digest: str | None = None,
        inferred: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> None:
        attributes = made_from(config, input_digest, inferred)
        super().__init__(Path(folder) / f"{scene}.h5", FORMAT, attributes, overwrite=overwrite)

    def describe(self, grid: VoxelGrid, movers: Sequence[MoverName]) -> None:
        """Note the grid and what `mover` counts."""
        self._attributes["grid"] = json.dumps(grid.described(), sort_keys=True)
        self._attributes["movers"] = json.dumps([[mover.token, mover.category] for mover in movers])
        set_attributes(self._file, self._attributes)

    def write(self, occupancy: Occupancy, *, sweep_token: str, filename: str) -> None:
        """Add one keyframe."""
        frame = occupancy.frame
        attributes = {
            "timestamp_us": frame.timestamp_us,
            "T_global_grid": frame.T_global_grid,
            "sweep_token": sweep_token,
            "filename": filename,
        }
        group = self._file.create_group(frame.sample_token)
        for name, layer in _layers(occupancy).items():
            stored = group.create_dataset(
                name, layer.shape, layer.dtype.newbyteorder("<"), chunks=layer.shape, **FILTERS
            )
            stored.id.write_direct_chunk((0,) * layer.ndim, encode_layer(layer))
        set_attributes(group, attributes)
        self._sink.check()


def _layers(occupancy: Occupancy) -> dict[str, NDArray[Any]]:
    return {
        "state": occupancy.state,
        "semantics": occupancy.semantics,
        "confidence": np.rint(255 * occupancy.confidence).astype(np.uint8),
        "mask_camera": occupancy.mask_camera.astype(np.uint8),
        "hits": occupancy.hits,
        "passes": occupancy.passes,
        "mover": occupancy.mover,
        "flow": occupancy.flow_mps.astype(np.float16),
    }


def is_occupancy_store(folder: Path) -> bool:
    """Whether a folder's first file is of an occupancy store."""
    try:
        OccupancyReader(occupancy_files(folder)[0])
    except InputError:
        return False
    return True


class OccupancyReader:
    """Reads one scene's file, keyframe by keyframe.

    Raises:
        InputError: no occupancy store, cut off, damaged, or from a newer densegt.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.scene = self.path.stem
        self.identity = FileIdentity.of(self.path)
        with opened(self.path, (FORMAT,), identity=self.identity) as (file, header):
            self.config = header.config
            attributes = attributes_of(file)
            self.grid = grid_of(json.loads(text(attributes, "grid")))
            self.movers = [MoverName(str(a), str(b)) for a, b in json.loads(text(attributes, "movers"))]
            stamps = {sample: integer(attributes_of(group_of(file, sample)), "timestamp_us") for sample in file}
        self.sample_tokens: list[str] = sorted(stamps, key=lambda sample: (stamps[sample], sample))

    def __len__(self) -> int:
        return len(self.sample_tokens)

    def __iter__(self) -> Iterator[OccupancyRecord]:
        for sample_token in self.sample_tokens:
            yield self.read(sample_token)

    def read(self, sample_token: str) -> OccupancyRecord:
        """One keyframe with all its layers.

        Raises:
            InputError: no such keyframe here, its data is damaged, or the file was replaced.
        """
        if sample_token not in self.sample_tokens:
            raise InputError(f"{self.path}: no keyframe {sample_token} in it")
        with opened(self.path, (FORMAT,), f"{sample_token}: ", self.identity) as (file, _):
            group = group_of(file, sample_token)
            attributes, data = attributes_of(group), datasets_of(group)
            for name, layer in data.items():
                if layer.shape[:3] != self.grid.shape or layer.size * layer.dtype.itemsize > MAX_BYTES:
                    refuse(f"{name} is {layer.dtype} {layer.shape}, the grid {self.grid.shape}")
            layers = {name: read_array(layer, name) for name, layer in data.items()}
            if layers["state"].dtype != np.uint8 or layers["state"].ndim != 3:
                refuse("state is no uint8 (X,Y,Z)")
            return OccupancyRecord(
                scene=self.scene,
                sample_token=sample_token,
                timestamp_us=integer(attributes, "timestamp_us"),
                grid=self.grid,
                T_global_grid=matrix(attributes, "T_global_grid", 4),
                sweep_token=text(attributes, "sweep_token"),
                filename=inside(text(attributes, "filename")),
                layers=layers,
            )


def occupancy_files(folder: Path) -> list[Path]:
    """The store's files in order of name.

    Raises:
        InputError: the folder is missing or holds no `.h5`.
    """
    files = sorted(p for p in Path(folder).glob("*.h5") if not p.name.startswith("."))
    if not files:
        raise InputError(f"{folder}: no .h5 file in it; `densegt occupancy --out {folder}` writes one a scene")
    return files
