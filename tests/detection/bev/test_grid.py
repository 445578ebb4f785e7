"""The bird's-eye grid: no cell lost, none twice as wide, edges where they are."""

from __future__ import annotations

from fractions import Fraction

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from densegt.detection.bev.grid import NO_CELL, BevGrid  # noqa: E402

BEVDEPTH = BevGrid(-51.2, 51.2, -51.2, 51.2, 0.8)


def along_x(grid, x_m):
    """Columns of points at these x, in the first row."""
    x_m = torch.as_tensor(x_m, dtype=torch.float64)
    return grid.cell(x_m, torch.full_like(x_m, grid.y_min_m), torch.full_like(x_m, grid.z_min_m))


# Every cell is looked at, by a loop.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("extent", "cell_m", "wanted"),
    [
        ((-51.2, 51.2, -51.2, 51.2), 0.8, (128, 128)),
        ((-50.0, 50.0, -50.0, 50.0), 0.5, (200, 200)),
        ((-54.0, 54.0, -54.0, 54.0), 0.6, (180, 180)),  # 108 / 0.6 < 180 in floats
        ((0.0, 0.3, -0.3, 0.6), 0.1, (9, 3)),
        ((0.1, 0.8, 0.0, 0.1), 0.1, (1, 7)),
    ],
)
def test_no_cell_is_lost(extent, cell_m, wanted):
    grid = BevGrid(*extent, cell_m)
    assert grid.shape == wanted
    y, x = grid.centres_m()
    assert (len(y), len(x)) == wanted
    z = torch.zeros(())
    cells = [[int(grid.cell(b, a, z)) for b in x] for a in y]
    assert cells == torch.arange(grid.cells).view(wanted).tolist()


def test_part_of_a_cell_below_zero_is_outside():
    """Where truncation would pull a cell's width of points into the grid."""
    grid = BevGrid(0.0, 4.0, 0.0, 4.0, 1.0)
    assert along_x(grid, [-0.001, -0.999, 0.0, 0.999, 3.999, 4.0]).tolist() == [NO_CELL, NO_CELL, 0, 0, 3, NO_CELL]


@pytest.mark.parametrize("grid", [BEVDEPTH, BevGrid(-54.0, 54.0, -1.2, 1.2, 0.6), BevGrid(0.1, 7.1, 0, 0.7, 0.7)])
def test_an_edge_opens_its_cell(grid):
    columns = grid.shape[1]
    edges = grid.x_min_m + torch.arange(columns, dtype=torch.float64) * grid.cell_m
    assert along_x(grid, edges).tolist() == list(range(columns))
    below = torch.nextafter(edges, torch.full_like(edges, -1e9))
    assert along_x(grid, below).tolist() == [NO_CELL, *range(columns - 1)]


@given(st.floats(-60, 60), st.sampled_from([0.8, 0.4, 0.1, 0.64]))
def test_the_same_as_in_fractions(x_m, cell_m):
    grid = BevGrid(-51.2, 51.2, 0.0, cell_m, cell_m)
    exact = (Fraction(x_m) - Fraction(-51.2)) / Fraction(cell_m)
    if abs(exact - round(exact)) > 1e-9:
        wanted = exact.__floor__()
        assert int(along_x(grid, x_m)) == (wanted if 0 <= wanted < grid.cells else NO_CELL)


def test_one_layer_and_nan():
    grid = BevGrid(-1.0, 1.0, -1.0, 1.0, 1.0, z_min_m=-3.0, z_max_m=5.0)
    zero, nan = torch.zeros(1), torch.tensor([float("nan")])
    z = torch.tensor([-3.001, -3.0, 0.0, 4.999, 5.0, float("nan")])
    assert grid.cell(torch.zeros(6), torch.zeros(6), z).tolist() == [-1, 3, 3, 3, -1, -1]
    assert grid.cell(nan, zero, zero) == NO_CELL
    assert grid.cell(zero, nan, zero) == NO_CELL
    assert grid.cell(zero + float("inf"), zero, zero) == NO_CELL


def test_rows_count_y():
    grid = BevGrid(0.0, 2.0, 0.0, 3.0, 1.0)
    assert grid.shape == (3, 2)
    assert grid.cell(*torch.tensor([0.5, 2.5, 0.0])) == 4


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((0.0, 1.0, 0.0, 1.0, 0.3), "3.33333 cells of 0.3 m"),
        ((0.0, 1.0, 1.0, 0.0, 0.5), "-2 cells"),
        ((0.0, 0.0, 0.0, 1.0, 0.5), "0 cells"),
        ((0.0, 1.0, 0.0, 1.0, 0.0), "cells of 0.0 m"),
        ((0.0, 1.0, 0.0, 1.0, 0.5, 2.0, 1.0), "z from"),
        ((0.0, float("inf"), 0.0, 1.0, 0.5), "inf"),
    ],
)
def test_grids_that_cannot_be(arguments, why):
    with pytest.raises(ValueError, match=why):
        BevGrid(*arguments)
