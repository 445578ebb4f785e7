"""Statistics of recordings, side by side: points by range, lost beams, intensities, ring gaps, depth edges, cars.

python -m benchmarks.accuracy.street_statistics DATAROOT...
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.geometry.boxes import contains
from densegt.geometry.camera import project
from densegt.geometry.se3 import apply, from_quaternion, inverse

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

RANGES_M = (2.5, 5, 10, 15, 20, 30, 40, 60, 100)
BEAMS = {32: 34_720, 64: 133_312}
"""Beams in a turn of an HDL-32E and an HDL-64E, by rings."""

CLASSES = {"car": ("vehicle.car",), "truck or bus": ("vehicle.truck", "vehicle.bus"), "person": ("human",)}
CARS_M = (5.0, 10.0, 20.0, 30.0, 50.0)
KEYFRAMES = 12
CELL_PX, EDGE = 8, 0.1
"""Neighbouring points in a picture whose depths differ by more than this share lie at an edge."""


@dataclass(frozen=True)
class Keyframe:
    """Points as stored, their places in ego, and boxes: category, T_ego_box, size; and cameras: T_cam_ego, K, size."""

    points: Float32
    xyz_ego: Float64
    boxes: list[tuple[str, Float64, Float64]] = field(default_factory=list)
    cameras: list[tuple[Float64, Float64, tuple[int, int]]] = field(default_factory=list)


class _Tables:
    def __init__(self, root: Path) -> None:
        self.root, folder = root, next(root.glob("v1.0-*"))
        names = ("sensor", "calibrated_sensor", "ego_pose", "instance", "category")
        self.by = {n: {row["token"]: row for row in json.loads((folder / f"{n}.json").read_text())} for n in names}
        self.data = json.loads((folder / "sample_data.json").read_text())
        self.boxes = json.loads((folder / "sample_annotation.json").read_text())

    def category(self, box: dict[str, str]) -> str:
        return str(self.by["category"][self.by["instance"][box["instance_token"]]["category_token"]]["name"])


def _pose(row: dict[str, list[float]]) -> Float64:
    return from_quaternion(row["rotation"], row["translation"])


def keyframes(root: Path) -> Iterator[Keyframe]:
    """At most twelve keyframes, spread over the data set."""
    tables = _Tables(root)
    shown = [row for row in tables.data if row["is_key_frame"]]
    mounts = {row["token"]: tables.by["calibrated_sensor"][row["calibrated_sensor_token"]] for row in shown}
    lidars = [r for r in shown if tables.by["sensor"][mounts[r["token"]]["sensor_token"]]["modality"] == "lidar"]
    for row in lidars[:: max(len(lidars) // KEYFRAMES, 1)][:KEYFRAMES]:
        points = np.fromfile(root / row["filename"], dtype="<f4").reshape(-1, 5)
        T_ego_global = inverse(_pose(tables.by["ego_pose"][row["ego_pose_token"]]))
        boxes = [
            (tables.category(b), T_ego_global @ _pose(b), np.array(b["size"])[[1, 0, 2]])
            for b in tables.boxes
            if b["sample_token"] == row["sample_token"]
        ]
        cameras = [
            (
                inverse(_pose(mounts[r["token"]])),
                np.array(mounts[r["token"]]["camera_intrinsic"]),
                (r["width"], r["height"]),
            )
            for r in shown
            if r["sample_token"] == row["sample_token"] and r["height"]
        ]
        yield Keyframe(points, apply(_pose(mounts[row["token"]]), points[:, :3]), boxes, cameras)


def lost_beams(frame: Keyframe) -> float:
    """Share of beams without a return or with one nearer than 2.5 m."""
    seen = np.linalg.norm(frame.points[:, :3], axis=1) > RANGES_M[0]
    return float(1 - seen.sum() / BEAMS[32 if frame.points[:, 4].max() < 32 else 64])


def by_range(frame: Keyframe) -> Float64:
    """Shares of points between RANGES_M."""
    r = np.linalg.norm(frame.points[:, :3], axis=1)
    return np.histogram(r, RANGES_M)[0] / (r > RANGES_M[0]).sum()


def intensities(frame: Keyframe) -> dict[str, Float32]:
    """Of the road, of what is higher than 0.7 m, and of the points in boxes, by class."""
    r = np.linalg.norm(frame.points[:, :3], axis=1)
    seen, value = r > RANGES_M[0], frame.points[:, 3]
    out = {
        "road": value[seen & (np.abs(frame.xyz_ego) < [25, 4, 0.25]).all(axis=1)],
        "higher": value[seen & (frame.xyz_ego[:, 2] > 0.7) & (r < 40)],
    }
    for name, categories in CLASSES.items():
        inside = [value[_inside(frame, T, size)] for c, T, size in frame.boxes if c.startswith(categories)]
        out[name] = np.concatenate([*inside, value[:0]])
    return out


def _inside(frame: Keyframe, T_ego_box: Float64, size: Float64) -> NDArray[np.bool_]:
    return contains(apply(inverse(T_ego_box), frame.xyz_ego), size)


def ring_gaps(frame: Keyframe) -> Float64:
    """Distances in m between the road's points of a ring and the next ring's at the same azimuth, 5 to 15 m ahead."""
    x, y, z = frame.xyz_ego.T
    strip = (np.abs(y) < 0.5) & (np.abs(z) < 0.3) & (x > 5) & (x < 15)
    ring = frame.points[:, 4]
    middles = np.array([x[strip & (ring == k)].mean() for k in np.unique(ring[strip])])
    return np.diff(np.sort(middles))


def edge_share(frame: Keyframe) -> float:
    """Share of cells of 8 px (of a picture 800 wide) whose points' depths differ by more than a tenth."""
    cells = edges = 0
    for T_cam_ego, K, (width, height) in frame.cameras:
        uv, z = project(K, apply(T_cam_ego, frame.xyz_ego))
        side = CELL_PX * width / 800
        at = (z > 1) & (uv >= 0).all(axis=1) & (uv < [width, height]).all(axis=1)
        cell = (uv[at, 1] // side).astype(int) * 10_000 + (uv[at, 0] // side).astype(int)
        order = np.argsort(cell, kind="stable")
        starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
        low, high = (f.reduceat(z[at][order], starts) for f in (np.minimum, np.maximum))
        several = np.diff(np.append(starts, len(order))) > 1
        cells, edges = cells + several.sum(), edges + (several & (high > (1 + EDGE) * low)).sum()
    return float(edges / max(cells, 1))


def points_on_cars(frame: Keyframe) -> list[list[int]]:
    """Counts of points in each car's box, by its distance between CARS_M."""
    out: list[list[int]] = [[] for _ in CARS_M[1:]]
    for category, T, size in frame.boxes:
        bin_ = int(np.searchsorted(CARS_M, np.hypot(*T[:2, 3]))) - 1
        if category == "vehicle.car" and 0 <= bin_ < len(out):
            out[bin_].append(int(_inside(frame, T, size).sum()))
    return out


def report(root: Path) -> str:
    """Lines on one data set."""
    frames = list(keyframes(root))
    lines = [f"{root.name}: {len(frames)} keyframes, {100 * np.mean([lost_beams(f) for f in frames]):.1f} % lost beams"]
    lines.append(f"  % of points between {RANGES_M} m: {100 * np.mean([by_range(f) for f in frames], axis=0)!s}")
    values = [intensities(f) for f in frames]
    for name in values[0]:
        together = np.concatenate([v[name] for v in values])
        if len(together):
            lines.append(
                f"  intensity of {name} (10, 25, 50, 75, 90 %): {np.percentile(together, [10, 25, 50, 75, 90])!s}"
            )
    gaps = np.concatenate([ring_gaps(f) for f in frames])
    lines.append(f"  ring gaps on the road 5-15 m ahead (10, 50, 90 %): {np.percentile(gaps, [10, 50, 90])!s} m")
    lines.append(f"  cells at depth edges: {100 * np.mean([edge_share(f) for f in frames]):.1f} %")
    cars = [points_on_cars(f) for f in frames]
    counts = [[n for c in cars for n in c[k]] for k in range(len(CARS_M) - 1)]
    lines.append(
        f"  points on cars between {CARS_M} m (median): {[float(np.median(c)) if c else None for c in counts]}"
    )
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roots", nargs="+", type=Path, metavar="DATAROOT", help="folders in nuScenes format")
    return parser


def main(roots: list[Path]) -> None:
    """A paragraph for each data set."""
    np.set_printoptions(precision=2, suppress=True)
    for root in roots:
        print(report(root))


if __name__ == "__main__":
    main(**vars(parser().parse_args()))
