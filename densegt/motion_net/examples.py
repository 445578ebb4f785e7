"""Examples: a scan that is asked about, those before and after it, all in its level frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from densegt.motion_net.config import NetConfig
from densegt.motion_net.scans import FREE_SPACE_COLUMNS, SceneScans

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class ScanPoints:
    """A scan's points (N) in the level frame of the scan that is asked about: x ahead, y left.

    Attributes:
        xyh: (N,3) float32 m, the last above the ground; intensity: (N,) float32, 0 to 1; ring: (N,) uint16.
        gap_s: from the scan that is asked about, either way.
    """

    xyh: Float32
    intensity: Float32
    ring: NDArray[np.uint16]
    gap_s: float

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> ScanPoints:
        """Some points."""
        return ScanPoints(self.xyh[rows], self.intensity[rows], self.ring[rows], self.gap_s)


@dataclass(frozen=True)
class Example:
    """What the network is given.

    Attributes:
        base: the scan that is asked about; others: those before and after it that are there.
        rows: (N,) of the scene's points, those of base.
        free_space: (N, FREE_SPACE_COLUMNS) float32 shares, see `SceneScans.free_space`.
        R_base_global: (2,2), turns global x and y into the frame.
        asked: (A,) which of base's points are asked about; None for all.
        lidar_xy: where the car is in the frame.
    """

    base: ScanPoints
    others: tuple[ScanPoints, ...]
    rows: NDArray[np.intp]
    free_space: Float32
    R_base_global: NDArray[np.float64]
    asked: NDArray[np.intp] | None = None
    lidar_xy: tuple[float, float] = (0.0, 0.0)


def make_example(scans: SceneScans, scan: int, net: NetConfig, free_space: NDArray[np.uint8] | None) -> Example:
    """The example about a scan, as far as the network reaches.

    Args:
        free_space: of all points of the scene; None where the network takes none.
    """
    c, s = np.cos(scans.yaw[scan]), np.sin(scans.yaw[scan])
    R = np.array([[c, s], [-s, c]])
    gaps_s = [sign * gap_s for gap_s in net.gaps_s for sign in (-1, 1)]
    there = [(gap_s, scans.at(scan, gap_s)) for gap_s in gaps_s]
    base, rows = _points(scans, scan, scan, R, net.reach_m)
    others = tuple(_points(scans, k, scan, R, net.reach_m)[0] for _, k in there if k >= 0)
    shares = np.zeros((len(rows), FREE_SPACE_COLUMNS), dtype=np.float32)
    if free_space is not None and net.free_space:
        shares = free_space[rows].astype(np.float32) / 255
    return Example(base, others, rows, shares, R)


def _points(
    scans: SceneScans, scan: int, about: int, R: NDArray[np.float64], reach_m: float
) -> tuple[ScanPoints, NDArray[np.intp]]:
    rows = scans.rows_of(scan)
    xyh = np.empty((len(rows), 3), dtype=np.float32)
    xyh[:, :2] = (scans.xyz[rows, :2] - scans.xy[about].astype(np.float32)) @ R.T.astype(np.float32)
    near = np.maximum(np.abs(xyh[:, 0]), np.abs(xyh[:, 1])) < reach_m
    rows, xyh = rows[near], xyh[near]
    xyh[:, 2] = scans.height[rows]
    intensity = scans.intensity[rows].astype(np.float32) / 255
    gap_s = abs(float(scans.scan_s[scan] - scans.scan_s[about]))
    return ScanPoints(xyh, intensity, scans.ring[rows], gap_s), rows


def turned(example: Example, angle_rad: float, *, mirrored: bool = False) -> Example:
    """The same world, turned about the car, and seen in a mirror."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    R = np.array([[c, -s], [s, c]]) @ np.diag([1.0, -1.0 if mirrored else 1.0])

    def turn(points: ScanPoints) -> ScanPoints:
        xyh = points.xyh.copy()
        xyh[:, :2] = xyh[:, :2] @ R.T.astype(np.float32)
        return replace(points, xyh=xyh)

    return replace(
        example, base=turn(example.base), others=tuple(map(turn, example.others)),
        R_base_global=R @ example.R_base_global,
    )  # fmt: skip


def cropped(example: Example, middle_xy: NDArray[np.float64], reach_m: float) -> tuple[Example, NDArray[np.bool_]]:
    """A part of the same world about another middle; and which of base's points (N,) are left."""
    middle = np.asarray(middle_xy, dtype=np.float32)

    def near(points: ScanPoints) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = (np.abs(points.xyh[:, :2] - middle) < reach_m).all(axis=1)
        return inside

    def moved(points: ScanPoints) -> ScanPoints:
        taken = points.take(near(points))
        return replace(taken, xyh=taken.xyh - np.append(middle, np.float32(0)))

    kept = near(example.base)
    x, y = example.lidar_xy
    return replace(
        example, base=moved(example.base), others=tuple(map(moved, example.others)), rows=example.rows[kept],
        free_space=example.free_space[kept], lidar_xy=(x - float(middle[0]), y - float(middle[1])),
    ), kept  # fmt: skip


def repeated(example: Example) -> Example:
    """A world in which nothing moves: the scan itself in place of the others, met by all sweeps."""
    met = np.tile(np.array([0.0, 1.0], dtype=np.float32), FREE_SPACE_COLUMNS // 2)
    shares = np.where(example.free_space.any(), np.broadcast_to(met, example.free_space.shape), example.free_space)
    others = tuple(replace(example.base, gap_s=other.gap_s) for other in example.others)
    return replace(example, others=others, free_space=shares.astype(np.float32))


def reversed_in_time(example: Example) -> Example:
    """The same seen backwards: what came before comes after."""
    return replace(example, others=example.others[::-1])
