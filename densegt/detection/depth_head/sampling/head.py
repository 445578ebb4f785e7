"""The small networks of the samplers."""

from __future__ import annotations

from torch import nn

GROUPS = 8


def zero_head(inputs: int, outputs: int) -> nn.Sequential:
    """(N,inputs,h,w) to (N,outputs,h,w), zero before any training: a sampler begins as the baseline."""
    width = GROUPS * max(1, round(inputs / GROUPS))
    last = nn.Conv2d(width, outputs, 1)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)  # type: ignore[arg-type]
    return nn.Sequential(
        nn.Conv2d(inputs, width, 1),
        nn.Conv2d(width, width, 3, padding=1, groups=GROUPS),
        nn.GroupNorm(GROUPS, width),
        nn.GELU(),
        last,
    )
