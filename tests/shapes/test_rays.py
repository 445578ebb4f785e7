"""Silhouettes and depth of shapes along rays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from densegt.shapes.decoder import ShapeDecoder
from densegt.shapes.prior import ShapePrior
from densegt.shapes.rays import nearest_on_rays, range_on_rays


def _rays() -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    origin = np.tile([9.0, 5.0, 1.5], (40, 1))
    aim = rng.uniform([-2.5, -1.2, 0.0], [2.5, 1.2, 2.4], (40, 3)) - origin
    return torch.from_numpy(origin), torch.from_numpy(aim / np.linalg.norm(aim, axis=1, keepdims=True))


@pytest.fixture(scope="module")
def exact(prior: ShapePrior) -> ShapeDecoder:
    """The decoder in float64."""
    out = ShapeDecoder().double()
    out.load_state_dict({k: v.double() for k, v in prior.decoder.state_dict().items()})
    return out


def test_the_least_distance_and_the_range_are_those_of_many_samples(prior: ShapePrior, exact: ShapeDecoder) -> None:
    code = torch.from_numpy(prior.families["car"].mean)
    origin, direction = _rays()
    t = torch.linspace(4.0, 16.0, 6001, dtype=torch.float64)
    with torch.no_grad():
        many = torch.stack(
            [exact(code.expand(len(t), -1), o + t[:, None] * d) for o, d in zip(origin, direction, strict=True)]
        )
    least = nearest_on_rays(exact, code, origin, direction, (4.0, 16.0))
    assert float((least.detach() - many.min(1).values).abs().max()) < 0.01
    met = many.min(1).values < -0.02
    assert 5 < int(met.sum()) < 38
    first = t[(many < 0).int().argmax(1)]
    ranges = range_on_rays(exact, code, origin, direction, (4.0, 16.0))
    assert float((ranges - first)[met].abs().max()) < 0.05
    assert bool(ranges[many.min(1).values > 0.02].isinf().all())


def test_gradients_of_the_least_distance_are_those_of_finite_differences(
    prior: ShapePrior, exact: ShapeDecoder
) -> None:
    code = torch.from_numpy(prior.families["car"].mean).requires_grad_(True)
    origin, direction = _rays()
    origin = origin[:6].clone().requires_grad_(True)

    def least(code: torch.Tensor, origin: torch.Tensor) -> torch.Tensor:
        return nearest_on_rays(exact, code, origin, direction[:6], (4.0, 16.0))

    # The place of the least is found by samples, which is its error.
    assert torch.autograd.gradcheck(least, (code, origin), eps=1e-6, atol=0.05)
