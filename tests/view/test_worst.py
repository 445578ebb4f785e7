"""Where to look first: wrong pixels where truth is known, else the least sure ones."""

from dataclasses import replace

import numpy as np
import pytest

from densegt.depth.store import SceneReader
from densegt.view.pixels import uncertainty_codes, uncertainty_m
from densegt.view.worst import WorstPixels, unsure_pixels, wrong_pixels

from ..depth.stores import camera, world, write_store


@pytest.fixture
def record(tmp_path):
    depth = world()[0]
    confidence = np.where(depth > 0, 255, 0).astype(np.uint8)
    confidence[30:34, 40:50] = 100
    write_store(tmp_path / "store", [(camera(sample="s0"), depth, {"confidence": confidence})])
    return next(iter(SceneReader(tmp_path / "store" / "scene-0001.h5")))


def test_wrong_are_depths_without_a_match_and_those_in_the_sky(record):
    exact = record.depth_m.copy()
    exact[30:34, 40:50] = 3 * exact[30:34, 40:50]
    assert wrong_pixels(record.depth_m, exact)[31:33, 41:49].all()
    assert not wrong_pixels(record.depth_m, record.depth_m).any()
    sky = np.zeros_like(exact)
    np.testing.assert_array_equal(wrong_pixels(record.depth_m, sky), record.depth_m > 0)


def test_unsure_are_low_confidences_and_high_uncertainties(record):
    unsure = unsure_pixels(record)
    assert unsure[30:34, 40:50].all()
    assert unsure.sum() == 40
    deviation = np.where(record.depth_m > 0, 0.1, 0).astype(np.float16)
    deviation[35, :5] = 9
    both = unsure_pixels(replace(record, layers={**record.layers, "uncertainty": deviation}))
    assert both.sum() == 45


def test_places_in_pixels_of_the_page(record):
    worst = WorstPixels("scene-0001")
    worst.update(record, None)
    told = worst.compute([{"token": "before"}, {"token": "s0"}], downscale=2)
    (place, *_) = told["places"]
    assert "confidence below 0.95" in told["places_are"]
    assert (place["keyframe"], place["channel"], place["layer"]) == (1, "CAM_FRONT", "uncertainty")
    assert place["u"] <= 20 < place["u"] + place["width"] + 10
    judged = WorstPixels("scene-0001")
    judged.update(record, replace(record, depth_m=record.depth_m * 2))
    assert judged.compute([{"token": "s0"}], 1)["places"][0]["layer"] == "error"
    assert "wrong" in judged.compute([{"token": "s0"}], 1)["places_are"]


def test_uncertainties_keep_their_size_to_a_few_percent():
    deviation = np.geomspace(0.02, 40, 500).reshape(20, 25)
    back = uncertainty_m()[uncertainty_codes(deviation)]
    assert np.abs(back / deviation - 1).max() < 0.02
    assert uncertainty_codes(np.array([[0.0, np.nan, 1e-5, 1e5]])).tolist() == [[0, 0, 1, 255]]
