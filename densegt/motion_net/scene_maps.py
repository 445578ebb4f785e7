"""Maps of a scene's scans on one lattice, each made once however many scans are compared with it.

While learning every scan that is asked about has a frame of its own, turned at random, and the scans about it are seen
in that frame. Since the answer does not depend on how the frame is turned, all scans of a scene can share one whose
axes are the global ones, and whose cells lie at multiples of their size: then a scan's map is the same for all.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from densegt.kernels.pillars import fill_pillars, fullness
from densegt.motion_net.network import LOOKUPS, STRIDE, MotionNet
from densegt.motion_net.pillars import CHANNELS, slices_of
from densegt.motion_net.scans import SceneScans

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class ScanMap:
    """A scan seen from above.

    Attributes:
        corner: (2,) lattice cell of its first row and column, a multiple of STRIDE.
        pillars: (H,W,CHANNELS) as `fill_pillars` makes them.
        stem: (1,C,H/STRIDE,W/STRIDE) of the network's first convolutions.
    """

    corner: Int64
    pillars: NDArray[np.float32]
    stem: Tensor

    def window(self, corner: Int64, cells: int) -> Tensor:
        """(1,C,cells/STRIDE,cells/STRIDE): the part of the stem's map from another corner."""
        row, col = ((corner - self.corner) // STRIDE).tolist()
        size = cells // STRIDE
        return self.stem[:, :, row : row + size, col : col + size]


class SceneMaps:
    """The maps of a scene's scans, the last few of them kept.

    Args:
        net: as `for_answers` makes it.
    """

    def __init__(self, net: MotionNet, scans: SceneScans) -> None:
        self.net, self.scans = net, scans
        config = net.config
        self.cell_m, self.cells = np.float32(config.cell_m), config.cells
        steps = STRIDE * np.rint(scans.xy / (STRIDE * config.cell_m)).astype(np.int64)
        # First cells of the squares about each scan, and the scans that each is compared with.
        self.corners = steps - self.cells // 2
        gaps_s = [sign * gap_s for gap_s in config.gaps_s for sign in (-1, 1)]
        self.others = [[k for g in gaps_s if (k := scans.at(scan, g)) >= 0] for scan in range(len(scans))]
        self._kept: OrderedDict[int, ScanMap] = OrderedDict()

    def order(self) -> list[int]:
        """All scans so that those compared with each other follow each other; few maps are alive then."""
        gaps_s, turns_s = self.net.config.gaps_s, np.diff(self.scans.scan_s)
        step = max(1, round(gaps_s[0] / float(np.median(turns_s)))) if gaps_s and len(turns_s) else 1
        return sorted(range(len(self.scans)), key=lambda scan: (scan % step, scan))

    def middle_m(self, scan: int) -> NDArray[np.float32]:
        """Middle (2,) m of the square about a scan, in global minus origin."""
        middle: NDArray[np.float32] = (self.corners[scan] + self.cells // 2).astype(np.float32) * self.cell_m
        return middle

    def of(self, scan: int) -> ScanMap:
        """A scan's map, over the squares of all that it is compared with."""
        if scan in self._kept:
            self._kept.move_to_end(scan)
            return self._kept[scan]
        made = self._kept[scan] = self._made(scan)
        if len(self._kept) > self.net.config.scans + 1:
            self._kept.popitem(last=False)
        return made

    def _made(self, scan: int) -> ScanMap:
        squares = self.corners[[scan, *(k for k, others in enumerate(self.others) if scan in others)]]
        low, size = squares.min(axis=0), np.ptp(squares, axis=0) + self.cells
        rows = self.scans.rows_of(scan)
        cell = np.floor(self.scans.xyz[rows, :2] / self.cell_m).astype(np.int64) - low
        inside = ((cell >= 0) & (cell < size)).all(axis=1)
        rows, cell = rows[inside], cell[inside]
        height = self.scans.height[rows]
        out = np.zeros((*size, CHANNELS), dtype=np.float32)
        bright = self.scans.intensity[rows].astype(np.float32) / 255
        fill_pillars(cell, slices_of(height), height.clip(-1, 6), bright, out)
        pillars = torch.from_numpy(out).permute(2, 0, 1)[None]
        return ScanMap(low, out, self.net.stem(pillars.to(self.net.map_type)))

    def lookups(self, scan: int, cell: Int64, part: Int64) -> NDArray[np.float32]:
        """How full points' own cell and slice, and their cell, are in the other scans; see `network.lookups`.

        Args:
            cell: (P,2) of the square about the scan; part: (P,) the slice.
        """
        others = [self.of(k) for k in self.others[scan]]
        if not others:
            return np.zeros((len(cell), LOOKUPS), dtype=np.float32)
        own, whole = np.empty((2, len(others), len(cell)), dtype=np.float32)
        for k, other in enumerate(others):
            fullness(other.pillars, cell + (self.corners[scan] - other.corner), part, own[k], whole[k])
        out = np.empty((len(cell), LOOKUPS), dtype=np.float32)
        for first, full in ((0, own), (LOOKUPS // 2, whole)):
            out[:, first], out[:, first + 1] = full.mean(axis=0), full.min(axis=0)
            out[:, first + 2] = (full > 0).sum(axis=0) / np.float32(len(others))
        return out
