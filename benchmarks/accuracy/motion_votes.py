"""What moves, point by point and object by object: a network's votes beside free space, on simulated worlds.

python -m benchmarks.accuracy.motion_votes world-a world-b --checkpoint trained/motion.safetensors --json votes.json
python -m benchmarks.accuracy.motion_votes world-a --checkpoint trained/motion.safetensors --reach 48 --every 4
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    # One core; read when numpy, numba and torch start.
    os.environ.update(NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import json
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.measurements import measure_scene
from densegt.accumulation.motion.free_space import find_transient
from densegt.accumulation.scene_input import read_scene
from densegt.accumulation.sweep_returns import read_returns
from densegt.batch.executor.kept_memory import keep_freed_memory
from densegt.datasets import RecordingPath, open_recording
from densegt.motion_net.checkpoint import read_network, shipped_weights
from densegt.motion_net.examples import make_example
from densegt.motion_net.infer import votes_of_scan, with_reach
from densegt.motion_net.scene_data import SceneData, read_scenes
from densegt.motion_net.scene_maps import SceneMaps
from densegt.motion_net.scores import MotionScores

NOTES = """\
Points within the reach, moving faster than 0.5 m/s or slower than 0.2. Objects: moving ones with at least five points
in a scan, each scan counted by itself; found where half of their points are. Free space: points that two of the sweeps
that `accumulate` asks looked through. All static says nothing moves. DUFOMap (Duberg et al., RA-L 2024;
`pip install dufomap`, where it is installed): voxels of 10 cm that were ever surely empty, its own settings, all sweeps
of the scene given before the first is asked about.
"""
CONFIG = AccumulateConfig(motion="free", refine_poses=False)

Bool = NDArray[np.bool_]
Method = Callable[[SceneData, int], tuple[NDArray[np.intp], Bool]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Score every world; print, and write what was asked for."""
    options = parser().parse_args(arguments)
    # As workers of `predict-motion` do.
    keep_freed_memory()
    checkpoints = options.checkpoint or [shipped_weights()]
    nets = {path.parent.name + "/" + path.stem: with_reach(read_network(path), options.reach) for path in checkpoints}
    others = ("free space", *(("DUFOMap",) if find_spec("dufomap") else ()), "all static")
    results = {name: MotionScores() for name in (*nets, *others)}
    for folder in options.worlds:
        (data,) = read_scenes([RecordingPath(folder)], "exact", CONFIG, print)
        said = {"free space": free_space_transient(folder), "all static": np.zeros(len(data.scans.xyz), dtype=np.bool_)}
        if "DUFOMap" in results:
            said["DUFOMap"] = dufomap_dynamic(data)
        maps = {name: SceneMaps(net, data.scans) for name, net in nets.items()}
        for scan in range(0, len(data.scans), options.every):
            for name, one in maps.items():
                add_network(results[name], one, data, scan)
            config = next(iter(nets.values())).config
            rows = make_example(data.scans, scan, config, None).rows
            for name in others:
                add(results[name], data, rows, said[name][rows], scan)
    found = {name: scores.compute() for name, scores in results.items()}
    Console(width=160).print(table(found))
    print(NOTES)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__ + NOTES, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument(
        "worlds", nargs="+", type=Path, metavar="DIR", help="written by `densegt simulate`, one scene each"
    )
    out.add_argument("--checkpoint", nargs="+", type=Path, metavar="FILE", help="of train-motion; else what ships")
    out.add_argument("--reach", type=float, default=32.0, metavar="M", help="to each side")
    out.add_argument("--every", type=int, default=2, help="only every so manyeth scan")
    out.add_argument("--json", type=Path, metavar="FILE")
    return out


def add_network(scores: MotionScores, maps: SceneMaps, data: SceneData, scan: int) -> None:
    """Ask a network about one scan."""
    rows, votes = votes_of_scan(maps, scan, CONFIG.free_space)
    add(scores, data, rows, votes.moving > 0.5, scan)
    scores.update_classes(votes.kind, data.labels.kind[rows])


def add(scores: MotionScores, data: SceneData, rows: NDArray[np.intp], moving: Bool, scan: int) -> None:
    """Add one scan to some scores."""
    labels = data.labels
    range_m = np.linalg.norm(data.scans.xyz[rows, :2] - data.scans.xy[scan], axis=1).astype(np.float32)
    scores.update(moving, labels.moving[rows], labels.thing[rows], labels.speed_mps[rows], range_m, labels.kind[rows])


def free_space_transient(folder: Path) -> Bool:
    """Which points of a world's scene free space alone says were not there for good."""
    recording = open_recording(folder)
    scene = read_scene(recording, recording.scene_names[0], CONFIG)
    measured = measure_scene(scene, read_returns(scene, CONFIG), CONFIG)
    surfels = measured.surfels
    return find_transient(measured.images, measured.moments, surfels.xyz, surfels.sweep, CONFIG.free_space)


def dufomap_dynamic(data: SceneData) -> Bool:
    """Which points of a scene DUFOMap says were in what was ever empty."""
    from dufomap import dufomap

    scans, out = data.scans, np.zeros(len(data.scans.xyz), dtype=np.bool_)
    # Resolution, and its distances for hits and for the unknown, as its authors set them.
    finder = dufomap(0.1, 0.2, 2, num_threads=1)
    poses: list[list[float]] = []
    for sweep in range(len(scans.sweeps)):
        # x, y, z and a quaternion that turns nothing: points are in global axes already.
        poses.append([*map(float, scans.images.origin[sweep]), 1.0, 0.0, 0.0, 0.0])
        finder.run(_points_of(data, sweep), poses[-1], cloud_transform=False)
    finder.oncePropagateCluster(if_propagate=True, if_cluster=False)
    for sweep in range(len(scans.sweeps)):
        here = slice(int(scans.first[sweep]), int(scans.first[sweep + 1]))
        out[here] = np.asarray(finder.segment(_points_of(data, sweep), poses[sweep], cloud_transform=False)) > 0
    return out


def _points_of(data: SceneData, sweep: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(data.scans.xyz[int(data.scans.first[sweep]) : int(data.scans.first[sweep + 1])])


def table(found: dict[str, dict[str, object]]) -> Table:
    """Figures, a column a method."""
    out = Table("", *found, title="percent")
    plain = ("IoU", "precision", "recall", "mIoU of classes")
    for name in plain:
        out.add_row(name, *(_shown(figures[name]) for figures in found.values()))
    first = next(iter(found.values()))
    for group, count in first["objects"].items():  # type: ignore[attr-defined]
        shares = (figures["objects found"][group] for figures in found.values())  # type: ignore[index]
        out.add_row(f"found, {group} ({count})", *map(_shown, shares))
    return out


def _shown(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else "-"


if __name__ == "__main__":
    main()
