"""From features on the ground plane to features of what stands there."""

from __future__ import annotations

from torch import Tensor, nn

from densegt.detection.bev.residual import Merge, convolution, stage


class BevNet(nn.Module):
    """A small residual network at the grid's own size, a half and a quarter of it, merged from coarse to fine.

    After Lift-Splat-Shoot's, which takes ResNet-18's first three stages.

    Args:
        widths: at each of the sizes, finest first.
        blocks: of each size.
    """

    def __init__(self, channels: int, out: int, *, widths: tuple[int, ...], blocks: int) -> None:
        super().__init__()
        self.stem = convolution(channels, widths[0])
        ins = (widths[0], *widths)
        self.stages = nn.ModuleList(
            stage(before, after, blocks, 1 if k == 0 else 2)
            for k, (before, after) in enumerate(zip(ins, widths, strict=False))
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
