import json

import numpy as np
import pytest

from densegt.depth.evaluate import evaluate_stores
from densegt.errors import InputError

from .stores import camera, densegt, world, write_store


@pytest.fixture
def stores(tmp_path):
    """Truth of two images with kinds; the prediction has the first, 4 m off on the car."""
    truth, kind = world()
    depth = np.where(kind == 4, truth + 4, truth)
    cams = [camera(sample=f"s{i}", timestamp_us=i) for i in range(2)]
    write_store(tmp_path / "truth", [(cam, truth, {"kind": kind}) for cam in cams], config={"simulate": {"seed": 3}})
    write_store(tmp_path / "pred", [(cams[0], depth, None)], config={"window": "scene"})
    return tmp_path / "pred", tmp_path / "truth"


def test_matches_images_and_reports_missing_ones(stores):
    seen = []
    evaluation = evaluate_stores(*stores, progress=lambda done, total: seen.append((done, total)))
    s = evaluation.summary
    assert seen == [(1, 1)]
    assert s.images == 1
    assert evaluation.missing == [("scene-0001", "s1", "CAM_FRONT")]
    assert s.all.coverage_percent == 100
    assert s.by_kind["ground"].outlier_percent == 0
    assert s.by_kind["labelled_mover"].outlier_percent > 50
    assert s.by_kind["labelled_mover"].bias_m == 4
    assert s.by_kind["labelled_mover"].too_far_percent > 90
    assert evaluation.scenes["scene-0001"] == s


def test_scenes_of_one_side_only(stores, tmp_path):
    pred, truth = stores
    depth = world()[0]
    write_store(pred, [(camera(), depth, None)], scene="scene-0007")
    write_store(truth, [(camera(), depth, None)], scene="scene-0008")
    write_store(pred, [(camera(sample=s), depth, None) for s in ("s0", "new")], overwrite=True)
    evaluation = evaluate_stores(pred, truth)
    assert evaluation.scenes_without_truth == ["scene-0007"]
    assert evaluation.scenes_without_prediction == ["scene-0008"]
    assert evaluation.extra == [("scene-0001", "new", "CAM_FRONT")]
    assert evaluation.missing == [("scene-0001", "s1", "CAM_FRONT"), ("scene-0008", "sample0", "CAM_FRONT")]


def test_nothing_in_common(stores, tmp_path):
    other = write_store(tmp_path / "other", [(camera(), world()[0], None)], scene="scene-0009")
    with pytest.raises(InputError, match="no image in common: scenes scene-0009 against scene-0001"):
        evaluate_stores(other, stores[1])


def test_sizes_differ(stores):
    pred, truth = stores
    write_store(pred, [(camera(sample="s0", size=(32, 18)), world((32, 18))[0], None)], overwrite=True)
    with pytest.raises(InputError, match=r"scene-0001/s0/CAM_FRONT: .*\(36, 64\), depth \(18, 32\)"):
        evaluate_stores(pred, truth)


def test_command_prints_a_table_and_writes_json(stores, tmp_path):
    out = tmp_path / "sub" / "figures.json"
    result = densegt("evaluate", "--pred", stores[0], "--truth", stores[1], "--json", out, "--max-depth", "30")
    assert result.exit_code == 0, result.output
    for words in (
        "accuracy %",
        "labelled world",
        "unlabelled dynamic object",
        "20-30 m",
        "near edges",
        "MISSING: 1 image",
    ):
        assert words in result.stdout
    assert result.stderr == ""
    figures = json.loads(out.read_text())
    assert figures["max_depth_m"] == 30
    assert figures["all"]["coverage_percent"] == 100
    assert figures["by_kind"]["labelled_mover"]["bias_m"] == 4
    assert figures["by_kind"]["standing"]["mae_m"] is None
    assert figures["config"] == {
        "pred": {"scene-0001": {"window": "scene"}},
        "truth": {"scene-0001": {"simulate": {"seed": 3}}},
    }
    assert "3x3" in figures["definitions"]["outlier"]
    assert figures["images_missing"] == 1


def test_every_figure_has_a_definition(stores):
    evaluation = evaluate_stores(*stores).as_dict()
    names = {
        n.replace("delta1", "delta").replace("delta2", "delta").replace("delta3", "delta") for n in evaluation["all"]
    }
    assert names - {"outliers"} <= evaluation["definitions"].keys()


def test_command_on_a_missing_folder_is_one_line(tmp_path):
    result = densegt("evaluate", "--pred", tmp_path / "no", "--truth", tmp_path)
    assert isinstance(result.exception, InputError)
    assert "\n" not in str(result.exception)
