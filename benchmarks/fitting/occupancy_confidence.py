"""How sure an occupied or free voxel is, by how many surfels lie in it and how many beams passed through it.

    python -m benchmarks.fitting.occupancy_confidence --worlds WORLD... --out densegt/occupancy/confidence.json

Worlds are simulated cities. An occupied voxel is right where any surface lies in it, a free one where less than a tenth
of a face of surface does. Rare combinations are drawn towards the mean of their state.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from densegt.accumulation.pipeline import build_cloud
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.occupancy.confidence import BINS, evidence_bin
from densegt.occupancy.config import OccupancyConfig
from densegt.occupancy.exact import ExactScene
from densegt.occupancy.grid import VoxelGrid, open_grid
from densegt.occupancy.pipeline import occupancy_of_scene
from densegt.occupancy.voxels import State

# As many voxels' worth of the mean.
PRIOR = 30
CLIPPED = 0.1


def count_world(folder: Path, grid: VoxelGrid, config: OccupancyConfig) -> np.ndarray:
    """Voxels (2,2,H,P) of a world: wrong and right, free and occupied, by bins of hits and of passes."""
    counts = np.zeros((2, 2, len(BINS) + 1, len(BINS) + 1))
    recording = open_recording(folder)
    for name in recording.scene_names:
        scene, exact = read_scene(recording, name, config), ExactScene(folder, name)
        for voxels in occupancy_of_scene(build_cloud(scene, config), scene, grid, config):
            area = exact.voxels(grid, voxels.frame.timestamp_us).area
            right = np.where(voxels.occupied, area > 0, area < CLIPPED)
            known = voxels.state != State.UNOBSERVED
            of = (right, voxels.state - 1, evidence_bin(voxels.hits), evidence_bin(voxels.passes))
            np.add.at(counts, tuple(part[known].astype(int) for part in of), 1)
    return counts


def probabilities(counts: np.ndarray) -> np.ndarray:
    """(2,H,P) from counts (2,2,H,P)."""
    total, right = counts.sum(axis=0), counts[1]
    mean = right.sum(axis=(1, 2), keepdims=True) / np.maximum(total.sum(axis=(1, 2), keepdims=True), 1)
    return (right + PRIOR * mean) / (total + PRIOR)


def parser() -> argparse.ArgumentParser:
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--worlds", type=Path, nargs="+", required=True)
    out.add_argument("--grid", default="occ3d")
    out.add_argument("--out", type=Path, required=True)
    return out


def main() -> None:
    arguments = parser().parse_args()
    counts = sum(count_world(folder, open_grid(arguments.grid), OccupancyConfig()) for folder in arguments.worlds)
    said = {
        "worlds": len(arguments.worlds),
        "grid": arguments.grid,
        "voxels": int(counts.sum()),
        "bins": list(BINS),
        "probability": np.round(probabilities(counts), 4).tolist(),
    }
    arguments.out.write_text(json.dumps(said) + "\n")
    wrong = counts[0].sum(axis=(1, 2)) / counts.sum(axis=(0, 2, 3))
    print(f"wrong: {100 * wrong[0]:.2f} % of free, {100 * wrong[1]:.1f} % of occupied voxels")


if __name__ == "__main__":
    main()
