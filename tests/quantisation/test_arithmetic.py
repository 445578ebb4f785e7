"""Ranges to scales, and whole numbers."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.quantisation.arithmetic import LEVELS, scale_of_range, to_numbers, weight_steps


@pytest.mark.parametrize("target", LEVELS)
@pytest.mark.parametrize("span", [(-3.0, 5.0), (0.0, 7.0), (2.0, 7.0), (-9.0, -1.0), (0.0, 0.0), (-1e-20, 1e-20)])
def test_zero_is_exactly_a_number_and_both_ends_are_held(target, span):
    levels = LEVELS[target]
    scale = scale_of_range(*span, levels)
    assert levels.least <= scale.zero <= levels.most
    ends = np.array([min(span[0], 0), 0, max(span[1], 0)])
    back = scale.step * (to_numbers(ends, scale.step, scale.zero, levels.least, levels.most) - scale.zero)
    assert back[1] == 0
    np.testing.assert_allclose(back, ends, atol=0.51 * scale.step)


def test_tensorrt_has_zero_point_zero():
    assert scale_of_range(-1, 9, LEVELS["tensorrt"]).zero == 0


def test_steps_are_by_output_channel_and_never_nothing():
    weight = np.zeros((4, 3, 3, 3), np.float32)
    weight[0], weight[1], weight[2] = 1.27, -12.7, 1e-9
    steps = weight_steps(weight)
    np.testing.assert_allclose(steps[:2], [0.01, 0.1], rtol=1e-6)
    # A bias of this channel is counted in its steps and must be held in 32 bits.
    assert steps[2] == steps[3] >= 1e-5
    assert (weight_steps(np.zeros((2, 1, 1, 1), np.float32)) > 0).all()
    assert weight_steps(np.ones((3, 5, 2, 2), np.float32), transposed=True).shape == (5,)


def test_halves_go_to_the_even_number():
    np.testing.assert_array_equal(to_numbers(np.array([0.5, 1.5, 2.5, -0.5]), 1.0, 0, -128, 127), [0, 2, 2, 0])
