"""The network: maps of several scans compared, and each point told by its map and by itself.

As in MarS3D (Liu et al., CVPR 2023) each scan's map is embedded by its distance in time, and a branch of its own learns
motion from a scan's map, another's and their difference, in several sizes of neighbourhood. Unlike there the others are
earlier and later ones, and what is learned of each is gathered by mean and maximum, so that their order, and the
direction of time, cannot matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from densegt.motion_net.batches import POINT_FEATURES, MotionBatch
from densegt.motion_net.classes import CLASSES
from densegt.motion_net.config import NetConfig
from densegt.motion_net.pillars import CHANNELS, SLICES
from densegt.motion_net.scans import FREE_SPACE_COLUMNS

# The maps' cells are twice as wide as the pillars'.
STRIDE = 2
LOOKUPS = 6
# Of the map of what free space says.
BEAM_CHANNELS = 8


class MotionOutput(NamedTuple):
    """Of all points (P): log-odds of moving, log-odds (P,C) of the classes, speed m/s, offset (P,2) m in the frame."""

    moving: Tensor
    classes: Tensor
    speed_mps: Tensor
    offset_m: Tensor


def _conv(given: int, made: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, made, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(made), nn.ReLU()
    )


class ScanEmbedding(nn.Module):
    """Scales and shifts each of K scans' maps (B,C,H,W) by its distance in time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 2 * width))

    def forward(self, maps: Sequence[Tensor], gap_s: Tensor) -> list[Tensor]:
        """Embed; gap_s (B,K)."""
        known = torch.stack([gap_s, gap_s.sqrt(), (gap_s > 0).float()], dim=-1)
        scale, shift = self.net(known)[..., None, None].to(maps[0].dtype).chunk(2, dim=2)
        return [torch.addcmul(shift[:, k], one, 1 + scale[:, k]) for k, one in enumerate(maps)]


class MotionAware(nn.Module):
    """What a scan's map and another's, (B,C,H,W) each, tell of motion."""

    def __init__(self, width: int, fusion: str) -> None:
        super().__init__()
        self.fusion = fusion
        # Of both side by side and their difference a mixing would be a sum of these three: no need to join them first.
        self.of_base = nn.Conv2d(width, width, 1)
        self.of_other = nn.Conv2d(width, width, 1, bias=False)
        self.of_change = nn.Conv2d(width, width, 1, bias=False)

    def forward(self, base: Tensor, other: Tensor, mixed_base: Tensor) -> Tensor:
        """(B,C,H,W) of a pair.

        Args:
            mixed_base: `of_base` of the base, the same for all others.
        """
        if self.fusion == "differences":
            return F.relu(self.of_change(base - other))
        return F.relu(self.of_other(other) + self.of_change((base - other).abs()) + mixed_base)


class Neighbourhoods(nn.Module):
    """Maps in neighbourhoods of 1, 3 and 5 cells, and their maximum."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.enter = _conv(given, made, 1)
        quarter = made // 4
        self.near = nn.Conv2d(made, quarter, 1)
        self.mid = nn.Conv2d(made, quarter, 3, 1, 1)
        self.far = nn.Sequential(nn.Conv2d(made, quarter, 1), nn.Conv2d(quarter, quarter, 5, 1, 2))
        self.most = nn.Conv2d(made, quarter, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """(B,made,H,W)."""
        x = self.enter(maps)
        most = self.most(F.max_pool2d(x, 3, 1, 1))
        return F.relu(torch.cat([self.near(x), self.mid(x), self.far(x), most], dim=1))


class UNet(nn.Module):
    """Maps (B,C,H,W) with the surroundings of up to 16 m in each cell."""

    def __init__(self, given: int, width: int) -> None:
        super().__init__()
        mid, deep = 2 * width, 3 * width
        self.enter = _conv(given, width, 1)
        self.down1 = nn.Sequential(_conv(width, mid, 3, 2), _conv(mid, mid))
        self.down2 = nn.Sequential(_conv(mid, deep, 3, 2), _conv(deep, deep), _conv(deep, deep))
        self.up1, self.join1 = _conv(deep, mid, 1), _conv(mid, mid)
        self.up2, self.join2 = _conv(mid, width, 1), _conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B,width,H,W)."""
        a = self.enter(x)
        b = self.down1(a)
        c = self.down2(b)
        b = self.join1(b + F.interpolate(self.up1(c), size=b.shape[-2:], mode="nearest"))
        joined: Tensor = self.join2(a + F.interpolate(self.up2(b), size=a.shape[-2:], mode="nearest"))
        return joined


class MotionNet(nn.Module):
    """See above.

    Args:
        config: of any number of scans and any reach; its weights do not depend on them.
    """

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.stem = nn.Sequential(_conv(CHANNELS, width, 3, STRIDE), _conv(width, width))
        self.embedding = ScanEmbedding(width)
        self.compare = None if config.fusion == "stacked" else MotionAware(width, config.fusion)
        self.around = Neighbourhoods(2 * width, width)
        self.beams = _conv(FREE_SPACE_COLUMNS, BEAM_CHANNELS, 3, STRIDE)
        self.unet = UNet(2 * width + BEAM_CHANNELS, width)
        hidden = 2 * width
        self.point = nn.Sequential(
            nn.Linear(width + POINT_FEATURES + LOOKUPS, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )
        self.head = nn.Linear(hidden, 1 + len(CLASSES) + 1 + 2)

    @property
    def map_type(self) -> torch.dtype:
        """What maps are reckoned in."""
        return next(self.stem.parameters()).dtype

    def forward(self, batch: MotionBatch) -> MotionOutput:
        """What is said of each point."""
        return self.told_by_maps(self._stem(batch.pillars.to(self.map_type)), batch, lookups(batch))

    def told_by_maps(self, stems: Sequence[Tensor], batch: MotionBatch, found: Tensor) -> MotionOutput:
        """What is said of each point (P) by the stem's maps, K of (B,C,H,W), and lookups (P,LOOKUPS)."""
        maps = self.embedding(stems, batch.gap_s)
        moved = self.around(self._compared(maps, batch.there))
        around = self.unet(torch.cat([maps[0], moved, self.beams(batch.shares.to(self.map_type))], dim=1))
        seen = self._at_points(around.to(batch.features.dtype), batch)
        return self.told(seen, batch.features, found)

    def told(self, seen: Tensor, features: Tensor, found: Tensor) -> MotionOutput:
        """What the head says of points (P) by their places in the map (P,width), features and lookups."""
        said = self.head(self.point(torch.cat([seen, features, found], dim=1))).float()
        moving, classes, speed, offset = said.split([1, len(CLASSES), 1, 2], dim=1)
        return MotionOutput(moving[:, 0], classes, F.softplus(speed[:, 0]), offset)

    def _stem(self, given: Tensor) -> list[Tensor]:
        B, K, C, H, W = given.shape
        made = self.stem(given.reshape(B * K, C, H, W))
        split = made.reshape(B, K, *made.shape[1:])
        return [split[:, k] for k in range(K)]

    def _compared(self, maps: Sequence[Tensor], there: Tensor) -> Tensor:
        """Mean and maximum (B,2C,H,W) of what the others tell; nothing where there is none."""
        base, others = maps[0], maps[1:]
        if not others:
            return torch.cat([torch.zeros_like(base)] * 2, dim=1)
        known = there[:, 1:, None, None, None].to(base.dtype)
        every = bool((known == 1).all())
        total, most = base.new_zeros(()), base.new_zeros(())
        mixed = self.compare.of_base(base) if self.compare else base.new_zeros(())
        # One after another: each fits into the processor's cache. Maxima start at 0, as of none.
        for k, other in enumerate(others):
            told = other if self.compare is None else self.compare(base, other, mixed)
            told = told if every else told * known[:, k]
            total, most = total + told, torch.maximum(most, told)
        return torch.cat([total / known.sum(1).clamp(min=1), most], dim=1)

    def _at_points(self, maps: Tensor, batch: MotionBatch) -> Tensor:
        """(P,C): the map between the middles of its cells."""
        H, W = maps.shape[-2:]
        cell_m = self.config.cell_m * STRIDE
        at = batch.xy_m / (cell_m * torch.tensor([H, W], device=maps.device) / 2)
        parts = []
        for b in range(len(maps)):
            # grid_sample's x runs along the last axis, which is y here.
            grid = at[batch.example == b].flip(1)[None, None]
            parts.append(F.grid_sample(maps[b : b + 1], grid, align_corners=False, padding_mode="border")[0, :, 0].T)
        return torch.cat(parts)


def lookups(batch: MotionBatch) -> Tensor:
    """(P,LOOKUPS): how full each point's own cell and slice, and its cell, are in the other scans."""
    K = batch.pillars.shape[1]
    if K == 1:
        return batch.features.new_zeros(len(batch.features), LOOKUPS)
    row, col, b = batch.cell[:, 0], batch.cell[:, 1], batch.example
    there = batch.there[b, 1:]
    others = torch.arange(1, K, device=b.device)
    # (P,K-1,C): of a cell all channels lie together.
    cells = batch.pillars.permute(0, 1, 3, 4, 2)[b[:, None], others, row[:, None], col[:, None]]
    out = []
    for full in (cells.gather(2, batch.slice[:, None, None].expand(-1, K - 1, 1))[..., 0], cells[..., SLICES]):
        mean = (full * there).sum(1) / there.sum(1).clamp(min=1)
        least = torch.where(there > 0, full, torch.full_like(full, 10.0)).amin(1)
        met = ((full > 0).float() * there).sum(1) / there.sum(1).clamp(min=1)
        out += [mean, torch.where(there.sum(1) > 0, least, torch.zeros_like(least)), met]
    return torch.stack(out, dim=1)
