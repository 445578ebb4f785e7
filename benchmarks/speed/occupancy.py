"""Processor seconds a keyframe, and memory, of `densegt occupancy` on one core.

    python -m benchmarks.speed.occupancy --dataroot WORLD [--grid occ3d]

Processor time is told, not that of the clock, so that other programs count little. Everything is compiled before, by a
keyframe that is not counted.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from threadpoolctl import threadpool_limits

from densegt.accumulation.pipeline import build_cloud
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.occupancy.beams import SceneBeams
from densegt.occupancy.classes import SceneClasses
from densegt.occupancy.config import OccupancyConfig
from densegt.occupancy.grid import open_grid
from densegt.occupancy.pipeline import grid_frames, occupancy_at, occupancy_of_scene
from densegt.occupancy.store import MoverName, OccupancyWriter


def parser() -> argparse.ArgumentParser:
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--dataroot", type=Path, required=True)
    out.add_argument("--scene", help="the first if not given")
    out.add_argument("--grid", default="occ3d")
    return out


def main() -> None:
    arguments = parser().parse_args()
    config, grid = OccupancyConfig(), open_grid(arguments.grid)
    recording = open_recording(arguments.dataroot)
    name = arguments.scene or recording.scene_names[0]
    with threadpool_limits(limits=1), tempfile.TemporaryDirectory() as folder:
        cloud = build_cloud(read_scene(recording, name, config), config)
        frames = grid_frames(cloud, read_scene(recording, name, config), grid)
        occupancy_at(cloud, SceneBeams.of(cloud), frames[0], config)
        del cloud, frames
        times = [time.process_time()]
        scene = read_scene(recording, name, config)
        cloud = build_cloud(scene, config)
        times.append(time.process_time())
        with OccupancyWriter(Path(folder), name, {}) as writer:
            writer.describe(grid, [MoverName(track.token, track.category) for track, _ in cloud.movers])
            keyframes = 0
            for voxels in occupancy_of_scene(cloud, scene, grid, config, classes=SceneClasses.of(cloud, scene, {})):
                writer.write(voxels, sweep_token="", filename="")
                keyframes += 1
        times.append(time.process_time())
    gather, rest = times[1] - times[0], times[2] - times[1]
    print(f"{name}: {len(scene.sweeps)} sweeps, {keyframes} keyframes, {len(scene.cameras)} images, grid {grid.shape}")
    print(f"gather {gather / keyframes:.2f} s, voxels and writing {rest / keyframes:.2f} s a keyframe")
    print(f"in all {(gather + rest) / keyframes:.2f} s a keyframe")
    print(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
