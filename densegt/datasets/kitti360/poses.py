"""KITTI-360's poses: one line a frame, only for frames at which the car had moved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.kitti_raw.rig import rotation
from densegt.datasets.kitti_raw.text_files import numbers, read_text
from densegt.datasets.pose_path import PosePath
from densegt.errors import InputError


def read_path(path: Path, stamps_us: NDArray[np.int64]) -> PosePath:
    """The path of the GPS/IMU, the first pose's place as origin; between two poses the car hardly moved.

    Args:
        stamps_us: of all sweeps (N,); a pose's line tells its frame.

    Raises:
        InputError: the file is missing or empty, a line is no pose, or frames do not increase.
    """
    lines = read_text(path).rstrip().splitlines()
    if not lines:
        raise InputError(f"{path}: no pose in it")
    rows = np.stack([numbers(path, line, 13, f"line {row + 1}") for row, line in enumerate(lines)])
    frames = rows[:, 0]
    wrong = (frames != np.floor(frames)) | (frames < 0) | (frames >= len(stamps_us))
    wrong[1:] |= np.diff(frames) <= 0
    if wrong.any():
        row = int(np.argmax(wrong))
        what = f"frame {frames[row]:g} is not after the line before it, or not below the {len(stamps_us)} stamps"
        raise InputError(f"{path}: line {row + 1}: {what}")
    T = np.tile(np.eye(4), (len(rows), 1, 1))
    T[:, :3] = rows[:, 1:].reshape(-1, 3, 4)
    for row in range(len(T)):
        T[row, :3, :3] = rotation(path, f"line {row + 1}", T[row, :3, :3])
    T[:, :3, 3] -= T[0, :3, 3].copy()
    return PosePath(stamps_us[frames.astype(np.intp)], T)
