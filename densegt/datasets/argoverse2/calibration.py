"""Where a log's sensors sit, and its cameras' intrinsics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.argoverse2.feather import POSE, poses_of, read_columns
from densegt.errors import InputError

Float64 = NDArray[np.float64]

LIDARS = ("up_lidar", "down_lidar")
# A half turn about x.
_UPRIGHT = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True)
class CameraCalibration:
    """A camera without lens distortion.

    Attributes:
        K: (3,3) px.
        T_ego_cam: (4,4).
    """

    K: Float64
    width_px: int
    height_px: int
    T_ego_cam: Float64


@dataclass(frozen=True)
class Calibration:
    """A log's lidars, `LIDARS`, and the cameras of which both place and intrinsics are known, by name.

    Attributes:
        T_ego_lidar: with z up: the lower lidar hangs upside down, and its frame is turned over here, so that both turn
            clockwise in their own frame.
    """

    T_ego_lidar: dict[str, Float64]
    cameras: dict[str, CameraCalibration]


def read_calibration(folder: Path) -> Calibration:
    """A log's calibration.

    Raises:
        InputError: a table is missing or damaged, or it does not name both lidars.
    """
    path = folder / "egovehicle_SE3_sensor.feather"
    columns = read_columns(path, {"sensor_name": "U", **POSE})
    placed = dict(zip(columns["sensor_name"].tolist(), poses_of(path, columns), strict=True))
    missing = [lidar for lidar in LIDARS if lidar not in placed]
    if missing:
        raise InputError(f"{path}: no {' nor '.join(missing)}; a log has {' and '.join(LIDARS)}")
    upright = {lidar: placed[lidar] if placed[lidar][2, 2] > 0 else placed[lidar] @ _UPRIGHT for lidar in LIDARS}
    return Calibration(upright, _cameras(folder / "intrinsics.feather", placed))


def _cameras(path: Path, placed: dict[str, Float64]) -> dict[str, CameraCalibration]:
    """The cameras of both tables; some logs lack one camera's intrinsics."""
    # k1, k2, k3 tell what the lens did: the images are published with it taken out.
    names = ("fx_px", "fy_px", "cx_px", "cy_px")
    columns = read_columns(
        path, {"sensor_name": "U", **dict.fromkeys(names, "f8"), "height_px": "i8", "width_px": "i8"}
    )
    found = {}
    for row, name in enumerate(columns["sensor_name"].tolist()):
        fx, fy, cx, cy = (float(columns[column][row]) for column in names)
        width_px, height_px = int(columns["width_px"][row]), int(columns["height_px"][row])
        sound = np.isfinite([fx, fy, cx, cy]).all() and fx > 0 and fy > 0
        if not sound or not (0 < width_px <= 2**16 and 0 < height_px <= 2**16):
            what = f"fx, fy, cx, cy {fx}, {fy}, {cx}, {cy} and {width_px}x{height_px} px"
            raise InputError(f"{path}: {name}: {what} are no camera's")
        if name in placed:
            K = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
            found[name] = CameraCalibration(K, width_px, height_px, placed[name])
    return dict(sorted(found.items()))
