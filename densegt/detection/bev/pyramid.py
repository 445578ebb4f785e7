"""A residual network whose coarse maps are merged into its finest."""

from __future__ import annotations

from torch import Tensor, nn

from densegt.detection.bev.residual import Merge, convolution, stage


class Pyramid(nn.Module):
    """Residual stages at a map's own size, a half, a quarter of it and so on, merged from coarse to fine.

    On the ground plane it is small, after Lift-Splat-Shoot's, which takes ResNet-18's first three stages.

    Args:
        widths: at each of the sizes, finest first.
        blocks: of each size, or one number for all.
    """

    def __init__(self, channels: int, out: int, *, widths: tuple[int, ...], blocks: int | tuple[int, ...]) -> None:
        super().__init__()
        self.stem = convolution(channels, widths[0])
        counts = (blocks,) * len(widths) if isinstance(blocks, int) else blocks
        ins = (widths[0], *widths[:-1])
        self.stages = nn.ModuleList(
            stage(before, after, count, 1 if k == 0 else 2)
            for k, (before, after, count) in enumerate(zip(ins, widths, counts, strict=True))
        )
        self.merges = nn.ModuleList(
            Merge(fine, coarse, fine) for fine, coarse in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.last = convolution(widths[0], out)

    def forward(self, x: Tensor) -> Tensor:
        """(B,channels,Y,X) to (B,out,Y,X)."""
        x = self.stem(x)
        maps = []
        for each in self.stages:
            x = each(x)
            maps.append(x)
        for merge, fine in zip(self.merges, maps[-2::-1], strict=True):
            x = merge(fine, x)
        last: Tensor = self.last(x)
        return last
