"""The store of motion votes: a folder with one HDF5 file a scene, readable by plain h5py.

<scene name>.h5
  attributes: format "densegt-motion-votes", format_version, densegt_version, config (JSON), input
  /<lidar channel>/<timestamp_us of the sweep>/moving  uint8   (N,1)  0 = no vote, else 1 + 254 x probability
  /<lidar channel>/<timestamp_us of the sweep>/class   uint8   (N,1)  index into config["classes"], 255 = none
  /<lidar channel>/<timestamp_us of the sweep>/speed   float16 (N,1)  m/s
  /<lidar channel>/<timestamp_us of the sweep>/offset  float16 (N,2)  m to the object's centre, global x and y
One row for each point of the sweep's file, in its order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.depth.attributes import refuse
from densegt.depth.hdf5_file import WholeFile, datasets_of, group_of, made_from, opened
from densegt.depth.layer_codec import FILTERS, encode_layers
from densegt.depth.read_layer import read_layer
from densegt.errors import InputError

FORMAT = "densegt-motion-votes"
MAX_POINTS = 10_000_000
NO_CLASS = 255
STEPS = 254


@dataclass(frozen=True)
class SweepVotes:
    """What a network says of each point of a sweep's file (N).

    Attributes:
        moving: (N,) float32 probability, NaN where there is no vote.
        kind: (N,) uint8 index of the class, NO_CLASS for none.
        speed_mps: (N,) float32; offset_m: (N,2) float32 to the object's centre, global x and y.
    """

    moving: NDArray[np.float32]
    kind: NDArray[np.uint8]
    speed_mps: NDArray[np.float32]
    offset_m: NDArray[np.float32]

    @classmethod
    def none(cls, count: int) -> SweepVotes:
        """No vote of any point."""
        return cls(
            np.full(count, np.nan, np.float32), np.full(count, NO_CLASS, np.uint8), np.zeros(count, np.float32),
            np.zeros((count, 2), np.float32),
        )  # fmt: skip


class VotesWriter(WholeFile):
    """Writes one scene's votes; the file appears whole or not at all.

    Args:
        config: everything needed to repeat it; `classes` names the classes.
        input_digest: what it is made from.
    """

    def __init__(
        self, folder: Path, scene: str, config: Mapping[str, Any], *, input_digest: str, overwrite: bool = False
    ) -> None:
        attributes = made_from(config, input_digest)
        super().__init__(Path(folder) / f"{scene}.h5", FORMAT, attributes, overwrite=overwrite)

    def write(self, channel: str, timestamp_us: int, votes: SweepVotes) -> None:
        """Add one sweep."""
        group = self._file.create_group(f"{channel}/{timestamp_us}")
        moving = np.where(np.isnan(votes.moving), 0, 1 + np.rint(STEPS * np.nan_to_num(votes.moving)))
        columns: dict[str, NDArray[Any]] = {
            "moving": moving.astype(np.uint8)[:, None],
            "class": votes.kind[:, None],
            "speed": votes.speed_mps.astype(np.float16)[:, None],
            "offset": votes.offset_m.astype(np.float16),
        }
        for name, shape, dtype, chunk in encode_layers(columns) if len(votes.kind) else ():
            stored = group.create_dataset(name, shape, dtype.newbyteorder("<"), chunks=shape, **FILTERS)
            stored.id.write_direct_chunk((0, 0), chunk)
        self._sink.check()


def read_votes(path: Path, channel: str, timestamp_us: int, count: int) -> SweepVotes:
    """The votes of a sweep whose file has `count` points.

    Raises:
        InputError: no votes of this sweep, or of another number of points; not a store of votes, or damaged.
    """
    where = f"{channel}/{timestamp_us}: "
    with opened(path, (FORMAT,), where) as (file, _):
        if channel not in file or str(timestamp_us) not in group_of(file, channel):
            raise InputError(
                f"{path}: no votes of sweep {channel}/{timestamp_us}; predict-motion --overwrite makes them"
            )
        data = datasets_of(group_of(group_of(file, channel), str(timestamp_us)))
        if not data and not count:
            return SweepVotes.none(0)
        if (found := (data["moving"].shape or (0,))[0]) != count:
            raise InputError(f"{path}: {where}votes of {found} points, the sweep has {count}; of another recording?")
        if count > MAX_POINTS:
            refuse(f"{count} points, more than any sweep has")
        moving = read_layer(data["moving"], "moving", np.uint8, shape=(count, 1))[:, 0]
        return SweepVotes(
            np.where(moving == 0, np.nan, (moving.astype(np.float32) - 1) / STEPS).astype(np.float32),
            read_layer(data["class"], "class", np.uint8, shape=(count, 1))[:, 0],
            read_layer(data["speed"], "speed", np.float16, shape=(count, 1))[:, 0].astype(np.float32),
            read_layer(data["offset"], "offset", np.float16, shape=(count, 2)).astype(np.float32),
        )
