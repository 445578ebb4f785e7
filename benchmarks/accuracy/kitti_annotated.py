"""Completion of real images against KITTI's annotated depth.

python -m benchmarks.accuracy.kitti_annotated --dataroot depth_selection/val_selection_cropped [--out DIR]

Takes image/ and groundtruth_depth/ as KITTI's validation selection has them. Given is velodyne_raw/ where it is there;
else so many rows of beams drawn over the annotation, which then count no more as truth. Each method's depth is written
as a store and scored as `densegt evaluate --truth kitti-depth:` does. Rows drawn over the annotation are free of noise
and of points seen through edges, but sparser than a sweep.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.accuracy.completion import as_rich, methods_of
from densegt.completion.method import SparseDepth
from densegt.completion.sparsify import scanned
from densegt.datasets.scene import Camera
from densegt.depth.camera_image import read_image
from densegt.depth.depth_map import DepthMap
from densegt.depth.kitti_depth import Key, annotated_images, evaluate_against_kitti, read_depth
from densegt.depth.store import SceneWriter

BEAMS = 64
FOCAL_PX = 721.5


class Annotated(NamedTuple):
    """One image with what is given of its depth, and the truth (H,W) m that counts."""

    key: Key
    path: Path
    given: SparseDepth
    truth_m: NDArray[np.float32]


def main(arguments: Sequence[str] | None = None) -> None:
    """Score all methods and print."""
    options = parser().parse_args(arguments)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        out = options.out or Path(folder)
        images = list(annotated(options.dataroot))
        for image in images:
            write_truth(out / "truth", image)
        for name, method in methods_of(options.checkpoint).items():
            store = out / name.replace(" ", "-")
            for image in images:
                write_completed(store, image, method(image.given).depth_m)
            found = evaluate_against_kitti(store, out / "truth")
            kitti = found.kitti
            figures = (kitti.coverage_percent, kitti.rmse_mm, kitti.mae_mm, kitti.irmse_per_km, kitti.imae_per_km)
            rows.append((name, *("-" if figure is None else f"{figure:.2f}" for figure in figures)))
    given = np.mean([(image.given.depth_m > 0).mean() for image in images])
    columns = ("method", "coverage %", "RMSE mm", "MAE mm", "iRMSE 1/km", "iMAE 1/km")
    title = f"{len(images)} images, {100 * given:.1f} % of pixels given"
    Console(width=150).print(as_rich(title, columns, rows))


def annotated(folder: Path) -> Iterator[Annotated]:
    """The images of a validation selection."""
    for key, path in annotated_images(folder).items():
        truth_m = read_depth(path)
        image_path = path.parents[1] / "image" / path.name.replace("groundtruth_depth", "image")
        raw = path.parents[1] / "velodyne_raw" / path.name.replace("groundtruth_depth", "velodyne_raw")
        K = np.array([[FOCAL_PX, 0, truth_m.shape[1] / 2], [0, FOCAL_PX, truth_m.shape[0] / 2], [0, 0, 1]])
        depth_m = read_depth(raw) if raw.is_file() else truth_m
        given = SparseDepth(read_image(image_path, None), depth_m, (depth_m > 0).astype(np.uint8), K)
        if not raw.is_file():
            given = scanned(given, BEAMS, np.random.default_rng(key.frame))
            truth_m = np.where(given.depth_m > 0, np.float32(0), truth_m)
        yield Annotated(key, image_path, given, truth_m)


def write_truth(folder: Path, image: Annotated) -> None:
    """In KITTI's layout."""
    key = image.key
    path = folder / f"{key.drive}_sync" / "proj_depth" / "groundtruth" / key.camera / f"{key.frame:010d}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.rint(image.truth_m * 256).astype(np.uint16))


def write_completed(store: Path, image: Annotated, depth_m: NDArray[np.float32]) -> None:
    """One image as a scene of its own, named after its drive and frame."""
    key = image.key
    height_px, width_px = depth_m.shape
    filename = f"{key.drive}_sync/{key.camera}/data/{key.frame:010d}.png"
    camera = Camera(
        token=filename, sample_token=f"{key.frame:010d}", channel=key.camera, image_path=image.path, filename=filename,
        width_px=width_px, height_px=height_px, timestamp_us=key.frame * 100_000,
        K=image.given.K if image.given.K is not None else np.eye(3), T_ego_cam=np.eye(4), T_global_ego=np.eye(4),
    )  # fmt: skip
    source = np.where(depth_m > 0, 5, 0).astype(np.uint8)
    scene = f"{key.drive}-{key.camera}-{key.frame:010d}"
    with SceneWriter(store, scene, {"made": "by benchmarks.accuracy.kitti_annotated"}, overwrite=True) as writer:
        writer.write(camera, DepthMap(depth_m, source, np.zeros_like(depth_m)), {})


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--dataroot", type=Path, required=True, metavar="DIR")
    out.add_argument("--checkpoint", type=Path, metavar="FILE", help="the network's weights")
    out.add_argument("--out", type=Path, metavar="DIR", help="keep the stores and the truth")
    return out


if __name__ == "__main__":
    main()
