"""Squares with most marked pixels: against a count of every square, and over many images."""

import numpy as np
import pytest

from densegt.depth.places import WorstPlaces, busiest_squares


@pytest.mark.parametrize("shape", [(40, 64), (16, 16), (7, 90), (33, 5)])
def test_the_first_square_has_most_marked_pixels(shape):
    marked = np.random.default_rng(3).random(shape) < 0.2
    found = busiest_squares(marked, 16, 50)
    height, width = min(16, shape[0]), min(16, shape[1])
    rows = {*range(0, shape[0] - height + 1, 4), shape[0] - height}
    columns = {*range(0, shape[1] - width + 1, 4), shape[1] - width}
    counts = {marked[r : r + height, c : c + width].sum() for r in rows for c in columns}
    assert found[0][0] == max(counts)
    assert [square[0] for square in found] == sorted((square[0] for square in found), reverse=True)
    for pixels, row, column, h, w in found:
        assert pixels == marked[row : row + h, column : column + w].sum() > 0
    for i, (_, r, c, *_) in enumerate(found):
        assert all(abs(r - s) >= height or abs(c - d) >= width for _, s, d, *_ in found[:i])


def test_what_is_at_the_border_is_found():
    marked = np.zeros((50, 70), dtype=bool)
    marked[49, 69] = True
    ((pixels, row, column, height, width),) = busiest_squares(marked, 16, 5)
    assert (pixels, row + height, column + width) == (1, 50, 70)


@pytest.mark.parametrize("shape", [(0, 0), (0, 9), (20, 20)])
def test_where_nothing_is_marked_there_is_no_square(shape):
    assert busiest_squares(np.zeros(shape, dtype=bool), 16, 5) == []


def test_the_worst_of_many_images_are_kept():
    places = WorstPlaces(3, of_one_image=2)
    for i in range(10):
        marked = np.zeros((60, 200), dtype=bool)
        marked[:i, :10] = True
        marked[:5, 150 : 150 + i] = True
        places.update(("scene", f"s{i}", "CAM"), marked)
    found = places.compute()
    assert [place.pixels for place in found] == [90, 80, 70]
    assert [place.sample_token for place in found] == ["s9", "s8", "s7"]
    assert places.compute() == found
