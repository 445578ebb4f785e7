"""One simulated world in every format: the depth made of it, and how long opening and reading take.

python -m benchmarks.accuracy.formats --dataroot WORLD [--scene NAME] [--format NAME]... [--no-depth]

The scene is written in each format by the tests' writers and read back; only the camera that looks ahead is rendered.
Right is the share of pixels with truth whose depth is right, as `densegt evaluate` counts. In KITTI's formats turns are
cut anew, so their sweeps are not the same ones; KITTI-360's have no boxes, which `custom, no boxes` is to be held
against. Argoverse's points are float16; what that costs is seen beside `argoverse2, float32`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.pipeline import accumulate_scene
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.datasets.recording import RecordingOptions
from densegt.datasets.scene import Scene
from densegt.depth.figures import Figures
from densegt.depth.metrics import DepthMetrics
from densegt.depth.store import ImageRecord, SceneReader
from tests.datasets.writers.argoverse2 import write_log
from tests.datasets.writers.custom import write_recording
from tests.datasets.writers.kitti360 import write_360
from tests.datasets.writers.kitti_raw import write_drive
from tests.datasets.writers.truckscenes import write_trucks

CONFIG = AccumulateConfig()
AHEAD = ("CAM_FRONT", "image_00")


class Times(NamedTuple):
    """Of one core: opening a recording and a scene, s, and reading a sweep, ms, the median."""

    open_s: float
    sweep_ms: float
    sweeps: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row a format."""
    options = parser().parse_args(arguments)
    recording = open_recording(options.dataroot)
    name = options.scene or recording.scene_names[0]
    scene = ahead(read_scene(recording, name, CONFIG))
    truths = SceneReader(options.dataroot / "exact" / f"{name}.h5")
    exact = {camera.timestamp_us: truths.read(camera.sample_token, camera.channel) for camera in scene.cameras}
    print("| format | sweeps | right % | coverage % | outliers % | open s | a sweep ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for format in options.format or WRITERS:
            write = WRITERS[format]
            root = write(options.dataroot, scene, Path(folder) / format)
            opened, times = open_timed(root, scene)
            figures = "- | - | -"
            if not options.no_depth:
                all = score(opened, exact)
                figures = f"{all.right_percent:.2f} | {all.coverage_percent:.2f} | {all.outlier_percent:.2f}"
            print(f"| {format} | {times.sweeps} | {figures} | {times.open_s:.2f} | {times.sweep_ms:.1f} |", flush=True)


def ahead(scene: Scene) -> Scene:
    """The scene with the camera that looks ahead alone."""
    return replace(scene, cameras=tuple(camera for camera in scene.cameras if camera.channel in AHEAD))


def open_timed(root: Path, scene: Scene) -> tuple[Scene, Times]:
    """The scene as read from a folder, its keyframes as far apart as the original's."""
    keyframes = [number for number, sweep in enumerate(scene.sweeps) if sweep.is_keyframe]
    every = keyframes[1] - keyframes[0] if len(keyframes) > 1 else None
    start = time.process_time()
    recording = open_recording(root, options=RecordingOptions(keyframe_every=every, exposure="image"))
    opened = recording.scene(recording.scene_names[0])
    open_s = time.process_time() - start
    spent = []
    for sweep in opened.sweeps[:40]:
        start = time.process_time()
        opened.read_points(sweep)
        spent.append(time.process_time() - start)
    times = Times(open_s, 1e3 * float(np.median(spent)), len(opened.sweeps))
    return ahead(read_scene(recording, recording.scene_names[0], CONFIG)), times


def score(scene: Scene, exact: dict[int, ImageRecord]) -> Figures:
    """Depth of a scene against the exact one of the images nearest in time."""
    metrics = DepthMetrics()
    stamps = np.array(list(exact))
    for camera, depth in accumulate_scene(scene, CONFIG):
        nearest = int(stamps[np.argmin(np.abs(stamps - camera.timestamp_us))])
        assert abs(nearest - camera.timestamp_us) < 1000, f"no image of {camera.timestamp_us}"
        metrics.update(depth.depth_m, exact[nearest].depth_m, source=depth.source)
    return metrics.compute().all


def _argoverse2(world: Path, scene: Scene, root: Path) -> Path:
    write_log(scene, root / "val" / scene.name)
    return root


def _argoverse2_float32(world: Path, scene: Scene, root: Path) -> Path:
    write_log(scene, root / "val" / scene.name, xyz_dtype="f4")
    return root


def _without_boxes(world: Path, scene: Scene, root: Path) -> Path:
    write_recording(replace(scene, tracks=()), root)
    return root


def _kitti_raw(world: Path, scene: Scene, root: Path) -> Path:
    write_drive(scene, root)
    return root


def _kitti_360(world: Path, scene: Scene, root: Path) -> Path:
    raw = _kitti_raw(world, scene, root.with_name("raw"))
    root.mkdir()
    write_360(raw, root)
    return root


def _truckscenes(world: Path, scene: Scene, root: Path) -> Path:
    return write_trucks(world, root, ("LIDAR_TOP_FRONT",))


def _two_trucks_lidars(world: Path, scene: Scene, root: Path) -> Path:
    return write_trucks(world, root)


def _custom(world: Path, scene: Scene, root: Path) -> Path:
    write_recording(scene, root)
    return root


WRITERS: dict[str, Callable[[Path, Scene, Path], Path]] = {
    "nuscenes": lambda world, scene, root: world,
    "argoverse2": _argoverse2,
    "argoverse2, float32": _argoverse2_float32,
    "kitti-raw": _kitti_raw,
    "kitti-360": _kitti_360,
    "truckscenes": _truckscenes,
    "truckscenes, two lidars": _two_trucks_lidars,
    "custom": _custom,
    "custom, no boxes": _without_boxes,
}


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--dataroot", type=Path, required=True, metavar="WORLD", help="a simulated world")
    out.add_argument("--scene", metavar="NAME")
    out.add_argument("--format", action="append", choices=list(WRITERS), help="only this one; may be repeated")
    out.add_argument("--no-depth", action="store_true", help="times only")
    return out


if __name__ == "__main__":
    main()
