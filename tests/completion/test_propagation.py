"""Propagation against its twin, and what holds for all affinities."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.completion.propagation import NEIGHBOURS, normalised, propagate  # noqa: E402


def twin(value, affinity, anchor, trust, dilation, steps):
    """Pixel by pixel."""
    height, width = value.shape
    for _ in range(steps):
        moved = np.empty_like(value)
        for row in range(height):
            for col in range(width):
                here = value[row, col]
                new = here
                for at, (down, right) in enumerate(NEIGHBOURS):
                    there = (
                        min(max(row + dilation * down, 0), height - 1),
                        min(max(col + dilation * right, 0), width - 1),
                    )
                    new += affinity[at, row, col] * (value[there] - here)
                moved[row, col] = new + trust[row, col] * (anchor[row, col] - new)
        value = moved
    return value


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 2), (11, 13)])
@pytest.mark.parametrize("dilation", [1, 3])
def test_equals_twin(shape, dilation):
    rng = np.random.default_rng(0)
    value, anchor, trust = (rng.random(shape) for _ in range(3))
    affinity = normalised(torch.from_numpy(rng.normal(size=(1, 8, *shape)))).numpy()[0]
    tensors = (torch.from_numpy(array).reshape(1, -1, *shape) for array in (value, affinity, anchor, trust))
    got = propagate(*tensors, dilation=dilation, steps=3)[0, 0].numpy()
    np.testing.assert_allclose(got, twin(value, affinity, anchor, trust, dilation, 3), rtol=1e-12)


def test_affinities():
    raw = torch.randn(2, 8, 5, 6, generator=torch.Generator().manual_seed(0)) * 10
    assert normalised(raw).abs().sum(1).max() <= 1 + 1e-6
    assert not normalised(torch.zeros_like(raw)).any()
    small = torch.full((1, 8, 1, 1), 0.01)
    np.testing.assert_allclose(normalised(small), torch.tanh(small))


def test_it_stays_within_bounds_and_trusted_pixels_stay():
    """Affinities that are not negative only average."""
    rng = torch.Generator().manual_seed(0)
    value, trust = torch.rand(1, 1, 9, 9, generator=rng), torch.zeros(1, 1, 9, 9)
    trust[..., 4, 4] = 1
    affinity = normalised(torch.rand(1, 8, 9, 9, generator=rng) * 3)
    out = propagate(value, affinity, value, trust, dilation=2, steps=50)
    assert out.min() >= value.min()
    assert out.max() <= value.max()
    assert out[..., 4, 4] == value[..., 4, 4]
