"""How long the motion network takes for a scan, on one core, as `densegt predict-motion` asks it.

python -m benchmarks.speed.motion_scan world
python -m benchmarks.speed.motion_scan world --reach 48 --checkpoint trained/motion.safetensors
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    # One core; read when numpy, numba and torch start.
    os.environ.update(NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import examine
from densegt.batch.executor.kept_memory import keep_freed_memory
from densegt.datasets import open_recording
from densegt.motion_net.answering import has_bfloat16
from densegt.motion_net.checkpoint import read_network, shipped_weights
from densegt.motion_net.infer import votes_of_scan, with_reach
from densegt.motion_net.scans import read_scans
from densegt.motion_net.scene_maps import SceneMaps


def main(arguments: Sequence[str] | None = None) -> None:
    """Median processor time a scan over a whole scene, and of asking free space alone."""
    options = parser().parse_args(arguments)
    torch.set_num_threads(1)
    keep_freed_memory()
    config, recording = AccumulateConfig(), open_recording(options.world)
    scene = examine(recording.scene(recording.scene_names[0]), config.lidar, sane=False, strict=False).scene
    scans = read_scans(scene, config)
    maps = SceneMaps(with_reach(read_network(options.checkpoint or shipped_weights()), options.reach), scans)
    asked: list[int] = []

    def vote(scan: int) -> None:
        asked.append(len(votes_of_scan(maps, scan, config.free_space)[0]))

    vote(0)
    whole = median_ms(vote, maps.order())
    near = [
        np.flatnonzero(np.abs(scans.xyz[:, :2] - scans.xy[s]).max(axis=1) < options.reach) for s in range(len(scans))
    ]
    own = [np.intersect1d(rows, scans.rows_of(s)) for s, rows in enumerate(near)]
    free = median_ms(lambda scan: scans.free_space(own[scan], config.free_space), range(len(scans)))
    print(f"{len(scans)} scans of {np.mean(asked):.0f} points within {options.reach:g} m; bfloat16: {has_bfloat16()}")
    print(f"{whole:.1f} ms a scan, {free:.1f} of them free space")


def median_ms(ask: Callable[[int], object], scans: Sequence[int]) -> float:
    """Processor time of one call, the median over scans."""
    seconds = []
    for scan in scans:
        start = time.process_time()
        ask(scan)
        seconds.append(time.process_time() - start)
    return float(1e3 * np.median(seconds))


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("world", type=Path, metavar="DIR", help="a recording; its first scene is read")
    out.add_argument("--checkpoint", type=Path, metavar="FILE", help="of train-motion; else what ships")
    out.add_argument("--reach", type=float, default=32.0, metavar="M", help="to each side")
    return out


if __name__ == "__main__":
    main()
