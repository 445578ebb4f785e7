"""Feeds the readers of KITTI raw, KITTI-360 and MAN TruckScenes damaged drives and counts what came of them.

python -m benchmarks.robustness.fuzz_drives --inputs 1000 [--layout kitti-360]

Bytes are flipped, cut and lost, numbers become NaN or nonsense, fields, lines, files and folders go missing, counts
lie. A reader must give a sound scene or one clear line that names a file; everything else is a failure.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.robustness.fuzz_readers import damaged_bytes
from densegt.datasets import open_recording
from densegt.datasets.scene import Scene
from densegt.errors import InputError

_ODD = (
    "nan",
    "inf",
    "-inf",
    "1e400",
    "-1e300",
    "1e-320",
    "0",
    "-1",
    "99999999999999999999",
    "",
    "x",
    "0x10",
    "1,5",
    "٣",
)
_LINES: tuple[Callable[[random.Random, list[str]], list[str]], ...] = (
    lambda draw, lines: lines[: draw.randrange(len(lines) + 1)],
    lambda draw, lines: lines + lines[-1:],
    lambda draw, lines: draw.sample(lines, len(lines)),
    lambda draw, lines: lines[1:],
    lambda draw, lines: [],
)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, metavar="NUMBER")
    parser.add_argument("--layout", action="append", choices=list(LAYOUTS), help="only this one")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Print how many drives were read and refused, and each failure; 1 where there is any."""
    options = parser().parse_args(arguments)
    # What a reader sets aside is told by warnings, by the thousand here.
    logging.disable()
    failures = 0
    print("| layout | read | refused in one line | failures |\n| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder) / "world"
        _make_world(world)
        for layout in options.layout or LAYOUTS:
            whole = Path(folder) / layout
            LAYOUTS[layout].write(world, whole)
            tally = fuzz(whole, Path(folder) / "damaged", range(options.first, options.first + options.inputs), layout)
            print(f"| {layout} | {tally['read']} | {tally['refused']} | {tally['failures']} |", flush=True)
            failures += tally["failures"]
    return 1 if failures else 0


def fuzz(whole: Path, damaged: Path, numbers: Sequence[int], layout: str = "kitti-raw") -> Counter[str]:
    """What became of one damaged copy of a folder of drives for each number; failures are told on stderr."""
    tally: Counter[str] = Counter()
    for number in numbers:
        shutil.copytree(whole, damaged, copy_function=os.link)
        what = damage(random.Random(number), damaged, LAYOUTS[layout].tables)
        try:
            tally[outcome(damaged, LAYOUTS[layout].format)] += 1
        except Exception as error:
            tally["failures"] += 1
            print(f"{number}: {what}: {type(error).__name__}: {error}", file=sys.stderr)
        shutil.rmtree(damaged)
    return tally


def outcome(root: Path, format: str) -> str:
    """Read all of a recording: `read`, or `refused` in one line that names a file.

    Raises:
        Exception: neither.
    """
    try:
        recording = open_recording(root, format=format)
        for name in recording.scene_names:
            scene = recording.scene(name)
            _check(scene)
            assert 0 < len(recording.keyframes(name)) <= recording.keyframe_count(name), "keyframes miscounted"
            assert recording.steps(name) >= len(scene.sweeps), "steps miscounted"
            assert recording.fingerprint(name)
            recording.point_count(name)
    except InputError as error:
        words = str(error)
        if "\n" in words or str(root) not in words:
            raise ValueError(f"not one line that names a file: {words!r}") from None
        return "refused"
    return "read"


def _check(scene: Scene) -> None:
    """Whether a scene can be true."""
    poses = [sensor.T_global_ego for sensor in (*scene.sweeps, *scene.cameras)]
    poses += [T for track in scene.tracks for T in track.T_global_box]
    for T in poses:
        assert np.isfinite(T).all(), "a pose is not finite"
        assert np.allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-6), "a pose is none"
    for lidar in scene.lidars:
        stamps = [sweep.timestamp_us for sweep in scene.sweeps if sweep.lidar is lidar]
        assert stamps == sorted(set(stamps)), "sweeps are not in order"
    for sweep in scene.sweeps[:3]:
        points = scene.read_points(sweep)
        assert np.isfinite(points.xyz_lidar).all(), "a point is not finite"
        assert len(points.ring), "a sweep without points"
        assert 0 <= points.intensity.min() <= points.intensity.max() <= 255, "an intensity is none"


def damage(draw: random.Random, root: Path, tables: Sequence[str]) -> str:
    """Damage one file or folder of a copy, often one of its `tables` (patterns), and tell what was done."""
    path = draw.choice(sorted(root.rglob("*")))
    if draw.random() < 0.4:
        # Small files that all hangs on are few among many.
        path = draw.choice([path for pattern in tables for path in sorted(root.rglob(pattern))])
    kind = draw.choice(("gone", "renamed", "other", "bytes", "words", "words", "words", "lines", "numbers"))
    if path.is_dir() or kind == "gone":
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    elif kind == "renamed":
        path.rename(path.with_name(draw.choice(("0000000999", "0000000000", "x", "000000000٣")) + path.suffix))
    elif kind == "other":
        path.unlink()
        draw.choice(
            (path.mkdir, lambda: os.mkfifo(path), lambda: path.symlink_to(path), lambda: path.write_bytes(b""))
        )()
    else:
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(_damaged(draw, kind, data, path.suffix))
    return f"{kind} {path.relative_to(root)}"


def _damaged(draw: random.Random, kind: str, data: bytes, suffix: str) -> bytes:
    if suffix == ".bin" and kind != "bytes":
        values = np.frombuffer(data, "<f4").copy()
        share = draw.choice((0.01, 0.3, 1.0))
        chosen = np.random.default_rng(draw.randrange(2**32)).random(len(values)) < share
        values[chosen] = draw.choice((np.nan, np.inf, -np.inf, 3e38, 1e5, 0.0, -1.0))
        return values.tobytes()
    if kind == "words":
        separator = draw.choice((" ", ">", "<", "\n", ":", ",", '"'))
        words = data.decode(errors="replace").split(separator)
        words[draw.randrange(len(words))] = draw.choice(_ODD)
        return separator.join(words).encode()
    if kind == "lines":
        return "\n".join(draw.choice(_LINES)(draw, data.decode(errors="replace").split("\n"))).encode()
    if kind == "numbers" and suffix == ".xml":
        names = ("count", "tx", "rz", "h", "first_frame", "objectType", "item", "poses")
        name = draw.choice(names)
        return data.replace(f"<{name}>".encode(), draw.choice(("", f"<{name}>9", "<x>")).encode(), draw.choice((1, -1)))
    return damaged_bytes(draw, data)


def _make_world(world: Path) -> None:
    from densegt.simulate.config import SimulateConfig
    from densegt.simulate.run import simulate

    simulate(SimulateConfig(scenes=1, seconds=0.6, width_px=64, height_px=36, seed=7), world)


def _write_raw(world: Path, root: Path) -> None:
    from densegt.accumulation.config import AccumulateConfig
    from densegt.accumulation.scene_input import read_scene
    from tests.datasets.writers.kitti_raw import write_drive

    write_drive(read_scene(open_recording(world), "scene-0001", AccumulateConfig()), root)


def _write_360(world: Path, root: Path) -> None:
    from tests.datasets.writers.kitti360 import write_360

    raw = root.with_name("raw-of-360")
    _write_raw(world, raw)
    root.mkdir()
    write_360(raw, root)


def _write_trucks(world: Path, root: Path) -> None:
    from tests.datasets.writers.truckscenes import write_trucks

    write_trucks(world, root)


class Layout(NamedTuple):
    """How drives lie in a folder: who writes them from a world, patterns of the tables that all hangs on."""

    format: str
    write: Callable[[Path, Path], None]
    tables: Sequence[str]


LAYOUTS = {
    "kitti-raw": Layout("kitti-raw", _write_raw, ("*.xml", "calib*", "time*")),
    "kitti-360": Layout("kitti-360", _write_360, ("calibration", "calib_*", "perspective.txt", "time*", "poses.txt")),
    "truckscenes": Layout("nuscenes", _write_trucks, ("*.json",)),
}


if __name__ == "__main__":
    sys.exit(main())
