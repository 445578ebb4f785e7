"""KITTI's annotated depth as truth: its files, its crop, and its own four figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import densegt
from densegt.datasets.bounded_file import read_bounded
from densegt.datasets.decode_image import decode_steps
from densegt.depth.figures import DEFINITIONS, Summary
from densegt.depth.matching import known
from densegt.depth.metrics import DepthMetrics
from densegt.depth.store import ImageRecord, SceneReader, scene_files
from densegt.errors import InputError

Float32 = NDArray[np.float32]
Progress = Callable[[int, int], None]

PREFIX = "kitti-depth:"
_DRIVE = re.compile(r"\d{4}_\d\d_\d\d_drive_\d{4}")
_WHOLE = re.compile(r"(\d{4}_\d\d_\d\d_drive_\d{4})_sync/proj_depth/groundtruth/(image_0[23])/(\d{10})\.png")
_CROPPED = re.compile(r"(\d{4}_\d\d_\d\d_drive_\d{4})_sync_groundtruth_depth_(\d{10})_(image_0[23])\.png")

KITTI_DEFINITIONS = {
    "rmse_mm, mae_mm": "over the pixels of an image that have truth and a prediction, no limit of range; then the mean "
    "over images, as KITTI's own evaluation",
    "irmse_per_km, imae_per_km": "the same of inverse depths",
    "coverage_percent": "pixels with truth that have a prediction; KITTI's table asks for all of them, so compare "
    "figures at equal coverage only",
}


class Key(NamedTuple):
    """An image: its drive such as 2011_09_26_drive_0005, camera such as image_02 and frame."""

    drive: str
    camera: str
    frame: int


@dataclass(frozen=True)
class KittiFigures:
    """KITTI's figures, see KITTI_DEFINITIONS; None where nothing can be compared."""

    images: int
    coverage_percent: float | None
    rmse_mm: float | None
    mae_mm: float | None
    irmse_per_km: float | None
    imae_per_km: float | None


@dataclass(frozen=True)
class KittiEvaluation:
    """A store against KITTI's annotated depth.

    Attributes:
        summary: densegt's own figures on the same pixels.
        missing: annotated images of the store's drives without a prediction.
    """

    kitti: KittiFigures
    summary: Summary
    missing: list[Key]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kitti": asdict(self.kitti),
            **self.summary.as_dict(),
            "missing": [list(key) for key in self.missing],
            "definitions": {**DEFINITIONS, "kitti": KITTI_DEFINITIONS},
            "densegt_version": densegt.__version__,
        }


def annotated_images(folder: Path) -> dict[Key, Path]:
    """KITTI's annotated images below a folder, whole (DRIVE_sync/proj_depth/groundtruth) or cropped, in order.

    Raises:
        InputError: there is none.
    """
    found = {}
    for path in folder.rglob("*.png"):
        if match := _WHOLE.search(path.as_posix()):
            found[Key(match[1], match[2], int(match[3]))] = path
        elif match := _CROPPED.search(path.name):
            found.setdefault(Key(match[1], match[3], int(match[2])), path)
    if not found:
        names = "DRIVE_sync/proj_depth/groundtruth/image_02/*.png or DRIVE_sync_groundtruth_depth_*_image_02.png"
        raise InputError(f"{folder}: no annotated depth of KITTI in it, that is {names}")
    return dict(sorted(found.items()))


def key_of(record: ImageRecord) -> Key | None:
    """Which of KITTI's images a stored one is, told from its scene and file names; None for no such image."""
    name = f"{record.scene}/{record.filename}"
    drives, path = _DRIVE.findall(name), Path(record.filename)
    camera = next((part for part in path.parts if part.startswith("image_0")), record.channel)
    return Key(drives[-1], camera, int(path.stem)) if drives and path.stem.isdecimal() else None


def read_depth(path: Path) -> Float32:
    """Depth (H,W) m of a KITTI PNG, 0 = none.

    Raises:
        InputError: the file is missing or no PNG of 16 bits.
    """
    depth_m: Float32 = decode_steps(path).astype(np.float32) / np.float32(256)
    return depth_m


def evaluate_against_kitti(
    pred_dir: Path, truth_dir: Path, *, max_depth_m: float = 60.0, progress: Progress | None = None
) -> KittiEvaluation:
    """Score a store against KITTI's annotated depth, images matched by drive, camera and frame.

    Args:
        max_depth_m: of densegt's own figures; KITTI's count all truth.

    Raises:
        InputError: a folder holds no such thing, the two have no image in common, or an image cannot be a crop.
    """
    truths = annotated_images(truth_dir)
    readers = [SceneReader(path) for path in scene_files(pred_dir)]
    metrics, rows, seen = DepthMetrics(max_depth_m=max_depth_m), [], set()
    total = sum(map(len, readers))
    for done, record in enumerate((record for reader in readers for record in reader), start=1):
        key = key_of(record)
        if key in truths:
            truth_m = read_depth(truths[key])
            top, left = crop_offset(truths[key], truth_m, record)
            window = slice(top, top + truth_m.shape[0]), slice(left, left + truth_m.shape[1])
            metrics.update(record.depth_m[window], truth_m, source=record.source[window])
            rows.append(image_figures(record.depth_m[window], truth_m))
            seen.add(key)
        if progress:
            progress(done, total)
    if not seen:
        raise InputError(f"{pred_dir} and {truth_dir} have no image in common: truth is of {_some(truths)}")
    drives = {key.drive for key in seen}
    columns = np.array(rows).T
    means = [float(np.nanmean(column)) if np.isfinite(column).any() else None for column in columns]
    missing = [key for key in truths if key.drive in drives and key not in seen]
    return KittiEvaluation(KittiFigures(len(rows), *means), metrics.compute(), missing)


def image_figures(depth_m: Float32, truth_m: Float32) -> tuple[float, float, float, float, float]:
    """Coverage in %, RMSE, MAE in mm, iRMSE, iMAE in 1/km of one image; NaN where nothing can be compared."""
    valid = known(truth_m)
    both = valid & known(depth_m)
    if not both.any():
        return (0.0 if valid.any() else np.nan, np.nan, np.nan, np.nan, np.nan)
    p, t = depth_m[both].astype(np.float64), truth_m[both].astype(np.float64)
    error_mm, inverse_per_km = 1e3 * (p - t), 1e3 / p - 1e3 / t
    return (
        float(100 * both.sum() / valid.sum()),
        float(np.sqrt((error_mm**2).mean())),
        float(np.abs(error_mm).mean()),
        float(np.sqrt((inverse_per_km**2).mean())),
        float(np.abs(inverse_per_km).mean()),
    )


def crop_offset(path: Path, truth_m: Float32, record: ImageRecord) -> tuple[int, int]:
    """Row and column of the image at which KITTI's crop begins: by its intrinsics, else from the bottom's middle.

    Raises:
        InputError: it does not lie within the image.
    """
    (height, width), (rows, cols) = record.depth_m.shape, truth_m.shape
    top, left = height - rows, (width - cols) // 2
    intrinsics = path.parents[1] / "intrinsics" / path.with_suffix(".txt").name.replace("groundtruth_depth", "image")
    if (rows, cols) != (height, width) and intrinsics.is_file():
        K = _intrinsics(intrinsics)
        left, top = np.rint(record.K[:2, 2] - K[:2, 2]).astype(int).tolist()
    if not (0 <= top <= height - rows and 0 <= left <= width - cols):
        where = f"{record.scene}/{record.sample_token}/{record.channel}"
        raise InputError(f"{path}: {cols}x{rows} px at {left}, {top} do not lie within the {width}x{height} of {where}")
    return top, left


def _intrinsics(path: Path) -> NDArray[np.float64]:
    try:
        return np.array(read_bounded(path).split(maxsplit=10), dtype=np.float64).reshape(3, 3)
    except (InputError, ValueError):
        raise InputError(f"{path}: not nine numbers of intrinsics") from None


def _some(truths: dict[Key, Path]) -> str:
    drives = list(dict.fromkeys(key.drive for key in truths))
    return ", ".join(drives[:3]) + (f" and {len(drives) - 3} more" if len(drives) > 3 else "")
