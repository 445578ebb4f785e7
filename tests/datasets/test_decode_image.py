"""Images from files: pixels as stored, sizes before decoding, one line for whatever is none."""

import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from densegt.datasets.decode_image import decode_grey, decode_rgb, decode_steps
from densegt.depth.camera_image import read_image
from densegt.detection.data.cached_files import cached_files
from densegt.errors import InputError

PICTURE = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)


def with_orientation(path, orientation):
    """Put an EXIF orientation into a JPEG or a PNG."""
    tiff = b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + bytes([orientation]) + bytes(6)
    data = path.read_bytes()
    if path.suffix == ".jpg":
        exif = b"Exif\x00\x00" + tiff
        path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    else:
        chunk = b"eXIf" + tiff
        path.write_bytes(
            data[:33] + struct.pack(">I", len(tiff)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]
        )


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_are_as_stored_whatever_exif_says(tmp_path, suffix, orientation):
    path = tmp_path / f"image{suffix}"
    cv2.imwrite(str(path), PICTURE)
    wanted = decode_rgb(path)
    with_orientation(path, orientation)
    readers = (decode_rgb, read_image, lambda p: cached_files(0).image(p, None, 24, 40))
    for reader in readers:
        np.testing.assert_array_equal(reader(path), wanted)
    assert decode_grey(path, (40, 24)).shape == (24, 40)


def png_header(width, height):
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def large_png(path, side):
    """Zeros; a few kilobytes that decode to side x side."""
    rows = zlib.compressobj(9)
    line = bytes(side + 1)
    data = b"".join(rows.compress(line) for _ in range(side)) + rows.flush()
    body = struct.pack(">I", len(data)) + b"IDAT" + data + struct.pack(">I", zlib.crc32(b"IDAT" + data))
    path.write_bytes(
        png_header(side, side) + body + struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    )


@pytest.mark.parametrize("decode", [decode_rgb, decode_grey, decode_steps, read_image])
def test_an_image_that_no_memory_holds_is_not_decoded(tmp_path, decode):
    large_png(tmp_path / "large.png", 9000)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="9000x9000 px; no camera"):
            decode(tmp_path / "large.png")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [(40, 25), (24, 40), (1, 1), (8000, 8000)])
def test_another_size_is_told_from_the_header(tmp_path, size):
    cv2.imwrite(str(tmp_path / "image.png"), PICTURE)
    # Only the header is left: nothing could be decoded.
    (tmp_path / "image.png").write_bytes((tmp_path / "image.png").read_bytes()[:40])
    with pytest.raises(InputError, match=f"40x24 px, but {size[0]}x{size[1]}"):
        read_image(tmp_path / "image.png", size=size)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xe0" + b"\xff" * 500,
        png_header(4, 4),
        png_header(0, 7),
        b"GIF89a" + bytes(40),
        b"text",
    ],
)
@pytest.mark.parametrize("decode", [decode_rgb, decode_grey, decode_steps, read_image])
def test_what_is_no_image(tmp_path, decode, content):
    path = tmp_path / "image.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"image\.jpg: "):
        decode(path)


def test_what_is_no_file(tmp_path):
    """Opening a pipe would wait for ever."""
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    for name in ("pipe.jpg", "folder.jpg", "none.jpg"):
        for decode in (decode_rgb, decode_grey, decode_steps, read_image):
            with pytest.raises(InputError, match=name):
                decode(tmp_path / name)


def test_a_png_that_is_called_jpg_is_read(tmp_path):
    cv2.imwrite(str(tmp_path / "image.png"), PICTURE)
    (tmp_path / "image.png").rename(tmp_path / "image.jpg")
    np.testing.assert_array_equal(decode_rgb(tmp_path / "image.jpg"), PICTURE[..., ::-1])


def test_images_are_decoded_in_one_place():
    root = Path(__file__).parents[2] / "densegt"
    found = {str(p.relative_to(root)) for p in root.rglob("*.py") if "cv2.imread(" in p.read_text()}
    assert found == {"datasets/decode_image.py"}
