"""`densegt train-pl --benchmark`: what is compared, one trial for real, and from results to the page."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("nuscenes")

from densegt.batch.executor import Failed
from densegt.datasets import RecordingPath
from densegt.detection.fit import TrainingSource
from densegt.detection.registry import POINT_DETECTORS
from densegt.errors import InputError
from densegt.experiments import pl_trial
from densegt.experiments.experiment_config import ExperimentConfig
from densegt.experiments.matrix import SUMMARY, finished
from densegt.experiments.pl_run import run_pl
from densegt.experiments.pl_trial import PlTrial, begin, perform_pl
from densegt.experiments.pl_variants import ESTIMATED, PlVariant, pl_variants
from densegt.report.benchmark_page import write_benchmark_page

from ..depth.stores import densegt
from ..detection.points.pointrcnn import clouds
from ..detection.points.pseudo_lidar import small

# Its trials are trainings.
pytestmark = pytest.mark.slow

MIDDLE = PlVariant("pointrcnn", "end-to-end", "dense")
LIDAR = PlVariant("pointrcnn", "lidar", "measured")


def test_axes_have_all_points_of_every_detector():
    variants = pl_variants("axes", ("none", "sparse", "dense"))
    assert variants[0] == PlVariant("pixor", "end-to-end", "dense")
    assert len(variants) == len(set(variants)) == len(POINT_DETECTORS) * 4 + 1
    for detector in POINT_DETECTORS:
        assert {way.points for way in variants if way.detector == detector} == {*ESTIMATED, "lidar"}


def test_full_is_every_combination_but_a_lidar_needs_no_supervision():
    assert len(pl_variants("full", ("none", "sparse", "dense", "completed"), ("pixor",))) == 3 * 3 + 1
    assert {way.supervision for way in pl_variants("full", ("none", "sparse"))} == {"sparse", "measured"}


def test_a_lidar_stands_beside_every_supervision():
    assert LIDAR.differs_only_in("points", MIDDLE)
    assert PlVariant("pointrcnn", "frozen", "sparse").differs_only_in("points", LIDAR)
    assert not LIDAR.differs_only_in("supervision", MIDDLE)
    assert not LIDAR.differs_only_in("points", PlVariant("pixor", "frozen", "sparse"))
    assert LIDAR.differs_only_in("detector", PlVariant("pixor", "lidar", "measured"))
    assert not MIDDLE.differs_only_in("points", PlVariant("pointrcnn", "frozen", "sparse"))


@pytest.fixture(scope="module")
def sources(tiny_dataset):
    """Its scene is learned from once, and held out once."""
    return (TrainingSource(RecordingPath(tiny_dataset), tiny_dataset / "exact"),) * 2


@pytest.fixture(scope="module")
def config():
    return small.config({"pointrcnn": clouds.config().model_dump()}, epochs=1)


@pytest.fixture(scope="module")
def done(sources, config, tmp_path_factory):
    """One trial for real, end to end."""
    trial = PlTrial(MIDDLE, 0, ExperimentConfig(sources, tmp_path_factory.mktemp("benchmark"), config))
    told = []
    begin(trial.beginning, told.append)
    return trial, perform_pl(trial, told.append), told


def test_a_trial_is_trained_in_two_halves_and_scored(done):
    trial, result, told = done
    assert told[0] == "first half: pointrcnn-pseudo-dense, seed 0"
    assert any("beginning with its depth and detector" in line for line in told)
    assert trial.beginning.settings.coupling == "separate"
    assert trial.settings.coupling == "end-to-end"
    figures = result["figures"]
    assert set(figures) == {figure.name for figure in pl_trial.FIGURES}
    assert all(0 <= value <= 1 for name, value in figures.items() if "AP" in name)
    assert 0 < figures["depth MAE m"] < 60
    assert 0 < result["fixed"]["depth MAE m"] < 60
    assert result["curves"]["detection loss"]
    assert perform_pl(trial, lambda _: pytest.fail("trained again")) == result


def test_halves_are_shared_by_those_that_can_share_them(done):
    trial, *_ = done

    def half(*levels, seed=0):
        return PlTrial(PlVariant(*levels), seed, trial.experiment).beginning.folder

    assert half("pointrcnn", "frozen", "dense") == half("pointrcnn", "separate", "dense") == trial.beginning.folder
    others = [half("pixor", "frozen", "dense"), half("pointrcnn", "frozen", "sparse"), half(*vars(LIDAR).values())]
    assert len({*others, trial.beginning.folder, half("pointrcnn", "frozen", "dense", seed=1)}) == 5


def test_a_lidar_has_no_depth_net_to_tell_of(done):
    trial, *_ = done
    lidar = PlTrial(LIDAR, 0, trial.experiment)
    assert lidar.settings.model.input == "lidar"
    assert lidar.settings.supervision == "none"
    begin(lidar.beginning, lambda _: None)
    result = perform_pl(lidar, lambda _: None)
    assert math.isnan(result["figures"]["depth MAE m"])
    assert 0 <= result["figures"]["BEV AP at 0.5"] <= 1


def test_what_is_there_of_another_configuration_is_refused(done):
    trial, *_ = done
    changed = trial.experiment.config.model_copy(update={"learning_rate": 0.5})
    experiment = replace(trial.experiment, config=changed)
    half = replace(trial.beginning, experiment=experiment)
    with pytest.raises(InputError, match=r"about\.json: is of another configuration"):
        begin(half, lambda _: None)
    other = PlTrial(MIDDLE, 0, experiment)
    with pytest.raises(InputError, match=r"result\.json: is of other data or another configuration"):
        finished(other)


class Instead:
    """An executor that begins nothing but for one half that fails, and gives made-up results."""

    def __init__(self, result):
        self.result, self.begun, self.asked = result, [], []

    def run(self, work, items, heard=None):
        for item in items:
            if work is begin:
                self.begun.append(item)
                yield item, Failed("no reason") if item.variant.supervision == "sparse" and item.seed else item.folder
                continue
            self.asked.append(item)
            lift = {"lidar": 0.3, "end-to-end": 0.2, "separate": 0.1, "frozen": 0.1}[item.variant.points]
            figures = {name: lift + 0.001 * item.seed for name in self.result["figures"]}
            if item.variant.points == "lidar":
                figures |= {name: math.nan for name in figures if name.startswith("depth")}
            yield item, {**self.result, "variant": item.variant.name, "seed": item.seed, "figures": figures}


def test_from_results_to_the_page(done, sources, config, tmp_path):
    _, result, _ = done
    executor, told = Instead(result), []
    experiment = ExperimentConfig(sources, tmp_path, config, seeds=2, detectors=("pixor", "pointrcnn"))
    failed = run_pl(experiment, executor, lambda _: None, lambda *counts: told.append(counts))
    assert failed == [("first half pixor-pseudo-sparse with seed 1", "no reason")]
    assert len(executor.begun) == 2 * (2 + 2 + 1)
    assert len(executor.asked) == 2 * 9 - 1
    assert told == [(k, 28) for k in range(1, 11)] + [(k, 27) for k in range(11, 28)]
    found = json.loads((tmp_path / SUMMARY).read_text())
    assert found["table"][0]["variant"] == "pixor-end-to-end-dense"
    assert {row["variant"] for row in found["table"]} >= {"pixor-lidar-measured", "pointrcnn-frozen-dense"}
    said = write_benchmark_page(tmp_path / SUMMARY, tmp_path / "index.html")
    [points] = [s for s in said if s.startswith("BEV AP at 0.5 by points")]
    assert "lidar leads end-to-end by 0.100" in points
    # A lidar has no depth net, so it is not ranked by its error.
    [depth] = [s for s in said if s.startswith("depth MAE m by points")]
    assert "lidar" not in depth
    page = (tmp_path / "index.html").read_text()
    assert page.count("<svg") == 8 + 3 + 2
    assert "detector-points-supervision" in page
    assert "Lift-Splat" not in page
    assert "nan" not in page


def test_what_a_benchmark_chooses_itself_cannot_be_given(tiny_dataset, tmp_path):
    done = densegt("train-pl", "--dataroot", tiny_dataset, "--out", tmp_path, "--benchmark", "--end-to-end")
    assert done.exit_code == 2
    assert "--benchmark chooses" in done.output
