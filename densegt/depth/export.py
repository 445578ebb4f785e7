"""Write a depth store in other tools' formats, one file an image; each appears under its name only when whole.

kitti-png     <out>/<scene>/<channel>/<image stem>.png   uint16, metres x 256, 0 = none
bevdepth-bin  <out>/depth_gt/<image file name>.bin       float32 (N,3): u px, v px, depth m
npz           <out>/<scene>/<channel>/<image stem>.npz   depth_m, source, K, T_global_cam and the image's names
"""

from __future__ import annotations

import io
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.depth.partial_file import check_writable, write_whole
from densegt.depth.resize import resized, thinned
from densegt.depth.selection import check_cameras_in, select_images, select_scenes
from densegt.depth.steps import encode_depth
from densegt.depth.store import ImageRecord, SceneReader
from densegt.errors import InputError

Progress = Callable[[int, int], None]
Existing = Literal["error", "overwrite", "keep"]


class Format(NamedTuple):
    """A format: what a file holds, where it lies under the output folder, and a glob of such files of a scene.

    Attributes:
        fit: makes an image smaller, to (width, height) px; or thins it out to as many pixels.
    """

    encode: Callable[[ImageRecord], bytes]
    place: Callable[[ImageRecord], Path]
    pattern: str
    fit: Callable[[ImageRecord, tuple[int, int]], ImageRecord] = resized


@dataclass(frozen=True)
class ExportChoice:
    """The part of a store that is exported.

    Attributes:
        scenes, cameras: names; all where empty.
        size: (width, height) px of smaller depth maps; None is the store's.
    """

    scenes: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    size: tuple[int, int] | None = None

    def readers(self, depth_dir: Path) -> list[SceneReader]:
        """The scenes' files.

        Raises:
            InputError: no store, or no such scene or camera in it.
        """
        paths = select_scenes(depth_dir, self.scenes)
        check_cameras_in(paths, self.cameras)
        return [SceneReader(path) for path in paths]

    def images(self, reader: SceneReader) -> Iterator[tuple[str, str]]:
        """Sample token and channel of a scene's images; none of a scene that lacks the cameras."""
        channels = {channel for _, channel in reader.keys}
        wanted = [camera for camera in self.cameras if camera in channels]
        if reader.keys and (wanted or not self.cameras):
            yield from select_images(reader, wanted)


@dataclass(frozen=True)
class Estimate:
    """What an export will take: number of images, bytes by some of them, bytes that are free where it goes."""

    images: int
    bytes: int
    free_bytes: int


ALL = ExportChoice()
# So many images are encoded to tell how large all are.
_SAMPLES = 6


def estimate_export(depth_dir: Path, out_dir: Path, format_name: str, choice: ExportChoice = ALL) -> Estimate:
    """How much an export will take, from some images spread evenly over it.

    Raises:
        InputError: no store, no such scene or camera, or an image that is smaller than the size asked for.
    """
    form = FORMATS[format_name]
    keys = [(reader, key) for reader in choice.readers(depth_dir) for key in choice.images(reader)]
    some = [keys[i] for i in np.unique(np.linspace(0, len(keys) - 1, _SAMPLES).astype(int))] if keys else []
    sizes = [len(form.encode(_fitted(form, reader.read(*key), choice))) for reader, key in some]
    there = next(folder for folder in (out_dir, *out_dir.absolute().parents) if folder.exists())
    return Estimate(len(keys), round(sum(sizes) * len(keys) / max(len(some), 1)), shutil.disk_usage(there).free)


def export_store(
    depth_dir: Path,
    out_dir: Path,
    format_name: str,
    choice: ExportChoice = ALL,
    *,
    existing: Existing = "error",
    progress: Progress | None = None,
) -> tuple[int, int]:
    """Write images of a store.

    Args:
        depth_dir: folder of `<scene>.h5`.
        format_name: a key of FORMATS.
        choice: all images at their own size by default.
        existing: "error" refuses an output folder with such files in it, "overwrite" replaces them, "keep" writes
            what is not there yet, is empty, or is older than the store (to go on after an interruption, or to add
            scenes).
        progress: called with (images done, images in all).

    Returns:
        Numbers of files written and kept.

    Raises:
        InputError: no store or no such scene or camera, files there already, two images that want the same file name,
            or a link in the output folder leads out of it.
    """
    form = FORMATS[format_name]
    readers = choice.readers(depth_dir)
    check_writable(out_dir)
    if existing == "error":
        _refuse_existing(out_dir, form, [reader.scene for reader in readers])
    keys = {reader.scene: list(choice.images(reader)) for reader in readers}
    total, kept = sum(map(len, keys.values())), 0
    taken: dict[Path, str] = {}
    for reader in readers:
        made_ns = reader.path.stat().st_ctime_ns
        for record in (reader.read(*key) for key in keys[reader.scene]):
            path = out_dir / form.place(record)
            _claim(taken, path, record)
            if existing == "keep" and _is_fresh(path, made_ns):
                kept += 1
            else:
                write_whole(path, form.encode(_fitted(form, record, choice)), below=out_dir)
            if progress:
                progress(len(taken), total)
    return len(taken) - kept, kept


def _fitted(form: Format, record: ImageRecord, choice: ExportChoice) -> ImageRecord:
    return form.fit(record, choice.size) if choice.size else record


def kitti_png(record: ImageRecord) -> bytes:
    """KITTI's depth: 16-bit PNG, metres x 256, 0 = none."""
    import cv2

    ok, png = cv2.imencode(".png", encode_depth(record.depth_m))
    if not ok:
        raise OSError(f"{record.filename}: PNG encoding failed")
    return bytes(png.tobytes())


def bevdepth_bin(record: ImageRecord) -> bytes:
    """The points BEVDepth reads: float32 (N,3) of u, v in pixels of the original image and z-depth in metres.

    Its readers scale and shift u and v, cut them to integers, and let the last point of a pixel win. Two choices
    follow. A depth of column c is written at u = c + 0.25: cutting, rounding, and floor(u + 0.5) all give c, and
    mirroring (width - u) still lands in the mirrored pixel, which whole numbers do not. Points run from far to near,
    so the nearest one stays when an image is made smaller.
    """
    rows, cols = np.nonzero(record.depth_m)
    points = np.stack([cols + 0.25, rows + 0.25, record.depth_m[rows, cols]], axis=1)
    far_to_near = np.argsort(-points[:, 2], kind="stable")
    flat: NDArray[np.float32] = points[far_to_near].astype("<f4")
    return flat.tobytes()


def npz(record: ImageRecord) -> bytes:
    """Numpy's compressed archive of the image's arrays and names."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        depth_m=record.depth_m.astype(np.float32),
        source=record.source,
        K=record.K,
        T_global_cam=record.T_global_cam,
        sample_token=np.array(record.sample_token),
        channel=np.array(record.channel),
        filename=np.array(record.filename),
        timestamp_us=np.array(record.timestamp_us),
    )
    return buffer.getvalue()


def _image_name(record: ImageRecord) -> str:
    name = PurePosixPath(record.filename).name
    if not name:
        raise InputError(f"{record.scene}/{record.sample_token}/{record.channel}: the store holds no image file name")
    return name


def _depth_gt(record: ImageRecord) -> Path:
    return Path("depth_gt", _image_name(record) + ".bin")


def _by_scene(suffix: str) -> Callable[[ImageRecord], Path]:
    def place(record: ImageRecord) -> Path:
        return Path(record.scene, record.channel, PurePosixPath(_image_name(record)).stem + suffix)

    return place


def _claim(taken: dict[Path, str], path: Path, record: ImageRecord) -> None:
    """Two images under one name would overwrite each other without a word."""
    who = f"{record.scene}/{record.sample_token}/{record.channel}"
    if path in taken:
        raise InputError(f"{path}: wanted by two images, {taken[path]} and {who}; their file names are the same")
    taken[path] = who


def _is_fresh(path: Path, made_ns: int) -> bool:
    """Whether a file has content and was written after the store's file came under its name.

    Args:
        made_ns: change of that file's inode; a rename or a copy sets it, whatever time of writing is kept.
    """
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size > 0 and found.st_mtime_ns >= made_ns


def _refuse_existing(out_dir: Path, form: Format, scenes: list[str]) -> None:
    for scene in scenes:
        found = next(iter(out_dir.glob(form.pattern.format(scene=scene))), None)
        if found:
            raise InputError(f"{found}: exists already; --overwrite replaces such files, --resume keeps them")


FORMATS = {
    "kitti-png": Format(kitti_png, _by_scene(".png"), "{scene}/*/*.png"),
    "bevdepth-bin": Format(bevdepth_bin, _depth_gt, "depth_gt/*.bin", thinned),
    "npz": Format(npz, _by_scene(".npz"), "{scene}/*/*.npz"),
}
