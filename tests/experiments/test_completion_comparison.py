"""`densegt evaluate --complete`: methods beside each other, on exact depth and on beams held out."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from densegt.cli.main import group

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import read_scene
from densegt.completion.method import CompletedDepth, SparseDepth
from densegt.datasets import open_recording
from densegt.experiments.completion_comparison import CLASSICAL, MethodScore, score_case
from densegt.experiments.completion_inputs import ACCUMULATED, INPUTS, ONE_SWEEP, CompletionCase, held_out_cases

# Whole scenes are accumulated.
pytestmark = pytest.mark.slow


def evaluate(*options):
    return CliRunner().invoke(group, ["evaluate", *map(str, options)])


def test_against_exact_depth(tiny_dataset, tmp_path):
    pytest.importorskip("torch")
    out = tmp_path / "figures.json"
    exact = ("--truth", tiny_dataset / "exact", "--every", 2, "--camera", "CAM_FRONT", "--camera", "CAM_BACK")
    done = evaluate("--dataroot", tiny_dataset, "--complete", *exact, "--json", out)
    assert done.exit_code == 0, done.output
    assert "from one sweep" in done.output
    assert "from accumulated depth" in done.output
    found = json.loads(out.read_text())["inputs"]
    assert tuple(found) == INPUTS
    for of in found.values():
        assert list(of) == ["IP-Basic", "classical", "network"]
        counted = {method["summary"]["all"]["counted"] for method in of.values()}
        assert len(counted) == 1
        assert all(method["seconds"] > 0 and method["answered_percent"] > 90 for method in of.values())
        # The classical method knows bright sky; IP-Basic fills all.
        assert of["classical"]["sky_percent"] < of["IP-Basic"]["sky_percent"]
        errors = {name: method["summary"]["all"]["mae_m"] for name, method in of.items()}
        assert errors["classical"] < errors["IP-Basic"] < 5
    mae = [found[name]["classical"]["summary"]["all"]["mae_m"] for name in INPUTS]
    assert mae[1] < mae[0]


def test_what_is_scored_is_held_out(tiny_dataset):
    """Beams that are given are never those that are true, and both inputs are near the truth."""
    recording = open_recording(tiny_dataset)
    scene = read_scene(recording, recording.scene_names[0], AccumulateConfig(), cameras=["CAM_FRONT"])
    cases = list(held_out_cases(scene, AccumulateConfig(), every=2))
    assert [case.input for case in cases] == [ONE_SWEEP, ACCUMULATED] * (len(cases) // 2)
    for case in cases:
        given, true = case.given.depth_m > 0, case.truth_m > 0
        assert true.sum() > 50
        if case.input == ONE_SWEEP:
            # A pixel may hold two beams; but few do.
            assert (given & true).sum() < 0.2 * true.sum()
            assert 0.4 < given.sum() / true.sum() < 2.5
        else:
            assert given.sum() > 2 * true.sum()
            both = given & true
            assert np.median(np.abs(case.given.depth_m[both] / case.truth_m[both] - 1)) < 0.05


def test_a_recording_without_exact_depth(tiny_dataset):
    pytest.importorskip("torch")
    done = evaluate("--dataroot", tiny_dataset, "--complete", "--camera", "CAM_FRONT", "--every", 2)
    assert done.exit_code == 0, done.output
    assert "every other beam is given" in done.output


def answering(depth_m):
    """A method that says this, whatever it is given."""
    return lambda given: CompletedDepth(np.array(depth_m, np.float32), np.zeros((1, 5), np.float32))


def test_errors_are_where_all_answer_and_sky_is_counted():
    truth_m = np.array([[10, 20, 0, 30, 70]], np.float32)
    methods = {CLASSICAL: answering([[11, 0, 0, 30, 70]]), "network": answering([[10, 25, 40, 30, 0]])}
    given = SparseDepth(np.zeros((1, 5, 3), np.uint8), np.zeros((1, 5), np.float32), np.zeros((1, 5), np.uint8))
    scores = {name: MethodScore(60.0) for name in methods}
    score_case(CompletionCase(ONE_SWEEP, given, truth_m, None, exact=True), methods, scores)
    classical, network = (scores[name].compute() for name in (CLASSICAL, "network"))
    assert (classical.summary.all.predicted, network.summary.all.predicted) == (2, 2)
    assert (classical.summary.all.mae_m, network.summary.all.mae_m) == (0.5, 0.0)
    assert classical.answered_percent == pytest.approx(200 / 3)
    assert (classical.sky_percent, network.sky_percent) == (0.0, 100.0)
    assert classical.seconds is None
    # Without exact depth nobody knows what is sky.
    score_case(CompletionCase(ONE_SWEEP, given, truth_m, None, exact=False), methods, scores)
    assert scores["network"].compute().sky_percent == 100.0
    assert scores["network"].compute().seconds >= 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--complete"], "--dataroot"),
        (["--complete", "--dataroot", "x", "--leave-one-out"], "--leave-one-out"),
        (["--complete", "--dataroot", "x", "--pred", "y"], "--pred"),
        (["--pred", "x", "--truth", "y", "--checkpoint", "z"], "--checkpoint"),
    ],
)
def test_options_that_do_not_fit(options, says):
    done = evaluate(*options)
    assert done.exit_code == 2
    assert says in done.output


def test_a_store_of_another_recording_is_refused(tiny_dataset, tmp_path):
    done = evaluate("--dataroot", tiny_dataset, "--complete", "--truth", tmp_path)
    assert done.exit_code != 0
    assert done.exception is not None
