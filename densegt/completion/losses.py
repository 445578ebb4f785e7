"""What a wrong answer costs, pixel by pixel; the caller masks and reduces."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# Of the mean error, of large errors, of relative ones: the first sets MAE, the second RMSE, the third what is near.
PER_M = 0.3
PER_SQUARE_M = 0.1
PER_LOG = 2.0
LARGE_M = 20.0
# A measurement is wrong when it is farther from the truth than this, in m, or as a share.
WRONG_M = 0.5
WRONG_SHARE = 0.05
MIN_SIGMA_M = 1e-3
MANY_SIGMAS = 4.0
# A choice fits as well as its log depth is near that of the truth, in units of this.
CHOICE_LOG = 0.05


def depth_loss(depth_m: Tensor, target_m: Tensor) -> Tensor:
    """Per pixel; the target must be positive. Errors beyond LARGE_M count linearly."""
    error = (depth_m - target_m).abs()
    square = functional.huber_loss(depth_m, target_m, reduction="none", delta=LARGE_M) * 2
    log = (depth_m.clamp(min=1e-3).log() - target_m.log()).abs()
    return PER_M * error + PER_SQUARE_M * square + PER_LOG * log


def choice_loss(log_shares: Tensor, choices_m: Tensor, target_m: Tensor) -> Tensor:
    """Negative log-likelihood, per pixel, of log depth under Laplace distributions about the choices (B,C,H,W), with
    the probabilities given; the part that no choice can mend is left out."""
    off = (choices_m.log() - target_m.log()).abs() / CHOICE_LOG
    return -off.amin(1, keepdim=True) - torch.logsumexp(log_shares - off, dim=1, keepdim=True)


def scale_loss(error_m: Tensor, sigma_m: Tensor) -> Tensor:
    """Per pixel: negative log-likelihood of errors under a Gaussian, which asks for their mean square; but an error of
    more than MANY_SIGMAS counts linearly, so that no single one decides."""
    sigma_m = sigma_m.clamp(min=MIN_SIGMA_M)
    ratio = error_m / sigma_m
    square = 2 * functional.huber_loss(ratio, torch.zeros_like(ratio), reduction="none", delta=MANY_SIGMAS)
    return square / 2 + sigma_m.log()


def is_wrong(measured_m: Tensor, target_m: Tensor) -> Tensor:
    """Where a measurement fits no target in the 3x3 pixels around it; (B,1,H,W), 0 = no target there."""
    wide = functional.pad(target_m, (1, 1, 1, 1), mode="replicate")
    height, width = target_m.shape[-2:]
    around = torch.cat([wide[..., v : v + height, u : u + width] for v in range(3) for u in range(3)], 1)
    off = (measured_m - around).abs() > (WRONG_SHARE * around).clamp(min=WRONG_M)
    return (off | (around == 0)).all(1, keepdim=True)
