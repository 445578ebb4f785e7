"""What a training step asks for."""

from __future__ import annotations

import pytest
import torch

from densegt.completion.features import CHANNELS
from densegt.completion.model import CHOICES, CompletionOutput
from densegt.completion.task import BEYOND, MAX_SCORED_M, MAX_TARGET_M, losses_of


def losses(near_m, far_m, *, off=1.5):
    """Of an image whose left half is `near_m` away and whose right half `far_m`, guessed right and answered `off`."""
    target_m = torch.full((1, 1, 4, 8), near_m)
    target_m[..., 4:] = far_m
    channels = torch.zeros(1, CHANNELS, 4, 8)
    one, zero = torch.ones_like(target_m), torch.zeros_like(target_m)
    change = torch.zeros_like(target_m)
    change[..., 4:] = torch.tensor(off).log()
    shares = torch.full((1, CHOICES, 4, 8), 1 / CHOICES).log()
    batch = {
        "channels": channels, "guess_m": target_m, "sigma_m": one, "sky": zero, "known": zero, "target_m": target_m,
        "weight": one, "exact": torch.ones(1),
    }  # fmt: skip
    return losses_of(CompletionOutput(change, zero, zero, zero, shares), batch)


def test_far_errors_count_less():
    """Half of the image is wrong in either case; beyond the scored distance that half has BEYOND of its weight."""
    within, beyond = (float(losses(10.0, far_m)["depth"]) for far_m in (MAX_SCORED_M, MAX_SCORED_M + 0.01))
    assert beyond / within == pytest.approx(BEYOND / (1 + BEYOND) / (1 / 2), rel=1e-3)
    nowhere = losses(10.0, MAX_TARGET_M + 1)
    assert float(nowhere["depth"]) == 0


def test_uncertainty_is_asked_for_beyond_it_too():
    within, beyond = (losses(10.0, far_m)["scale"] for far_m in (MAX_SCORED_M, MAX_SCORED_M + 0.01))
    assert float(beyond) == pytest.approx(float(within), rel=1e-3)
