"""Whole numbers of the store, and its checksum."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.fletcher32 import fletcher32
from densegt.kernels.quantise import age_steps, byte_planes, depth_steps, join_two_planes, probability_steps

from ..twins import twin_of

ODD = [0, -1, np.nan, np.inf, -np.inf, 1e-9, 0.5, 1, 255.998, 255.999, 256, 1e9, 32.7675, -32.7685, -40]


@pytest.mark.parametrize(
    ("kernel", "arguments", "dtype"),
    [(depth_steps, (256.0,), np.uint16), (age_steps, (), np.int16), (probability_steps, (), np.uint8)],
)
def test_steps_equal_twins(kernel, arguments, dtype) -> None:
    values = np.concatenate([ODD, np.random.default_rng(0).uniform(-2, 40, 500), np.arange(9) / 512]).astype(np.float32)
    got, wanted = np.full(len(values), 7, dtype), np.full(len(values), 9, dtype)
    kernel(values, *arguments, got)
    twin_of(kernel)(values, *arguments, wanted)
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("shape", [(0, 4), (1, 1), (37, 8)])
def test_byte_planes_equal_twin(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    got, wanted = np.empty(shape[::-1], np.uint8), np.empty(shape[::-1], np.uint8)
    byte_planes(values, got)
    twin_of(byte_planes)(values, wanted)
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_joined_planes_equal_twin(size: int) -> None:
    values = np.random.default_rng(size).integers(0, 1 << 16, size).astype(np.uint16)
    low, high = (np.ascontiguousarray(plane) for plane in values.view(np.uint8).reshape(-1, 2).T)
    got, wanted = np.empty(size, np.uint16), np.empty(size, np.uint16)
    join_two_planes(low, high, got)
    twin_of(join_two_planes)(low, high, wanted)
    np.testing.assert_array_equal(got, values)
    np.testing.assert_array_equal(wanted, values)


@pytest.mark.parametrize("size", [0, 1, 2, 719, 720, 721, 5000])
def test_fletcher32_equals_twin(size: int) -> None:
    for data in (np.random.default_rng(size).integers(0, 256, size), np.full(size, 255), np.zeros(size)):
        assert fletcher32(data.astype(np.uint8)) == twin_of(fletcher32)(data.astype(np.uint8))
