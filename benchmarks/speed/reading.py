"""How many images of a depth store a core reads a second for training, beside PNG files and BEVDepth's.

python -m benchmarks.speed.reading --depth depth --size 704x256

Images are drawn at random, and each is opened anew, as a training does; of the store each was read once before, and
that first time is a line of its own. From the store come depth, source and
confidence as `DepthDataset` has them, cropped and scaled; from KITTI's 16-bit PNG files depth alone, cropped and scaled
the same way; from BEVDepth's lists of points depth alone, as BEVDepth scatters them. Rates are by processor time; the
files are in the system's memory when they are read.
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    # One core, so that rates can be compared; read when numpy and numba start.
    os.environ.update(NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.speed import speed
from densegt.batch.executor.kept_memory import keep_freed_memory
from densegt.depth.export import FORMATS, export_store
from densegt.depth.store import SceneReader, scene_files
from densegt.detection.data.augment import ImageRanges, image_affine
from densegt.detection.data.cached_files import cached_files
from densegt.detection.data.depth_layers import DepthLayers
from densegt.detection.data.warp import warp_surface

Float32 = NDArray[np.float32]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = parser().parse_args(arguments)
    cv2.setNumThreads(1)
    # As trainings do.
    keep_freed_memory()
    width_px, height_px = (int(n) for n in options.size.lower().split("x"))
    console, found = Console(width=140), measure(options.depth, (height_px, width_px), options.images)
    for name, rate in found.items():
        console.print(f"{name}: {rate:.0f} images a second")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--depth", type=Path, required=True, help="a depth store")
    out.add_argument("--size", default="704x256", metavar="WxH", help="that a network reads")
    out.add_argument("--images", type=int, default=100, help="how many are read in each way")
    out.add_argument("--json", type=Path, metavar="FILE")
    return out


def measure(depth: Path, size: tuple[int, int], count: int) -> dict[str, float]:
    """Images a second of each way to keep depth."""
    readers = {path: SceneReader(path) for path in scene_files(depth)}
    keys = [(path, *key) for path, reader in readers.items() for key in reader.keys]
    drawn = [keys[i] for i in np.random.default_rng(0).integers(len(keys), size=count)]
    read = cached_files(0).layers
    first, _ = read(*keys[0], "dense")
    A = image_affine(first.depth_m.shape, size, ImageRanges(), None)

    def from_store(key: tuple[Path, str, str]) -> Any:
        return warp_surface(read(*key, "dense")[0], A, size)

    name = "depth store, depth, source and confidence"
    # Places in the file are known from an image's first reading on.
    out = {f"{name}, first time": rate(from_store, keys), f"{name}, again": rate(from_store, drawn)}
    with tempfile.TemporaryDirectory() as folder:
        for name, way in (("kitti-png", from_png), ("bevdepth-bin", from_points)):
            export_store(depth, Path(folder) / name, name)
            files = [Path(folder) / name / FORMATS[name].place(readers[p].read(*key)) for p, *key in keys]
            chosen = [files[keys.index(key)] for key in drawn]
            out[f"{name}, depth alone"] = rate(lambda file, way=way: way(file, A, size), chosen)
    return out


def rate(work: Callable[[Any], Any], items: Sequence[Any]) -> float:
    """Items a second of processor time."""
    work(items[0])
    seconds, _ = speed.timed(lambda: [work(item) for item in items])
    return len(items) / seconds


def from_png(file: Path, A: NDArray[np.float64], size: tuple[int, int]) -> DepthLayers:
    """Depth of a 16-bit PNG, cropped and scaled as densegt's; nothing of source and confidence."""
    depth_m = np.asarray(cv2.imread(str(file), cv2.IMREAD_UNCHANGED)).astype(np.float32) / np.float32(256)
    nothing = DepthLayers.unknown((1, 1))
    return warp_surface(nothing._replace(depth_m=depth_m, source=depth_m, confidence=depth_m), A, size)


def from_points(file: Path, A: NDArray[np.float64], size: tuple[int, int]) -> Float32:
    """Depth (h,w) m of a list of points u, v, depth, moved by the image's map and put into their pixels."""
    points = np.fromfile(file, np.float32).reshape(-1, 3)
    u, v = (A[:2, :2] @ points[:, :2].T + A[:2, 2:]).astype(np.int32)
    inside = (u >= 0) & (u < size[1]) & (v >= 0) & (v < size[0])
    out = np.zeros(size, np.float32)
    out[v[inside], u[inside]] = points[inside, 2]
    return out


if __name__ == "__main__":
    main()
