"""How far two lidars of a recording are from agreeing: distances of one's points from planes through the other's.

    python benchmarks/accuracy/lidar_agreement.py --dataroot DIR [--scene NAME] [--sweeps N]

Points inside annotated boxes are left out, and planes that are not flat or were hit from one line only. Prints median
and 90th percentile for every pair of lidars, at most N sweeps of each.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import read_scene
from densegt.accumulation.timing import EgoPath, point_times, to_global
from densegt.datasets import open_recording
from densegt.datasets.scene import Scene
from densegt.geometry import boxes, se3

NEIGHBOURS = 12
REACH_M = 0.6
# Of a plane's patch: thickness at most, width across the longest direction at least.
THIN_M, WIDE_M = 0.03, 0.06


def static_points(scene: Scene, channel: str, most: int) -> np.ndarray:
    """A lidar's points (N,3) in global minus the first ego position, outside all boxes."""
    path = EgoPath.of(scene)
    origin = scene.sweeps[0].T_global_ego[:3, 3]
    found = []
    for sweep in [s for s in scene.sweeps if s.lidar.channel == channel][:most]:
        points = scene.read_points(sweep)
        xyz = to_global(points.xyz_lidar, sweep, point_times(points, sweep), path)
        keep = np.linalg.norm(points.xyz_lidar, axis=1) > 3.0
        for track in scene.tracks:
            at = int(np.argmin(np.abs(track.timestamps_us - sweep.timestamp_us)))
            xyz_box = se3.apply(se3.inverse(track.T_global_box[at]), xyz)
            keep &= ~boxes.contains(xyz_box, track.size_lwh_m + 1.0)
        found.append(xyz[keep] - origin)
    return np.concatenate(found)


def distances_m(of: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Signed distances of points from planes through their neighbours among the others."""
    tree = cKDTree(to)
    range_m, near = tree.query(of, k=NEIGHBOURS, distance_upper_bound=REACH_M)
    whole = np.isfinite(range_m).all(axis=1)
    patch = to[near[whole]]
    middle = patch.mean(axis=1)
    spread, axes = np.linalg.eigh(np.einsum("nki,nkj->nij", patch - middle[:, None], patch - middle[:, None]))
    spread = np.sqrt(np.maximum(spread, 0) / NEIGHBOURS)
    flat = (spread[:, 0] < THIN_M) & (spread[:, 1] > WIDE_M)
    return np.einsum("ni,ni->n", of[whole] - middle, axes[:, :, 0])[flat]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataroot", type=Path, required=True)
    parser.add_argument("--scene")
    parser.add_argument("--sweeps", type=int, default=4)
    options = parser.parse_args()
    recording = open_recording(options.dataroot)
    scene = read_scene(recording, options.scene or recording.scene_names[0], AccumulateConfig())
    points = {lidar.channel: static_points(scene, lidar.channel, options.sweeps) for lidar in scene.lidars}
    for one, other in combinations(points, 2):
        both = np.abs(np.concatenate([distances_m(points[a], points[b]) for a, b in ((one, other), (other, one))]))
        median_m, high_m = np.quantile(both, [0.5, 0.9])
        print(f"{one} and {other}: {len(both)} points, median {median_m:.3f} m, 90 % within {high_m:.3f} m")


if __name__ == "__main__":
    main()
