"""Keyframes that lack a camera are left out; images are as stored, whatever their EXIF data ask for."""

from __future__ import annotations

import logging

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from densegt.datasets import open_recording
from densegt.detection.data.depth_dataset import DatasetOptions, DepthDataset
from densegt.errors import InputError

from ...datasets.copies import copy_of, replace
from ...depth.stores import densegt

# Models are built and trained.
pytestmark = pytest.mark.slow

OPTIONS = DatasetOptions(supervision="sparse", size=(48, 96))


def images(root, channel="CAM_FRONT"):
    return sorted(root.glob(f"samples/{channel}/*.jpg"))


def test_a_keyframe_that_lacks_a_camera_is_left_out(tiny_dataset, tmp_path, caplog):
    root = copy_of(tiny_dataset, tmp_path / "copy")
    whole = DepthDataset(root, None, OPTIONS)
    images(root)[1].unlink()
    with caplog.at_level(logging.WARNING):
        data = DepthDataset(root, None, OPTIONS)
    assert data.channels == whole.channels
    kept = [keyframe.sample_token for keyframe in whole.keyframes]
    lost = kept.pop(1)
    assert [keyframe.sample_token for keyframe in data.keyframes] == kept
    assert f"1 of {len(whole)} keyframes lack a camera" in caplog.text
    assert lost in caplog.text
    assert data[1]["images"].shape == whole[2]["images"].shape


def test_the_first_keyframe_may_be_the_odd_one(tiny_dataset, tmp_path):
    root = copy_of(tiny_dataset, tmp_path / "copy")
    images(root)[0].unlink()
    assert len(DepthDataset(root, None, OPTIONS).channels) == 6


def test_a_camera_that_only_few_keyframes_have(tiny_dataset, tmp_path):
    root = copy_of(tiny_dataset, tmp_path / "copy")
    for path in images(root)[1:]:
        path.unlink()
    data = DepthDataset(root, None, OPTIONS)
    assert "CAM_FRONT" not in data.channels
    assert len(data) == open_recording(root).keyframe_count("scene-0001")
    assert data[0]["images"].shape[0] == 5


def test_a_camera_without_any_image(tiny_dataset, tmp_path):
    root = copy_of(tiny_dataset, tmp_path / "copy")
    for path in images(root):
        path.unlink()
    assert len(DepthDataset(root, None, OPTIONS).channels) == 5


def test_without_a_keyframe_there_is_no_dataset(tiny_dataset, tmp_path):
    root = copy_of(tiny_dataset, tmp_path / "copy")
    for path in root.glob("samples/LIDAR_TOP/*"):
        path.unlink()
    with pytest.raises(InputError):
        DepthDataset(root, None, OPTIONS)


def with_orientation(jpeg, orientation):
    """An image whose EXIF data ask to turn it."""
    tiff = b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + bytes([orientation]) + bytes(6)
    exif = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


# 2 mirrors, 3 is half a turn, 6 and 8 are quarters.
@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
def test_from_recording_to_tensors_an_image_is_as_stored(tiny_dataset, tmp_path, orientation):
    root = copy_of(tiny_dataset, tmp_path / "copy")
    for path in root.glob("samples/CAM*/*.jpg"):
        replace(path, with_orientation(path.read_bytes(), orientation))
    turned, stored = cv2.imread(str(images(root)[0])), cv2.imread(str(images(tiny_dataset)[0]))
    assert turned.shape != stored.shape or (turned != stored).any(), "OpenCV would not have turned it"
    made = densegt("accumulate", "--dataroot", root, "--out", tmp_path / "depth", "--window", 0, "--motion", "none")
    assert made.exit_code == 0, made.output
    dense = DatasetOptions(supervision="dense", size=(90, 160))
    sample, wanted = (DepthDataset(r, tmp_path / "depth", dense)[0] for r in (root, tiny_dataset))
    for name in ("images", "depth_m", "K"):
        assert np.array_equal(sample[name], wanted[name]), name
