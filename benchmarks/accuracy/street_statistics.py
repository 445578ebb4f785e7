"""Points by range, beams without a return and intensities of data sets in nuScenes format, side by side.

python benchmarks/accuracy/street_statistics.py DATAROOT...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.geometry.se3 import apply, from_quaternion

RANGES_M = (2.5, 5, 10, 15, 20, 30, 40, 60, 100)
BEAMS = {32: 34_720, 64: 133_312}
"""Beams in a turn of an HDL-32E and an HDL-64E, by rings."""


def keyframe_sweeps(root: Path) -> list[tuple[NDArray[np.float32], NDArray[np.float64]]]:
    """Points as stored and their places in ego, of at most six keyframes."""
    folder = next(root.glob("v1.0-*"))
    sensors, mounts = (
        {row["token"]: row for row in json.loads((folder / f"{name}.json").read_text())}
        for name in ("sensor", "calibrated_sensor")
    )
    out = []
    for row in json.loads((folder / "sample_data.json").read_text()):
        mount = mounts[row["calibrated_sensor_token"]]
        if row["is_key_frame"] and sensors[mount["sensor_token"]]["modality"] == "lidar":
            points = np.fromfile(root / row["filename"], dtype="<f4").reshape(-1, 5)
            out.append((points, apply(from_quaternion(mount["rotation"], mount["translation"]), points[:, :3])))
    return out[:12]


def main(roots: list[Path]) -> None:
    """A line for each data set."""
    for root in roots:
        shares, nothing, ground, above = [], [], [], []
        for points, xyz_ego in keyframe_sweeps(root):
            r = np.linalg.norm(points[:, :3], axis=1)
            seen = r > RANGES_M[0]
            shares.append(100 * np.histogram(r[seen], RANGES_M)[0] / seen.sum())
            nothing.append(100 * (1 - seen.sum() / BEAMS[32 if points[:, 4].max() < 32 else 64]))
            road = seen & (np.abs(xyz_ego) < [25, 4, 0.25]).all(axis=1)
            high = seen & (xyz_ego[:, 2] > 0.7) & (r < 40)
            ground.append(np.percentile(points[road, 3], [10, 50, 90]) if road.any() else np.full(3, np.nan))
            above.append(np.percentile(points[high, 3], [10, 50, 90]))
        print(f"{root.name}: without a return or nearer than {RANGES_M[0]} m {np.mean(nothing):.1f} %")
        print(f"  % of points between {RANGES_M} m: {np.mean(shares, axis=0).round(1)}")
        on_road, higher = np.mean(ground, axis=0).round(), np.mean(above, axis=0).round()
        print(f"  intensity (10, 50, 90 %): road {on_road}, above {higher}")


if __name__ == "__main__":
    main([Path(p) for p in sys.argv[1:]])
