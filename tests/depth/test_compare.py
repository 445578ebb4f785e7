"""Two stores beside each other: figures known by construction, differences, spread, and the places."""

import json

import numpy as np
import pytest

from densegt.depth.compare import compare_stores
from densegt.depth.evaluate import evaluate_stores
from densegt.errors import InputError

from .stores import camera, densegt, world, write_store


@pytest.fixture
def stores(tmp_path):
    """Truth of two images; A has both right, but the second without its left half; B is 4 m off on the car."""
    truth, kind = world()
    cams = [camera(sample=f"s{i}", timestamp_us=i) for i in range(2)]
    half = truth.copy()
    half[:, : truth.shape[1] // 2] = 0
    off = np.where(kind == 4, truth + 4, truth)
    write_store(tmp_path / "truth", [(cam, truth, {"kind": kind}) for cam in cams])
    write_store(tmp_path / "a", [(cams[0], truth, None), (cams[1], half, None)], config={"window": 1, "x": {"y": 2}})
    write_store(tmp_path / "b", [(cam, off, None) for cam in cams], config={"window": 1, "x": {"y": 3}, "new": True})
    return tmp_path / "a", tmp_path / "b", tmp_path / "truth"


def test_content_and_agreement(stores):
    truth, kind = world()
    known, left = truth > 0, truth.copy()
    left[:, truth.shape[1] // 2 :] = 0
    found = compare_stores(*stores[:2])
    assert (found.images, found.only_a, found.only_b) == (2, 0, 0)
    coverage = found.content["coverage %"]
    missing = 100 * (left > 0).mean()
    assert coverage.b == pytest.approx(100 * known.mean())
    assert coverage.difference == pytest.approx(missing / 2)
    # 0 in the first image, all that is missing in the second.
    assert coverage.spread == pytest.approx(missing / np.sqrt(2))
    assert set(found.content) == {"coverage %", "source: static %"}
    agreement = list(found.agreement.values())
    both = 2 * known.sum() - (left > 0).sum()
    car = 2 * (kind == 4).sum()
    assert agreement[1:4] == pytest.approx([100 * (both - car) / both, 100 * car / both, 0])
    assert agreement[4] == 0
    assert found.accuracy == {}
    assert found.settings == {"x.y": (2, 3), "new": (None, True)}


def test_figures_against_the_truth_are_those_of_evaluate(stores):
    found = compare_stores(*stores)
    for name, store in (("a", stores[0]), ("b", stores[1])):
        s = evaluate_stores(store, stores[2]).summary
        for label, figures in (("all", s.all), ("labelled dynamic object", s.by_kind["labelled_mover"])):
            (pair,) = [groups[label] for groups in found.accuracy.values() if label in groups]
            assert getattr(pair["accuracy %"], name) == figures.right_percent
            assert getattr(pair["outliers %"], name) == figures.outlier_percent
            assert getattr(pair["MAE m"], name) == figures.mae_m
    (car,) = [g["labelled dynamic object"] for g in found.accuracy.values() if "labelled dynamic object" in g]
    assert car["MAE m"].difference == pytest.approx(4)
    assert car["MAE m"].spread == pytest.approx(0, abs=1e-6)


def test_places_are_where_but_one_is_right(stores):
    _, kind = world()
    found = compare_stores(*stores)
    rows, columns = np.nonzero(kind == 4)
    for place in found.places:
        assert place.pixels > 0
    # The missing half is most of the second image, the car all of the first.
    assert found.places[0].sample_token == "s1"
    first = next(place for place in found.places if place.sample_token == "s0")
    assert first.row <= rows.max()
    assert first.row + first.height > rows.min()
    assert first.column <= columns.max()
    assert first.column + first.width > columns.min()


def test_stores_that_never_contradict_differ_where_but_one_knows(stores, tmp_path):
    truth, _ = world()
    write_store(tmp_path / "c", [(camera(sample="s1"), truth, None)])
    found = compare_stores(stores[0], tmp_path / "c")
    assert found.only_a == 1
    assert found.places
    assert all(place.column < truth.shape[1] // 2 for place in found.places)
    assert compare_stores(tmp_path / "c", tmp_path / "c").places == []


def test_what_does_not_fit_is_named(stores, tmp_path):
    write_store(tmp_path / "small", [(camera(sample="s0", size=(32, 18)), world((32, 18))[0], None)])
    with pytest.raises(InputError, match=r"scene-0001/s0/CAM_FRONT: the first store has \(36, 64\)"):
        compare_stores(stores[0], tmp_path / "small")
    write_store(tmp_path / "other", [(camera(), world()[0], None)], scene="scene-0009")
    with pytest.raises(InputError, match="no image in common"):
        compare_stores(stores[0], tmp_path / "other")


def test_command_writes_a_table_a_page_and_json(stores, tmp_path):
    out, figures = tmp_path / "new" / "page.html", tmp_path / "figures.json"
    result = densegt("compare", *stores[:2], "--truth", stores[2], "--out", out, "--json", figures)
    assert result.exit_code == 0, result.output
    for words in (
        "2 images in both",
        "coverage %",
        "accuracy %",
        "setting x.y: 2 against 3",
        "setting new: not set against True",
        "median |B - A| m",
    ):
        assert words in result.stdout
    page = out.read_text()
    for words in ("ground truth", "labelled dynamic object", "error of A", "A against B", "CAM_FRONT", "x.y"):
        assert words in page
    assert 'src="http' not in page
    told = json.loads(figures.read_text())
    assert told["accuracy"]["headline"]["all"]["accuracy %"]["difference"] is not None
    assert told["places"][0]["sample_token"] == "s1"
    assert "spread" in told["definitions"]


def test_a_recording_that_is_not_there_is_named(stores, tmp_path):
    result = densegt("compare", *stores[:2], "--dataroot", tmp_path / "none", "--out", tmp_path / "page.html")
    assert "no such folder" in str(result.exception)
