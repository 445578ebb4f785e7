"""Chunks that are made here are those that HDF5 would have read from its own filters."""

import h5py
import numpy as np
import pytest

from densegt.depth.layer_codec import FILTERS, encode_layer
from densegt.depth.steps import decode_depth, encode_age, encode_confidence, encode_depth
from densegt.kernels.fletcher32 import fletcher32


@pytest.mark.parametrize("size", [1, 2, 3, 719, 720, 721, 1439, 1440, 1441, 5000])
@pytest.mark.parametrize("fill", ["random", "ones", "zeros"])
def test_the_checksum_is_hdf5s_own(tmp_path, size, fill):
    rng = np.random.default_rng(size)
    data = {"random": rng.integers(0, 256, size), "ones": np.full(size, 255), "zeros": np.zeros(size)}[fill]
    data = data.astype(np.uint8)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        stored = file.create_dataset("a", data=data, chunks=data.shape, fletcher32=True)
        _, chunk = stored.id.read_direct_chunk((0,))
    assert fletcher32(data) == int.from_bytes(chunk[-4:], "little")


@pytest.mark.parametrize("dtype", ["u1", "i1", "bool", "<u2", ">u2", "i2", "i4", "f4", ">f8"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (33, 1), (45, 80), (211, 307)])
def test_what_is_encoded_is_read_back_by_plain_hdf5(tmp_path, dtype, shape):
    rng = np.random.default_rng(1)
    layer = rng.integers(-300, 300, shape).astype(dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        stored = file.create_dataset("a", shape, layer.dtype, chunks=shape, **FILTERS)
        stored.id.write_direct_chunk((0, 0), encode_layer(layer.astype(layer.dtype.newbyteorder("<"))))
        if layer.dtype.byteorder != ">":
            assert (stored[()] == layer).all()
        assert len(encode_layer(layer)) == stored.id.get_storage_size()


def test_a_flipped_bit_is_noticed(tmp_path):
    layer = np.random.default_rng(2).integers(0, 60000, (45, 80), dtype=np.uint16)
    chunk = bytearray(encode_layer(layer))
    chunk[100] ^= 4
    with h5py.File(tmp_path / "a.h5", "w") as file:
        stored = file.create_dataset("a", layer.shape, layer.dtype, chunks=layer.shape, **FILTERS)
        stored.id.write_direct_chunk((0, 0), bytes(chunk))
        with pytest.raises(OSError, match="filter"):
            stored[()]


def test_steps_are_those_of_numpy():
    rng = np.random.default_rng(3)
    odd = np.float32([0, -1, np.nan, np.inf, -np.inf, 255.99, 255.999, 256, 1e30, 1 / 512, 1 / 513, 3 / 512, 1e-40])
    depth_m = np.concatenate([odd, rng.uniform(0, 260, 5000).astype(np.float32)]).reshape(-1, 1)
    known = np.isfinite(depth_m) & (depth_m > 0) & (depth_m <= 65535 / 256)
    assert (encode_depth(depth_m) == np.rint(np.where(known, depth_m, 0) * 256.0)).all()
    assert (encode_depth(depth_m.astype(np.float64)) == encode_depth(depth_m)).all()
    assert np.abs(decode_depth(encode_depth(depth_m)) - depth_m)[known].max() <= 1 / 512
    age_s = np.concatenate([odd, rng.uniform(-40, 40, 5000).astype(np.float32)]).reshape(1, -1)
    expected = np.clip(np.rint(np.nan_to_num(age_s.astype(np.float64) * 1e3, nan=0.0)), -32768, 32767)
    assert (encode_age(age_s) == expected).all()
    sure = np.concatenate([odd, rng.uniform(-0.1, 1.1, 5000).astype(np.float32)])
    assert (encode_confidence(sure) == np.rint(255 * np.clip(np.nan_to_num(sure), 0, 1)).astype(np.uint8)).all()
    assert encode_depth(np.float32([[10, 20], [30, 0]])[:, ::-1]).tolist() == [[5120, 2560], [0, 7680]]
