"""Where the time goes from sweeps to depth, on one core, stage by stage, beside plain numpy on the same points.

python -m benchmarks.speed.speed --dataroot world --image-size 800x450 1600x900

Seconds are of processor time. Images are not read, so any size can be tried on any recording: K is scaled. The floor
is what remains if nothing had to be worked out: every surfel read once a keyframe, every pixel's layers written once in
memory, at the speed at which this machine copies, and the layers encoded. Memory by sweeps is the peak of the whole
scene less that of its first half.
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    # One core, so that seconds can be compared; read when numpy and numba start.
    os.environ.update(NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.accuracy.baselines import nearest_in_pixel
from benchmarks.speed.stopwatch import watching
from densegt.accumulation import cloud as cloud_module
from densegt.accumulation import measurements as measurements_module
from densegt.accumulation import surfels, timing
from densegt.accumulation.cloud import Cloud
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.motion import free_space, point_assignment, points_in_boxes, tracks
from densegt.accumulation.pipeline import build_cloud
from densegt.accumulation.poses.refinement import refine_poses
from densegt.accumulation.render import confidence, frustum, projected_surfels, surfel_layers
from densegt.accumulation.render import renderer as renderer_module
from densegt.accumulation.render.renderer import render
from densegt.accumulation.scene_input import read_scene
from densegt.accumulation.sweep_returns import read_returns
from densegt.batch.executor.kept_memory import keep_freed_memory
from densegt.datasets import open_recording
from densegt.datasets.nuscenes import sweep_file as sweep_module
from densegt.datasets.scene import Camera, Scene
from densegt.depth.store import SceneWriter
from densegt.geometry import se3

FULL = AccumulateConfig()
NO_FREE_SPACE = FULL.model_copy(update={"motion": "none", "refine_poses": False})
# A surfel of the cloud, and depth, source, age and confidence of a pixel.
PATCH_BYTES, PIXEL_BYTES = 60, 13
TARGET_S = 1.5
MODULES = (
    cloud_module,
    confidence,
    free_space,
    measurements_module,
    points_in_boxes,
    point_assignment,
    surfels,
    projected_surfels,
    renderer_module,
    sweep_module,
    se3,
    surfel_layers,
    timing,
    tracks,
    frustum,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Size:
    """Seconds for a keyframe of all cameras at one image size.

    Attributes:
        render_s, write_s: this keyframe's own.
        prepare_s: its share of reading, surfels and free space.
        baseline_s: numpy's z-buffer baseline of the same static points.
        floor_s: see above.
    """

    image_size: str
    cameras: int
    render_s: float
    write_s: float
    prepare_s: float
    baseline_s: float
    floor_s: float
    peak_gb: float

    @property
    def total_s(self) -> float:
        """All of a keyframe."""
        return self.prepare_s + self.render_s + self.write_s


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = parser().parse_args(arguments)
    # As worker processes do.
    keep_freed_memory()
    dataset = open_recording(options.dataroot)
    scene = read_scene(dataset, dataset.scene_names[0], FULL)
    keyframes = list(dict.fromkeys(camera.sample_token for camera in scene.cameras))
    warm_up(scene)
    console = Console(width=140)
    half_gb, half = peak_of_half(scene)
    read_s, rest_s, poses_s, cloud = prepare(scene)
    points = len(cloud.static) + sum(len(patches_) for _, patches_ in cloud.movers)
    gigabytes = peak_gb()
    by_sweep_mb = (gigabytes - half_gb) * 1024 / max(len(scene.sweeps) - half, 1)
    fixed_gb = gigabytes - by_sweep_mb * len(scene.sweeps) / 1024
    console.print(f"{scene.name}: {len(scene.sweeps)} sweeps, {len(keyframes)} keyframes, {points / 1e6:.2f} M points")
    console.print(f"ego poses {poses_s:.2f} s, read and surfels {read_s:.2f} s, free space and movers {rest_s:.2f} s")
    console.print(f"peak memory {gigabytes:.2f} GB = {fixed_gb:.2f} GB + {by_sweep_mb:.1f} MB a sweep")
    middle = keyframes[len(keyframes) // 2 :][: options.keyframes]
    prepare_s = (poses_s + read_s + rest_s) / len(keyframes)
    sizes = [measure(cloud, scene, middle, size, prepare_s) for size in options.image_size]
    console.print(size_table(sizes))
    for size in sizes:
        verdict = "met" if size.total_s <= TARGET_S else "missed"
        console.print(f"{size.image_size}: {size.total_s:.2f} s a keyframe of {size.cameras}; {TARGET_S} s {verdict}")
    hot = {"prepare": hot_spots(lambda: build_cloud(scene, FULL), 1, options.top)}
    for text in options.image_size:
        cameras = resized([c for c in scene.cameras if c.sample_token in middle], text)
        work = lambda cameras=cameras: [render(cloud, camera, FULL) for camera in cameras]  # noqa: E731
        hot[f"render {text}, a keyframe"] = hot_spots(work, len(middle), options.top)
    for title, spots in hot.items():
        console.print(spot_table(title, spots))
    if options.json:
        found = {"sizes": [asdict(s) | {"total_s": s.total_s} for s in sizes], "hot_spots": hot, "points": points}
        found |= {"ego_poses_s": poses_s, "read_and_patches_s": read_s, "free_space_and_movers_s": rest_s}
        found |= {"sweeps": len(scene.sweeps), "fixed_gb": fixed_gb, "by_sweep_mb": by_sweep_mb}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--dataroot", type=Path, required=True, help="its first scene is measured")
    out.add_argument("--image-size", nargs="+", default=["800x450", "1600x900"], metavar="WxH")
    out.add_argument("--keyframes", type=int, default=2, help="how many to render, from the middle of the scene")
    out.add_argument("--top", type=int, default=12, help="functions to list")
    out.add_argument("--json", type=Path, metavar="FILE")
    return out


def warm_up(scene: Scene) -> None:
    """Compile every kernel."""
    little = replace(scene, sweeps=scene.sweeps[:3], cameras=scene.cameras[:1])
    render(build_cloud(little, FULL), little.cameras[0], FULL)


def peak_of_half(scene: Scene) -> tuple[float, int]:
    """Peak memory after gathering the first half of the sweeps, and how many they are."""
    half = max(1, len(scene.sweeps) // 2)
    part = replace(scene, sweeps=scene.sweeps[:half])
    build_cloud(part, FULL)
    return peak_gb(), half


def prepare(scene: Scene) -> tuple[float, float, float, Cloud]:
    """Seconds to read and shape surfels, for free space and movers, for the ego's poses; and the cloud that comes."""
    returns = read_returns(scene, FULL)
    poses_s, _ = timed(lambda: refine_poses(scene, returns, FULL))
    read_and_surfels_s, _ = timed(lambda: build_cloud(scene, NO_FREE_SPACE))
    whole_s, cloud = timed(lambda: build_cloud(scene, FULL))
    return read_and_surfels_s, whole_s - read_and_surfels_s - poses_s, poses_s, cloud


def copies_per_s() -> float:
    """Bytes that this machine copies in a second, the best of several."""
    source = np.ones(1 << 26, dtype=np.uint8)
    target = np.empty_like(source)
    return max(len(source) / timed(lambda: np.copyto(target, source))[0] for _ in range(5))


def measure(cloud: Cloud, scene: Scene, keyframes: Sequence[str], image_size: str, prepare_s: float) -> Size:
    """Render and write some keyframes at one size, then the same static points with numpy."""
    cameras = resized([c for c in scene.cameras if c.sample_token in keyframes], image_size)
    render_s, depths = timed(lambda: [render(cloud, camera, FULL) for camera in cameras])

    def write() -> None:
        with tempfile.TemporaryDirectory() as folder, SceneWriter(Path(folder), scene.name, {}) as store:
            for camera, depth in zip(cameras, depths, strict=True):
                store.write(camera, depth)

    write_s, _ = timed(write)
    gigabytes = peak_gb()
    xyz_global = cloud.static.xyz + cloud.origin_global_m
    baseline_s, _ = timed(lambda: [nearest_in_pixel([xyz_global], camera) for camera in cameras])
    n = len(keyframes)
    patch_count = len(cloud.static) + len(cloud.transient) + sum(len(patches_) for _, patches_ in cloud.movers)
    pixels = sum(camera.width_px * camera.height_px for camera in cameras) / n
    floor_s = (patch_count * PATCH_BYTES + pixels * PIXEL_BYTES) / copies_per_s() + write_s / n
    each = (render_s / n, write_s / n, prepare_s, baseline_s / n, floor_s)
    return Size(image_size, len(cameras) // n, *each, gigabytes)


def resized(cameras: Sequence[Camera], image_size: str) -> list[Camera]:
    """The cameras with images of another size; pixel centres are integers, so K moves by half a pixel too."""
    width_px, height_px = (int(n) for n in image_size.lower().split("x"))
    out = []
    for camera in cameras:
        sx, sy = width_px / camera.width_px, height_px / camera.height_px
        scale = np.array([[sx, 0, sx / 2 - 0.5], [0, sy, sy / 2 - 0.5], [0, 0, 1]])
        out.append(replace(camera, width_px=width_px, height_px=height_px, K=scale @ camera.K))
    return out


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Processor seconds, and what the work returned."""
    start = time.process_time()
    made = work()
    return time.process_time() - start, made


def peak_gb() -> float:
    """Most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def hot_spots(work: Callable[[], Any], times: int, top: int) -> list[tuple[str, float, float]]:
    """Function, own seconds and calls, each divided by `times`, of the functions that take longest."""
    with watching(MODULES) as watch:
        work()
    return [(name, seconds / times, calls / times) for name, seconds, calls in watch.most(top)]


def size_table(sizes: Sequence[Size]) -> Table:
    """Seconds a keyframe."""
    out = Table(
        "image size",
        "cameras",
        "prepare s",
        "render s",
        "write s",
        "total s",
        "floor s",
        "numpy nearest s",
        "peak memory GB",
    )
    for s in sizes:
        figures = (s.prepare_s, s.render_s, s.write_s, s.total_s, s.floor_s, s.baseline_s, s.peak_gb)
        out.add_row(s.image_size, str(s.cameras), *(f"{value:.2f}" for value in figures))
    return out


def spot_table(title: str, spots: Sequence[tuple[str, float, float]]) -> Table:
    """Functions by their own time."""
    out = Table("function", "own s", "calls", title=title, title_justify="left")
    for name, seconds, calls in spots:
        out.add_row(name, f"{seconds:.3f}", f"{calls:g}")
    return out


if __name__ == "__main__":
    main()
