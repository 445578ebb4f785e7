"""What a whole nuScenes costs: seconds and memory of a long scene on one core, worker scaling, and the arithmetic.

python -m benchmarks.speed.scale --dataroot world --image-size 1600x900 --keyframes 2 --scaling-scenes 4

One long scene (20 s: 400 sweeps) is prepared once, and some of its keyframes are rendered and written on one core;
radar-camera-fusion-depth's method does the first of these keyframes from 160 of the sweeps: once as its program goes
about it, point by point, and once with numpy, which is about as fast as its idea can be without its work. Scaling is
wall time of the command itself with one worker and with two, on scenes simulated for it, start-up included. Hours are
for trainval's keyframes on 16 cores, at the efficiency that two workers showed.
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    # One core, so that seconds can be compared; read when numpy and numba start.
    os.environ.update(NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.accuracy import baselines
from benchmarks.speed import point_by_point, speed
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import read_scene
from densegt.batch.executor.kept_memory import keep_freed_memory
from densegt.batch.memory import scene_bytes
from densegt.datasets import open_recording
from densegt.datasets.scene import Scene
from densegt.simulate.config import SimulateConfig
from densegt.simulate.run import simulate

KEYFRAMES, CORES = 34_149, 16
TARGET_S, TARGET_GB, TARGET_SCALING, TARGET_RATIO = 1.0, 3.0, 1.8, 50.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = parser().parse_args(arguments)
    # As worker processes do.
    keep_freed_memory()
    console = Console(width=140)
    found = long_scene(options.dataroot, options.image_size, options.keyframes)
    console.print(
        f"{found['sweeps']} sweeps of {found['points_a_sweep']:.0f} points, {options.image_size}, one core: "
        f"prepare {found['prepare_s']:.2f} + render {found['render_s']:.2f} + write {found['write_s']:.2f} = "
        f"{found['total_s']:.2f} s a keyframe ({TARGET_S}); floor {found['floor_s']:.2f} s; "
        f"peak {found['peak_gb']:.2f} GB ({TARGET_GB}), by the formula of --memory {found['formula_gb']:.2f} GB"
    )
    console.print(
        f"radar-camera-fusion-depth's way: {found['point_by_point_s']:.1f} s a keyframe, "
        f"{found['point_by_point_s'] / found['total_s']:.0f} times as long ({TARGET_RATIO:.0f}); "
        f"its idea with numpy: {found['numpy_s']:.1f} s, {found['numpy_s'] / found['total_s']:.1f} times"
    )
    efficiency = 1.0
    if options.scaling_scenes:
        found |= scaling(options.scaling_scenes, options.scaling_seconds)
        efficiency = found["scaling"] / 2
        console.print(
            f"{options.scaling_scenes} scenes: {found['one_worker_s']:.1f} s with one worker, "
            f"{found['two_workers_s']:.1f} s with two: {found['scaling']:.2f} times as fast ({TARGET_SCALING})"
        )
    found["trainval_hours"] = KEYFRAMES * found["total_s"] / (CORES * efficiency) / 3600
    console.print(
        f"trainval on {CORES} cores: {KEYFRAMES} x {found['total_s']:.2f} s / ({CORES} x {efficiency:.2f}) = "
        f"{found['trainval_hours']:.2f} h"
    )
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--dataroot", type=Path, required=True, help="its first scene is measured; 20 s tell most")
    out.add_argument("--image-size", default="1600x900", metavar="WxH")
    out.add_argument("--keyframes", type=int, default=2, help="how many to render, from the middle of the scene")
    out.add_argument("--scaling-scenes", type=int, default=4, help="simulated for one worker and two; 0: not measured")
    out.add_argument("--scaling-seconds", type=float, default=4.0, help="length of each")
    out.add_argument("--json", type=Path, metavar="FILE")
    return out


def long_scene(dataroot: Path, image_size: str, count: int) -> dict[str, Any]:
    """Seconds a keyframe by stage, peak memory, and the baselines' seconds."""
    dataset = open_recording(dataroot)
    scene = read_scene(dataset, dataset.scene_names[0], AccumulateConfig())
    keyframes = list(dict.fromkeys(camera.sample_token for camera in scene.cameras))
    speed.warm_up(scene)
    points = sum(sweep.path.stat().st_size // 20 for sweep in scene.sweeps)
    start = time.process_time()
    cloud = speed.build_cloud(scene, speed.FULL)
    prepare_s = (time.process_time() - start) / len(keyframes)
    middle = keyframes[len(keyframes) // 2 :][:count]
    size = speed.measure(cloud, scene, middle, image_size, prepare_s)
    return {
        "sweeps": len(scene.sweeps),
        "points_a_sweep": points / len(scene.sweeps),
        "prepare_s": prepare_s,
        "render_s": size.render_s,
        "write_s": size.write_s,
        "total_s": size.total_s,
        "floor_s": size.floor_s,
        # As it is before the baselines make their own copies of all points.
        "peak_gb": size.peak_gb,
        "formula_gb": scene_bytes(points) / 2**30,
    } | baselines_s(scene, middle[0], image_size)


def baselines_s(scene: Scene, keyframe: str, image_size: str) -> dict[str, float]:
    """Seconds for a keyframe by radar-camera-fusion-depth's method; numpy reads each sweep once, to be kind."""
    cameras = speed.resized([c for c in scene.cameras if c.sample_token == keyframe], image_size)
    own = baselines.own_sweep(scene, cameras[0])
    around = replace(scene, cameras=tuple(cameras), sweeps=scene.sweeps[max(own - 80, 0) : own + 81])
    numpy_s, _ = speed.timed(lambda: list(baselines.masked_objects(around)))
    everywhere = replace(scene, cameras=tuple(speed.resized(scene.cameras, image_size)))
    point_by_point_s, _ = speed.timed(lambda: list(point_by_point.masked_objects(everywhere, cameras)))
    return {"numpy_s": numpy_s, "point_by_point_s": point_by_point_s}


def scaling(scenes: int, seconds: float) -> dict[str, float]:
    """Wall seconds of the command with one worker and with two, kernels compiled before."""
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder) / "world"
        simulate(SimulateConfig(scenes=scenes, seconds=seconds, seed=77), world, workers=1)
        command_s(world, Path(folder) / "warm", 1, "--scene", "scene-0001")
        one, two = (command_s(world, Path(folder) / str(n), n) for n in (1, 2))
    return {"one_worker_s": one, "two_workers_s": two, "scaling": one / two}


def command_s(world: Path, out: Path, workers: int, *more: str) -> float:
    """Wall seconds of `densegt accumulate`, each process held to one thread, so that workers are what differs."""
    command = [sys.executable, "-c", "from densegt.cli.main import main; main()", "accumulate"]
    command += ["--dataroot", str(world), "--out", str(out), "--workers", str(workers), *more]
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, env=os.environ)
    return time.monotonic() - start


if __name__ == "__main__":
    main()
