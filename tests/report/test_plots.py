import re
from xml.etree import ElementTree

import numpy as np

from densegt.depth.metrics import DepthMetrics
from densegt.report.plots import plots


def summary(kind=None):
    metrics = DepthMetrics()
    metrics.update(np.float32([[5, 0, 15]]), np.float32([[5, 7, 30]]), kind=kind)
    return metrics.compute()


def test_charts_are_svg_in_the_pages_ink():
    charts = plots(summary(np.uint8([[1, 2, 4]])))
    assert len(charts) == 3
    for svg in charts:
        ElementTree.fromstring(svg)
        texts = re.findall(r"<text[^>]*>", svg)
        assert texts
        assert all("currentColor" in text or "#ffffff" in text for text in texts)
    assert "labelled" in charts[2]
    assert ">none<" in charts[2]  # a kind that nothing was predicted on


def test_no_kinds_no_chart_of_them():
    assert len(plots(summary())) == 2


def test_nothing_at_all():
    for svg in plots(DepthMetrics().compute()):
        ElementTree.fromstring(svg)
