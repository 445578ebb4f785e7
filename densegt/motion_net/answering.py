"""A trained network made quick: normalisation within convolutions, maps in half precision where that is faster."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from densegt.motion_net.network import MotionNet

# What goes over all cells.
MAPS = ("stem", "compare", "around", "beams", "unet")


def for_answers(net: MotionNet, *, half: bool | None = None) -> MotionNet:
    """A copy that answers the same, faster, and learns no more.

    Args:
        half: whether maps are in bfloat16; None where the processor multiplies it.
    """
    quick = copy.deepcopy(net).eval()
    _fold(quick)
    if has_bfloat16() if half is None else half:
        for name in MAPS:
            part = getattr(quick, name)
            if part is not None:
                part.to(torch.bfloat16)
    for part in quick.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = True
    return quick.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16, as far as torch can tell; emulated it would be slow."""
    able: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def _fold(part: nn.Module) -> None:
    """Put each normalisation into the convolution before it."""
    for child in part.children():
        _fold(child)
    if not isinstance(part, nn.Sequential):
        return
    for k in range(len(part) - 1):
        conv, norm = part[k], part[k + 1]
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            part[k], part[k + 1] = fuse_conv_bn_eval(conv, norm), nn.Identity()
