import json
import time
from dataclasses import replace

import cv2
import h5py
import numpy as np
import pytest

import densegt
from densegt.depth.camera_image import read_image
from densegt.depth.steps import MAX_DEPTH_M, decode_depth, encode_depth
from densegt.depth.store import FORMAT, SceneReader, SceneWriter, scene_files
from densegt.errors import InputError
from densegt.geometry.distortion import Distortion, undistort

from .stores import camera, depth_map, world, write_store


def image(rng, size=(64, 36)):
    return (rng.integers(0, 65536, size[::-1]) / 256).astype(np.float32)


def test_every_step_survives():
    steps = np.arange(65536, dtype=np.uint16)
    assert (encode_depth(decode_depth(steps)) == steps).all()
    assert decode_depth(steps).dtype == np.float32


def test_what_has_no_step_becomes_none():
    depth = np.array([0, -1, np.nan, np.inf, -np.inf, 256, MAX_DEPTH_M, MAX_DEPTH_M + 0.002, 1e9, 0.001, 1 / 256])
    assert encode_depth(depth).tolist() == [0, 0, 0, 0, 0, 0, 65535, 0, 0, 0, 1]
    assert encode_depth(np.float32([10.001])).tolist() == [2560]


def test_roundtrip(tmp_path):
    depth = image(np.random.default_rng(0))
    cam = camera()
    ids = np.arange(depth.size, dtype=np.int32).reshape(depth.shape)
    config = {"window": "scene", "nested": {"a": [1, 2.5, None]}}
    with SceneWriter(tmp_path, "scene-0001", config) as writer:
        writer.write(cam, depth_map(depth, age_s=-0.0314), {"object_id": ids})
    reader = SceneReader(tmp_path / "scene-0001.h5")
    assert reader.scene == "scene-0001"
    assert reader.config == config
    assert reader.keys == [("sample0", "CAM_FRONT")]
    assert ("sample0", "CAM_FRONT") in reader
    assert len(reader) == 1
    (record,) = reader
    np.testing.assert_array_equal(record.depth_m, depth)
    assert record.depth_m.dtype == np.float32
    np.testing.assert_array_equal(record.source, np.where(depth > 0, 2, 0))
    np.testing.assert_array_equal(record.layers["object_id"], ids)
    assert (record.layers["age"] == -31).all()
    assert (record.sample_data_token, record.filename, record.timestamp_us) == (cam.token, cam.filename, 1_000_000)
    np.testing.assert_array_equal(record.K, cam.K)
    np.testing.assert_array_equal(record.T_global_cam, cam.T_global_cam)


def test_images_come_in_order_of_time(tmp_path):
    cams = [camera(sample=s, timestamp_us=t) for s, t in (("b", 3), ("a", 5), ("c", 1))]
    write_store(tmp_path, [(cam, np.ones((36, 64)), None) for cam in cams])
    assert [r.timestamp_us for r in SceneReader(tmp_path / "scene-0001.h5")] == [1, 3, 5]


def test_plain_h5py_reads_it(tmp_path):
    depth = image(np.random.default_rng(1))
    write_store(tmp_path, [(camera(), depth, None)])
    with h5py.File(tmp_path / "scene-0001.h5", "r") as file:
        assert file.attrs["format"] == "densegt-depth"
        assert file.attrs["format_version"] == 1
        assert file.attrs["densegt_version"] == densegt.__version__
        assert json.loads(file.attrs["config"]) == {"made": "by a test"}
        group = file["sample0/CAM_FRONT"]
        assert group["depth"].dtype == np.uint16
        assert group["source"].dtype == np.uint8
        np.testing.assert_array_equal(group["depth"][:] / 256, depth)
        assert group["depth"].chunks == depth.shape
        assert group["depth"].compression == "gzip"
        assert group["depth"].fletcher32
        assert group.attrs["K"].shape == (3, 3)


def test_confidence_is_kept_where_somebody_says(tmp_path):
    depth, sure = np.ones((36, 64), np.float32), np.linspace(0, 1, 36 * 64, dtype=np.float32).reshape(36, 64)
    sure[0, :4] = np.nan, -0.1, 1.1, 0.5
    with SceneWriter(tmp_path, "scene-0001", {}) as writer:
        writer.write(camera(channel="CAM_FRONT"), replace(depth_map(depth), confidence=sure))
        writer.write(camera(channel="CAM_BACK"), depth_map(depth))
    reader = SceneReader(tmp_path / "scene-0001.h5")
    stored = reader.read("sample0", "CAM_FRONT").layers["confidence"]
    assert stored.dtype == np.uint8
    assert stored[0, :4].tolist() == [0, 0, 255, 128]
    assert np.abs(stored[1:] / 255 - sure[1:]).max() <= 0.5 / 255 + 1e-6
    assert "confidence" not in reader.read("sample0", "CAM_BACK").layers


def test_distortion_of_an_image_is_kept_and_taken_away(tmp_path):
    plain, lens = camera(sample="a"), camera(sample="b", size=(64, 36))
    distortion = Distortion.about(lens.K, "fisheye", (0.1, 0.02, 0.0, 0.0))
    bent = replace(lens, distortion=distortion)
    write_store(tmp_path, [(plain, world()[0], None), (bent, world()[0], None)])
    first, second = SceneReader(tmp_path / "scene-0001.h5")
    assert (first.distortion, second.distortion) == (None, distortion)
    picture = np.random.default_rng(0).integers(1, 256, (36, 64, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "picture.png"), picture[..., ::-1])
    np.testing.assert_array_equal(read_image(tmp_path / "picture.png", first.distortion), picture)
    mended = read_image(tmp_path / "picture.png", second.distortion)
    np.testing.assert_array_equal(mended, undistort(picture, distortion))
    assert np.abs(mended.astype(float) - picture).mean() > 5


def test_equal_content_makes_equal_bytes_at_any_time(tmp_path):
    """HDF5 would note the second of writing."""
    images = [(camera(sample=f"s{k}"), image(np.random.default_rng(k)), None) for k in range(12)]
    first = write_store(tmp_path / "a", images) / "scene-0001.h5"
    time.sleep(1.1)
    assert (write_store(tmp_path / "b", images) / "scene-0001.h5").read_bytes() == first.read_bytes()


def test_older_stores_without_checksums_are_read(tmp_path):
    write_store(tmp_path, [(camera(), np.ones((36, 64)), None)])
    with h5py.File(tmp_path / "scene-0001.h5") as new, h5py.File(tmp_path / "old.h5", "w") as old:
        old.attrs.update({name: value for name, value in new.attrs.items() if name != "text_crc32"})
        new.copy("sample0", old)
        del old["sample0/CAM_FRONT"].attrs["text_crc32"]
    (record,) = SceneReader(tmp_path / "old.h5")
    assert (record.depth_m == 1).all()


def test_a_failure_leaves_nothing(tmp_path):
    folder = tmp_path / "store"

    def write_half():
        with SceneWriter(folder, "scene-0001", {}) as writer:
            writer.write(camera(), depth_map(np.ones((36, 64))))
            assert not (folder / "scene-0001.h5").exists()
            raise RuntimeError("lidar on fire")

    with pytest.raises(RuntimeError, match="lidar"):
        write_half()
    assert list(folder.iterdir()) == []


def test_a_failed_overwrite_keeps_the_old_file(tmp_path):
    write_store(tmp_path, [(camera(), np.ones((36, 64)), None)])
    with pytest.raises(KeyboardInterrupt), SceneWriter(tmp_path, "scene-0001", {}, overwrite=True):
        raise KeyboardInterrupt
    assert [p.name for p in tmp_path.iterdir()] == ["scene-0001.h5"]
    assert len(SceneReader(tmp_path / "scene-0001.h5")) == 1


def test_existing_is_refused_unless_told(tmp_path):
    write_store(tmp_path, [(camera(), np.ones((36, 64)), None)])
    with pytest.raises(InputError, match="exists already"):
        write_store(tmp_path, [])
    write_store(tmp_path, [], overwrite=True)
    assert len(SceneReader(tmp_path / "scene-0001.h5")) == 0


def test_layer_of_another_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"layer kind is \(3, 3\)"):
        write_store(tmp_path, [(camera(), np.ones((36, 64)), {"kind": np.zeros((3, 3), np.uint8)})])
    assert list(tmp_path.iterdir()) == []


def test_foreign_and_broken_files(tmp_path):
    garbage = tmp_path / "garbage.h5"
    garbage.write_bytes(b"not an HDF5 file" * 50)
    with pytest.raises(InputError, match=r"garbage\.h5: not a readable HDF5"):
        SceneReader(garbage)
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["data"] = [1, 2, 3]
    with pytest.raises(InputError, match="not a depth store"):
        SceneReader(tmp_path / "foreign.h5")
    with h5py.File(tmp_path / "newer.h5", "w") as file:
        file.attrs["format"], file.attrs["format_version"] = "densegt-depth", 99
    with pytest.raises(InputError, match="Update densegt"):
        SceneReader(tmp_path / "newer.h5")


def test_truncated_file(tmp_path):
    write_store(tmp_path, [(camera(), image(np.random.default_rng(2)), None)])
    path = tmp_path / "scene-0001.h5"
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"scene-0001\.h5"):
        list(SceneReader(path))


def test_unknown_image(tmp_path):
    write_store(tmp_path, [(camera(), np.ones((36, 64)), None)])
    reader = SceneReader(tmp_path / "scene-0001.h5")
    assert ("sample0", "CAM_BACK") not in reader
    with pytest.raises(InputError, match="sample0/CAM_BACK"):
        reader.read("sample0", "CAM_BACK")


def test_folder_without_a_store(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        scene_files(tmp_path / "missing")
    (tmp_path / ".scene-0001.h5.7.partial").touch()
    (tmp_path / ".hidden.h5").touch()
    with pytest.raises(InputError, match=r"no \.h5 file"):
        scene_files(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        scene_files(tmp_path / ".hidden.h5")


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.attrs.__delitem__("config"),
        lambda file: file.attrs.__setitem__("config", "{"),
        lambda file: file.attrs.__setitem__("format_version", "one"),
        lambda file: file.attrs.__delitem__("format_version"),
        lambda file: file.attrs.__setitem__("format_version", 99),
        lambda file: file.create_dataset("stray", data=[1, 2, 3]),
        lambda file: file.create_group("sample/CAM_FRONT"),
    ],
)
def test_a_store_whose_insides_are_damaged_is_one_clear_line(tmp_path, damage) -> None:
    path = tmp_path / "scene.h5"
    with h5py.File(path, "w") as file:
        file.attrs.update({"format": FORMAT, "format_version": 1, "config": "{}"})
        damage(file)
    with pytest.raises(InputError) as caught:
        SceneReader(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
