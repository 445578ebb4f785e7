"""The page about two stores: pictures of differences, and which of two figures is the better one."""

import numpy as np

from densegt.depth.compare import Paired
from densegt.report import compare_page
from densegt.report.compare_page import difference_picture, verdict


def test_each_kind_of_difference_has_its_colour():
    a = np.array([[0, 10, 10, 0, 10, 20]], dtype=np.float32)
    b = np.array([[0, 10.4, 0, 10, 20, 10]], dtype=np.float32)
    picture = difference_picture(a, b)[0]
    names = (None, "AGREES", "ONLY_A", "ONLY_B", "A_NEARER", "B_NEARER")
    for colour, name in zip(picture, names, strict=True):
        assert tuple(colour) == (compare_page.draw.NOTHING if name is None else getattr(compare_page, name))


def test_less_error_is_better_and_so_is_more_accuracy():
    assert verdict(Paired(1, 2, None), "accuracy %") == "better"
    assert verdict(Paired(1, 2, None), "MAE m") == "worse"
    assert verdict(Paired(2, 1, None), "outliers %") == "better"
    assert verdict(Paired(2, 2.001, None), "outliers %") == verdict(Paired(None, 1, None), "MAE m") == ""
