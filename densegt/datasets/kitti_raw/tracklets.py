"""Reads `tracklet_labels.xml`: boxes in the velodyne's frame, a pose a frame, their origin at the bottom."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.kitti_raw.object_kinds import object_kind
from densegt.datasets.kitti_raw.text_files import read_bytes
from densegt.datasets.pose_path import PosePath
from densegt.datasets.scene import Track
from densegt.errors import InputError

Float64 = NDArray[np.float64]
_MAX_SIZE_M, _MAX_RANGE_M = 100.0, 1000.0


@dataclass(frozen=True)
class Tracklet:
    """An object over consecutive frames.

    Attributes:
        size_lwh_m: (3,).
        T_lidar_box: (M,4,4) at frames `first_frame` and on; box origin in the middle.
    """

    category: str
    size_lwh_m: Float64
    first_frame: int
    T_lidar_box: Float64


def read_tracklets(path: Path) -> list[Tracklet]:
    """A drive's tracklets, none where there is no such file.

    Raises:
        InputError: the file is damaged, or a number in it is none.
    """
    if not path.exists():
        return []
    try:
        root = ElementTree.fromstring(read_bytes(path))
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not whole XML ({error})") from None
    listed = root.find("tracklets")
    if listed is None:
        raise InputError(f"{path}: no <tracklets> in it")
    return [_tracklet(item, f"{path}: tracklet {number}") for number, item in enumerate(_items(listed, str(path)))]


def tracks_of(
    tracklets: list[Tracklet], scene: str, stamps_us: NDArray[np.int64], path: PosePath, T_ego_lidar: Float64
) -> tuple[Track, ...]:
    """Tracks in global, at the sweeps' stamps; what lies where the path is not known is left out.

    Args:
        stamps_us: of all frames (N,).
        path: of the ego.

    Raises:
        InputError: a tracklet goes on after the last frame.
    """
    tracks = []
    for number, tracklet in enumerate(tracklets):
        last = tracklet.first_frame + len(tracklet.T_lidar_box)
        if last > len(stamps_us):
            raise InputError(f"{scene}: tracklet {number} ends at frame {last - 1}, the drive at {len(stamps_us) - 1}")
        mine_us = stamps_us[tracklet.first_frame : last]
        known = path.knows(mine_us)
        if not known.any():
            continue
        tracks.append(
            Track(
                token=f"{scene}_tracklet_{number:04d}",
                category=tracklet.category,
                kind=object_kind(tracklet.category),
                size_lwh_m=tracklet.size_lwh_m,
                timestamps_us=mine_us[known],
                T_global_box=path.at(mine_us[known]) @ T_ego_lidar @ tracklet.T_lidar_box[known],
            )
        )
    return tuple(tracks)


def _items(listed: Element, where: str) -> list[Element]:
    """The items of a list, as many as its count says."""
    items = listed.findall("item")
    count = _whole(listed, "count", where)
    if count != len(items):
        raise InputError(f"{where}: count says {count}, but there are {len(items)} items")
    return items


def _tracklet(item: Element, where: str) -> Tracklet:
    category = (item.findtext("objectType") or "").strip()
    if not category or not category.isprintable() or len(category) > 100:
        raise InputError(f"{where}: objectType {category[:50]!r} is no name")
    size_lwh_m = np.array([_number(item, name, where) for name in "lwh"])
    if (size_lwh_m <= 0).any() or (size_lwh_m > _MAX_SIZE_M).any():
        raise InputError(f"{where}: l, w, h {size_lwh_m.tolist()} is no box's size")
    first = _whole(item, "first_frame", where)
    listed = item.find("poses")
    poses = [] if listed is None else _items(listed, where)
    if not poses:
        raise InputError(f"{where}: no pose in it")
    return Tracklet(category, size_lwh_m, first, _poses(poses, size_lwh_m[2], where))


def _poses(poses: list[Element], height_m: float, where: str) -> Float64:
    from scipy.spatial.transform import Rotation

    rows = np.array([[_number(pose, name, where) for name in ("tx", "ty", "tz", "rx", "ry", "rz")] for pose in poses])
    if (np.abs(rows[:, :3]) > _MAX_RANGE_M).any():
        raise InputError(f"{where}: a pose lies farther than {_MAX_RANGE_M:g} m away")
    T = np.zeros((len(rows), 4, 4))
    T[:, :3, :3] = Rotation.from_euler("xyz", rows[:, 3:]).as_matrix()
    T[:, :3, 3] = rows[:, :3] + T[:, :3, 2] * height_m / 2
    T[:, 3, 3] = 1.0
    return T


def _number(element: Element, name: str, where: str) -> float:
    text = element.findtext(name)
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {name} is {'missing' if text is None else repr(text[:50])}")
    return value


def _whole(element: Element, name: str, where: str) -> int:
    value = _number(element, name, where)
    if value < 0 or value != int(value) or value > 2**31:
        raise InputError(f"{where}: {name} is {value:g}")
    return int(value)
