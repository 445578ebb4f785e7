"""Annotated boxes, in the ego frame at a sweep's stamp, as tracks in the city's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from densegt.datasets.argoverse2.categories import object_kind
from densegt.datasets.argoverse2.ego_poses import EgoPoses
from densegt.datasets.argoverse2.feather import POSE, poses_of, read_columns
from densegt.datasets.scene import Track
from densegt.errors import InputError

PointCounts = dict[tuple[str, int], int]

_SIZE = ("length_m", "width_m", "height_m")
_COLUMNS = {"timestamp_ns": "i8", "track_uuid": "U", "category": "U", **dict.fromkeys(_SIZE, "f8"), **POSE}


def read_tracks(path: Path, poses: EgoPoses) -> tuple[tuple[Track, ...], PointCounts]:
    """The tracks, and the number of points in each box by track and stamp in us; none where there is no such file.

    Raises:
        InputError: it is damaged, a size or pose is none, or the ego pose at a box's stamp is not known.
    """
    if not path.exists():
        return (), {}
    columns = read_columns(path, {**_COLUMNS, "num_interior_pts": "i8"})
    stamps_ns = columns["timestamp_ns"]
    size_lwh_m = np.stack([columns[name] for name in _SIZE], axis=1)
    sound = np.isfinite(size_lwh_m).all(axis=1) & (size_lwh_m > 0).all(axis=1)
    if not sound.all():
        row = int(np.argmin(sound))
        raise InputError(f"{path}: row {row + 1}: size {size_lwh_m[row].tolist()} is not a box's")
    T_global_box = poses.at(stamps_ns) @ poses_of(path, columns)
    uuids, first, inverse = np.unique(columns["track_uuid"].astype(str), return_index=True, return_inverse=True)
    tracks = []
    for k, uuid in enumerate(uuids.tolist()):
        mine = np.flatnonzero(inverse == k)
        # Two boxes of one track at one time contradict each other; the first is kept.
        timestamps_us, at = np.unique(stamps_ns[mine] // 1000, return_index=True)
        category = str(columns["category"][first[k]])
        tracks.append(
            Track(
                token=uuid,
                category=category,
                kind=object_kind(category),
                size_lwh_m=np.median(size_lwh_m[mine], axis=0),
                timestamps_us=timestamps_us,
                T_global_box=T_global_box[mine[at]],
            )
        )
    keys = zip(columns["track_uuid"].tolist(), (stamps_ns // 1000).tolist(), strict=True)
    return tuple(tracks), dict(zip(keys, columns["num_interior_pts"].tolist(), strict=True))
