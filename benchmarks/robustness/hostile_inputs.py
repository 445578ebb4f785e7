"""Makers of small files that ask for much, by the kind of file."""

from __future__ import annotations

import itertools
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np


def _store(folder: Path, fill: Callable[[h5py.Group], None]) -> Path:
    folder.mkdir()
    with h5py.File(folder / "scene-0001.h5", "w", libver=("v110", "v110")) as file:
        image = file.create_group("sample/CAM_FRONT")
        file.attrs.update({"format": "densegt-depth", "format_version": 1, "densegt_version": "1", "config": "{}"})
        image.attrs.update({"sample_data_token": "x", "filename": "samples/x.jpg", "timestamp_us": 1})
        image.attrs.update({"K": np.eye(3), "T_global_cam": np.eye(4)})
        fill(image)
    return folder


def _many_layers(image: h5py.Group) -> None:
    for name, dtype in [("depth", "u2"), ("source", "u1"), *((f"layer{k}", "f8") for k in range(40))]:
        image.create_dataset(name, (1 << 14, 1 << 14), dtype, chunks=(4096, 4096), compression="gzip")


def _inflating(image: h5py.Group) -> None:
    depth = image.create_dataset("depth", (225, 400), "u2", chunks=(225, 400), compression="gzip")
    depth.id.write_direct_chunk((0, 0), zlib.compress(bytes(1 << 30), 9))
    image.create_dataset("source", data=np.ones((225, 400), np.uint8))


def _pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _large_jpeg(data: bytes) -> bytes:
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + (65500).to_bytes(2, "big") * 2 + data[at + 4 :]


def _large_png(data: bytes) -> bytes:
    parts = [(b"IHDR", (60000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"), (b"IDAT", zlib.compress(bytes(1 << 20)))]
    chunks = (
        len(c).to_bytes(4, "big") + n + c + zlib.crc32(n + c).to_bytes(4, "big") for n, c in [*parts, (b"IEND", b"")]
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 34)


def _laughs(path: Path) -> None:
    names = "abcdefghij"
    lines = [f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in itertools.pairwise(names)]
    path.write_text("\n".join(["a: &a [x]", *lines, "motion: *j"]))


def _pcd(points: int, kind: str, content: bytes) -> Callable[[Path], None]:
    header = f"FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nWIDTH {points}\nHEIGHT 1\nPOINTS {points}\nDATA {kind}\n"
    return lambda path: path.write_bytes(header.encode() + content) and None


def _npy(path: Path) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 3), }\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(1000))


def _npz(path: Path) -> None:
    np.savez_compressed(path, **dict.fromkeys("xyz", np.zeros(1 << 28, np.uint8)))


def _feather(path: Path) -> None:
    import pyarrow as pa
    from pyarrow.feather import write_feather

    names = ("x", "y", "z", "intensity", "laser_number", "offset_ns")
    write_feather(pa.table(dict.fromkeys(names, np.zeros(1 << 26, np.uint8))), path, compression="zstd")


def _deflated_checkpoint(path: Path) -> None:
    """A checkpoint of one tensor of 2 GB of zeros, compressed to 2 MB."""
    import torch

    torch.save({"state_dict": {"weight": torch.zeros(1 << 16)}}, path)
    with zipfile.ZipFile(path) as whole:
        records = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in records.items():
            with archive.open(name, "w", force_zip64=True) as record:
                for _ in range(1 << 13 if name.endswith("data/0") else 1):
                    record.write(content)


def _repeating_checkpoint(path: Path) -> None:
    """A checkpoint of one number that stands for 10^11 of them."""
    import torch

    weights = torch.zeros(1).expand(10**6, 10**5)
    torch.save({"state_dict": {"weight": weights}, "hyper_parameters": {"weight": weights}}, path)


def _cut_checkpoint(path: Path) -> None:
    import torch

    torch.save({"state_dict": {"weight": torch.zeros(1000)}}, path)
    path.write_bytes(path.read_bytes()[:2000])


STORES: dict[str, Callable[[Path], Path]] = {
    "19 kB, 42 layers of 268 megapixels": lambda folder: _store(folder, _many_layers),
    "a chunk that inflates 6,000 times": lambda folder: _store(folder, _inflating),
    "a pipe": lambda folder: (folder.mkdir(), _pipe(folder / "scene-0001.h5"), folder)[2],
}
IMAGES = {"a JPEG of 4 gigapixels": _large_jpeg, "a PNG of 4 gigapixels": _large_png}
TABLES: dict[str, Callable[[Path], object]] = {
    "16 GB": _large,
    "200 MB of empty lists": lambda path: path.write_bytes(b"[" + b"[]," * 70_000_000 + b"[]]"),
    "200 MB of opening brackets": lambda path: path.write_bytes(b"[" * 200_000_000),
    "a pipe": _pipe,
}
CONFIGS: dict[str, Callable[[Path], object]] = {
    "aliases of aliases": _laughs,
    "20,000 brackets": lambda path: path.write_text("motion: " + "[" * 20_000 + "]" * 20_000),
    "16 GB": _large,
    "a pipe": _pipe,
}
SWEEPS: dict[str, dict[str, Callable[[Path], object]]] = {
    "pcd": {
        "10^12 points": _pcd(10**12, "binary", bytes(1000)),
        "200 MB of words": _pcd(9_000_000, "ascii", b"1 " * 100_000_000),
        "a pipe": _pipe,
    },
    "npy": {"10^12 rows": _npy, "16 GB": _large},
    "npz": {"inflates to 800 MB": _npz, "a pipe": _pipe},
    "feather": {"inflates to 400 MB": _feather, "16 GB": _large, "a pipe": _pipe},
}
CHECKPOINTS: dict[str, Callable[[Path], object]] = {
    "a pipe": _pipe,
    "inflates to 2 GB": _deflated_checkpoint,
    "a number repeated 10^11 times": _repeating_checkpoint,
    "cut off": _cut_checkpoint,
    "16 GB": _large,
}
