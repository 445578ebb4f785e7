"""The ego's path from OXTS packets: latitude, longitude, height and angles of the IMU, at stamps of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.kitti_raw.frames import Frames
from densegt.datasets.kitti_raw.text_files import numbers, read_text
from densegt.datasets.pose_path import PosePath
from densegt.errors import InputError

Float64 = NDArray[np.float64]

EARTH_RADIUS_M = 6378137.0
# The order is told in oxts/dataformat.txt.
PACKET = 30
_LAT_LON_ALT, _ROLL_PITCH_YAW = slice(0, 3), slice(3, 6)
_NORTH_MPS, _EAST_MPS, _UP_MPS, _RATES_RADPS = 6, 7, 10, slice(17, 20)
# Sensors start a moment before the first packet; over longer holes a straight line is no path.
REACH_S, MAX_GAP_S = 0.25, 1.0


def read_path(packets: Frames) -> PosePath:
    """The path of the IMU: x east, y north, z up, the first packet's place as origin.

    Raises:
        InputError: there is no packet, one is damaged, or their stamps do not increase.
    """
    numbers_ = list(packets.files)
    if not numbers_:
        raise InputError(f"{packets.data}: no OXTS packet in it, so the car's poses are not known")
    stamps_us = packets.stamps_us[numbers_]
    if (np.diff(stamps_us) <= 0).any():
        row = numbers_[int(np.argmax(np.diff(stamps_us) <= 0)) + 1]
        raise InputError(f"{packets.timestamps}: line {row + 1} is not after the stamp before it")
    rows = np.stack([read_packet(path) for path in packets.files.values()])
    T_global_ego = poses_of(rows)
    if len(rows) == 1:
        # A lone packet also tells how the car moved.
        stamps_us, T_global_ego = _continued(stamps_us, T_global_ego, rows[0])
    return PosePath(stamps_us, T_global_ego, REACH_S, MAX_GAP_S)


def read_packet(path: Path) -> Float64:
    """The numbers (30,) of a packet.

    Raises:
        InputError: the file is missing, or a number is none or out of all bounds.
    """
    values = numbers(path, read_text(path), PACKET, "packet")
    lat, lon, alt = values[_LAT_LON_ALT]
    if abs(lat) > 85 or abs(lon) > 180 or abs(alt) > 20_000 or np.abs(values[_ROLL_PITCH_YAW]).max() > 7:
        raise InputError(f"{path}: {values[:6].tolist()} are no latitude, longitude, height, roll, pitch, yaw")
    return values


def poses_of(packets: Float64) -> Float64:
    """T_global_ego (N,4,4) of packets (N,30), by Mercator's projection at the first one's latitude."""
    from scipy.spatial.transform import Rotation

    lat, lon, alt = packets[:, _LAT_LON_ALT].T
    metres = EARTH_RADIUS_M * np.cos(np.deg2rad(lat[0]))
    xyz = np.stack([metres * np.deg2rad(lon), metres * np.log(np.tan(np.deg2rad(90 + lat) / 2)), alt], axis=1)
    T = np.zeros((len(packets), 4, 4))
    T[:, :3, :3] = Rotation.from_euler("xyz", packets[:, _ROLL_PITCH_YAW]).as_matrix()
    T[:, :3, 3] = xyz - xyz[0]
    T[:, 3, 3] = 1.0
    return T


def _continued(stamps_us: NDArray[np.int64], T_global_ego: Float64, packet: Float64) -> tuple[Any, Float64]:
    """A second pose a tenth of a second later, by the packet's velocities."""
    from scipy.spatial.transform import Rotation

    later = T_global_ego[0].copy()
    later[:3, :3] = later[:3, :3] @ Rotation.from_rotvec(0.1 * packet[_RATES_RADPS]).as_matrix()
    later[:3, 3] += 0.1 * packet[[_EAST_MPS, _NORTH_MPS, _UP_MPS]]
    return np.append(stamps_us, stamps_us + 100_000), np.stack([T_global_ego[0], later])
