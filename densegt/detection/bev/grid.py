"""The bird's-eye view: square cells in the reference frame, x ahead, y left; rows count y, columns count x."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

# Torch is imported where tensors are made: an engine's answers are decoded and scored without it.
if TYPE_CHECKING:
    from torch import Tensor

NO_CELL = -1
# Of a cell: an extent that is a whole number of cells but for the rounding of its decimals.
WHOLE = 1e-6


@dataclass(frozen=True)
class BevGrid:
    """Cells from min to max, each closed below and open above, one layer from z_min_m to z_max_m.

    Raises:
        ValueError: the extent is not a whole number of cells.
    """

    x_min_m: float
    x_max_m: float
    y_min_m: float
    y_max_m: float
    cell_m: float
    z_min_m: float = -10.0
    z_max_m: float = 10.0

    def __post_init__(self) -> None:
        if not self.cell_m > 0:
            raise ValueError(f"cells of {self.cell_m} m")
        if not self.z_min_m < self.z_max_m:
            raise ValueError(f"z from {self.z_min_m} m to {self.z_max_m} m")
        _count(self.x_min_m, self.x_max_m, self.cell_m)
        _count(self.y_min_m, self.y_max_m, self.cell_m)

    @property
    def shape(self) -> tuple[int, int]:
        """(Y, X): how many cells."""
        return _count(self.y_min_m, self.y_max_m, self.cell_m), _count(self.x_min_m, self.x_max_m, self.cell_m)

    @property
    def cells(self) -> int:
        """Y times X."""
        rows, columns = self.shape
        return rows * columns

    def centres_m(self) -> tuple[Tensor, Tensor]:
        """y (Y,) and x (X,) of the cells' centres, float64."""
        import torch

        rows, columns = self.shape
        y = self.y_min_m + (torch.arange(rows, dtype=torch.float64) + 0.5) * self.cell_m
        x = self.x_min_m + (torch.arange(columns, dtype=torch.float64) + 0.5) * self.cell_m
        return y, x

    def cell(self, x_m: Tensor, y_m: Tensor, z_m: Tensor) -> Tensor:
        """Row times X plus column of points in the reference frame, int64, NO_CELL outside; NaN is outside."""
        import torch

        rows, columns = self.shape
        row, column = cell_number(y_m, self.y_min_m, self.cell_m), cell_number(x_m, self.x_min_m, self.cell_m)
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        inside &= (z_m >= self.z_min_m) & (z_m < self.z_max_m)
        return torch.where(inside, row * columns + column, NO_CELL).long()


def cell_number(at_m: Tensor, min_m: float, cell_m: float) -> Tensor:
    """Cells between min_m and each place, rounded down: exact also where the division is not, next to an edge."""
    number = ((at_m - min_m) / cell_m).floor()
    number = number - (at_m < min_m + number * cell_m).to(number)
    return number + (at_m >= min_m + (number + 1) * cell_m).to(number)


def _count(min_m: float, max_m: float, cell_m: float) -> int:
    cells = (max_m - min_m) / cell_m
    if not 1 - WHOLE <= cells < math.inf or abs(cells - round(cells)) > WHOLE * max(1.0, cells):
        raise ValueError(f"{min_m} m to {max_m} m are {cells:g} cells of {cell_m} m; a whole number is wanted")
    return round(cells)
