"""What the page carries is what was put in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densegt.view import codec


@given(st.binary(max_size=300))
def test_text_gives_the_bytes_back_and_holds_no_markup(data):
    text = codec.as_text(data)
    assert codec.from_text(text) == data
    assert not set(text) & set('<"\\/ \n')


def maps():
    rng = np.random.default_rng(3)
    smooth = (4000 + 30 * np.arange(40)[:, None] + rng.integers(-3, 4, (40, 50))).astype(np.uint16)
    holes = np.where(rng.random(smooth.shape) < 0.4, 0, smooth).astype(np.uint16)
    yield "smooth", smooth
    yield "with holes", holes
    yield "random", rng.integers(0, 65536, (17, 23)).astype(np.uint16)
    yield "extremes", np.array([[65535, 1, 65535], [0, 65535, 0], [1, 0, 1]], np.uint16)
    yield "empty", np.zeros((5, 7), np.uint16)
    yield "one", np.array([[9]], np.uint16)
    yield "one row", np.arange(9, dtype=np.uint16)[None]
    yield "one column", np.arange(9, dtype=np.uint16)[:, None]


@pytest.mark.parametrize("steps", [pytest.param(m, id=name) for name, m in maps()])
def test_depth_is_kept_to_the_last_step(steps):
    np.testing.assert_array_equal(codec.decode_steps(codec.encode_steps(steps), steps.shape), steps)


def test_prediction_pays():
    steps = dict(maps())["smooth"]
    assert len(codec.encode_steps(steps)) < 0.7 * len(codec.encode_uint16(steps))


def test_numbers_are_high_bytes_then_low_bytes():
    assert codec.from_text(codec.encode_uint16(np.array([[0x0102, 0x0304]]))) == bytes([1, 3, 2, 4])
