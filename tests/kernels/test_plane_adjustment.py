"""Normal equations of rigid motions that flatten planes."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.plane_adjustment import plane_adjustment

from ..twins import twin_of


@pytest.mark.parametrize(("planes", "width"), [(0, 5), (1, 1), (40, 7)])
def test_plane_adjustment_equals_twin(planes: int, width: int) -> None:
    rng = np.random.default_rng(planes)
    xyz, arm = rng.normal(size=(60, 3)), rng.normal(size=(60, 3))
    body = rng.integers(0, 5, 60).astype(np.int32)
    members = rng.integers(-1, 60, (planes, width)).astype(np.int32)
    if planes > 2:
        members[0], members[1, 1:] = -1, -1
    normal = rng.normal(size=(planes, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    answers = []
    for adjust in (plane_adjustment, twin_of(plane_adjustment)):
        answers.append((np.zeros((5, 5, 6, 6)), np.ones((5, 6))))
        adjust(xyz, arm, body, members, normal, 0.5, *answers[-1])
    for got, wanted in zip(*answers, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-10)
