"""An occupancy store as a PyTorch data set."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from densegt.errors import InputError
from densegt.occupancy.formats import OCC3D_FREE
from densegt.occupancy.store import OccupancyReader, OccupancyRecord, occupancy_files
from densegt.occupancy.voxels import State


class OccupancyDataset(Dataset[dict[str, Tensor | str]]):
    """Keyframes with their voxels.

    >>> sample = OccupancyDataset("occupancy")[0]
    >>> sample["state"].dtype
    torch.uint8

    A sample has `scene`, `sample_token`; `state` (X,Y,Z) uint8, 0 unobserved, 1 free, 2 occupied; `semantics` (X,Y,Z)
    int64, 17 where nothing is known to be; `mask_lidar`, `mask_camera` (X,Y,Z) bool, what is observed; `flow_mps`
    (3,X,Y,Z) float32; `confidence` (X,Y,Z) float32; `T_global_grid` (4,4) float64.

    Args:
        scenes: names; all where empty.

    Raises:
        InputError: the folder holds no occupancy, or a scene is not in it.
    """

    def __init__(self, path: Path | str, scenes: tuple[str, ...] = ()) -> None:
        files = {file.stem: file for file in occupancy_files(Path(path))}
        missing = [name for name in scenes if name not in files]
        if missing:
            raise InputError(f"{path}: no scene {missing[0]!r}; there is {', '.join(list(files)[:5])}")
        self._readers = [OccupancyReader(files[name]) for name in scenes or files]
        self._ends = list(accumulate(map(len, self._readers)))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> dict[str, Tensor | str]:
        index = range(len(self))[index]
        at = bisect_right(self._ends, index)
        reader = self._readers[at]
        return tensors(reader.read(reader.sample_tokens[index - (self._ends[at] - len(reader))]))


def tensors(record: OccupancyRecord) -> dict[str, Tensor | str]:
    """A keyframe as a sample."""
    observed = record.state != State.UNOBSERVED
    layers = record.layers
    semantics = np.where(record.state == State.OCCUPIED, layers["semantics"], OCC3D_FREE)
    return {
        "scene": record.scene,
        "sample_token": record.sample_token,
        "state": torch.from_numpy(record.state),
        "semantics": torch.from_numpy(semantics.astype(np.int64)),
        "mask_lidar": torch.from_numpy(observed),
        "mask_camera": torch.from_numpy(observed & (layers["mask_camera"] > 0)),
        "flow_mps": torch.from_numpy(np.moveaxis(layers["flow"].astype(np.float32), -1, 0)),
        "confidence": torch.from_numpy(layers["confidence"].astype(np.float32) / 255),
        "T_global_grid": torch.from_numpy(record.T_global_grid),
    }
