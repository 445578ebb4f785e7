"""Lines of sight into boxes, against the twin."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.geometry import se3
from densegt.kernels.box_front import SeenBox, box_behind, box_front

from ..twins import twin_of
from .samples import H, K, W


@pytest.mark.parametrize(("seed", "rows", "cols"), [(0, (0, H), (0, W)), (1, (3, 9), (5, 30)), (2, (0, 0), (4, 4))])
def test_box_front_equals_twin(seed: int, rows: tuple[int, int], cols: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    hit, hidden = 0, 0
    for _ in range(6):
        depth_m = rng.choice([0, np.nan, 6, 7.5, 9, 30], (H, W)).astype(np.float32)
        T = se3.from_yaw(rng.uniform(-3, 3), rng.uniform([-3, -2, -1], [3, 2, 9]))
        R = np.ascontiguousarray(T[:3, :3].T)
        box = SeenBox(R, -R @ T[:3, 3], rng.uniform(1, 4, 3), -0.4, 0.3)
        got, wanted = np.full((H, W), 7, np.float32), np.full((H, W), 7, np.float32)
        box_front(depth_m, K, box, rows, cols, got)
        twin_of(box_front)(depth_m, K, box, rows, cols, wanted)
        np.testing.assert_allclose(got, wanted, rtol=1e-6)
        behind, wanted_behind = np.zeros((2, H, W), np.bool_)
        box_behind(depth_m, K, box, rows, cols, behind)
        twin_of(box_behind)(depth_m, K, box, rows, cols, wanted_behind)
        np.testing.assert_array_equal(behind, wanted_behind)
        assert not (behind & (got != 7)).any()
        hit += int((got != 7).sum())
        hidden += int(behind.sum())
    assert (hit > 0) == (hidden > 0) == (rows[1] > 0)


def test_a_line_along_a_side_is_asked_by_the_others() -> None:
    """Straight ahead along the box's axes, from the height of its upper side."""
    K_ahead = np.array([[10.0, 0, 1], [0, 10.0, 1], [0, 0, 1]])
    box = SeenBox(np.eye(3), np.array([0.0, 2.0, -10.0]), np.array([1.0, 2.0, 3.0]), -9.0, 0.3)
    out = np.zeros((3, 3), np.float32)
    box_front(np.full((3, 3), 9, np.float32), K_ahead, box, (0, 3), (0, 3), out)
    assert out[1, 1] == 7
