"""`densegt train-lss --benchmark`: from a folder to the page, interrupted, and gone on with."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("nuscenes")

from densegt.batch.executor import Failed, Serial
from densegt.datasets import RecordingPath
from densegt.detection.fit import TrainingSource
from densegt.errors import InputError
from densegt.experiments import lss_trial
from densegt.experiments.experiment_config import ExperimentConfig, possible_supervisions
from densegt.experiments.lss_run import run
from densegt.experiments.lss_trial import LssTrial, perform
from densegt.experiments.lss_variants import LssVariant
from densegt.experiments.matrix import RESULT, SUMMARY, finished
from densegt.report.benchmark_page import write_benchmark_page

from ..depth.stores import densegt
from ..detection.bev import small

# Its trials are trainings.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sources(tiny_dataset):
    """Its scene is learned from once, and held out once; no completed depth."""
    return (TrainingSource(RecordingPath(tiny_dataset), tiny_dataset / "exact"),) * 2


@pytest.fixture(scope="module")
def config():
    return small.config().model_copy(update={"epochs": 1, "batch": 2})


@pytest.fixture(scope="module")
def done(sources, config, tmp_path_factory):
    """One trial for real."""
    out = tmp_path_factory.mktemp("benchmark")
    trial = LssTrial(LssVariant("dense", "UD", "fixed"), 0, ExperimentConfig(sources, out, config))
    return trial, perform(trial, lambda _: None)


def test_a_trial_is_trained_and_scored(done):
    trial, result = done
    assert set(result["fixed"]) <= set(result["figures"])
    assert 0 <= result["figures"]["vehicle IoU"] <= 1
    assert 0 < result["figures"]["depth MAE m"] < 60
    assert result["curves"]["vehicle IoU"]
    assert list(trial.folder.glob("picture-*.png"))
    assert trial.settings.supervision == "dense"


def test_what_is_finished_is_not_done_again(done, monkeypatch):
    trial, result = done
    monkeypatch.setattr(lss_trial, "fit", lambda *_: pytest.fail("trained again"))
    assert json.dumps(perform(trial, lambda _: None)) == json.dumps(result)


def test_a_result_of_another_configuration_is_refused(done):
    trial, _ = done
    changed = trial.experiment.config.model_copy(update={"learning_rate": 0.5})
    other = replace(trial, experiment=replace(trial.experiment, config=changed))
    with pytest.raises(InputError, match=r"result\.json: is of other data or another configuration"):
        finished(other)


class Instead:
    """An executor that gives the finished trial's result for every other, one of them failed."""

    def __init__(self, result):
        self.result, self.asked = result, []

    def run(self, work, items, heard=None):
        for trial in items:
            self.asked.append(trial)
            if trial.variant.bins == "SID":
                yield trial, Failed("no reason")
                continue
            lift = 0.1 if trial.variant.bins == "LID" else 0.001 * trial.seed
            figures = {name: value + lift for name, value in self.result["figures"].items()}
            yield trial, {**self.result, "variant": trial.variant.name, "seed": trial.seed, "figures": figures}


def test_from_results_to_the_page(done):
    trial, result = done
    executor, lines, told = Instead(result), [], []
    experiment = replace(trial.experiment, seeds=2)
    failed = run(experiment, executor, lines.append, lambda *counts: told.append(counts))
    assert [name for name, _ in failed] == ["dense-SID-fixed with seed 0", "dense-SID-fixed with seed 1"]
    # Completed depth is in no store; one trial is finished.
    assert len(executor.asked) == 7 * 2 - 1
    assert lines[0] == "completed supervision is left out: a depth store holds no completed pixel"
    assert lines[1] == "1 of 14 trainings are finished already"
    assert told[-1] == (14, 14)
    found = json.loads((trial.experiment.out / SUMMARY).read_text())
    assert found["table"][0]["variant"] == "dense-UD-fixed"
    assert len(found["trials"]) == 12
    said = write_benchmark_page(trial.experiment.out / SUMMARY, trial.experiment.out / "index.html")
    page = (trial.experiment.out / "index.html").read_text()
    assert all(sentence.split("±")[0] in page.replace("&#39;", "'") for sentence in said)
    assert any("LID leads UD" in sentence for sentence in said)
    assert page.count("<svg") == 6 + 3 + 2
    assert "data:image/png;base64" in page
    assert "nan" not in page
    assert not re.search(r'(src|href)="https?:', page)


def test_depth_that_is_not_there_is_not_compared(tiny_dataset, sources):
    assert possible_supervisions((TrainingSource(RecordingPath(tiny_dataset)),)) == ("none", "sparse")
    assert possible_supervisions(sources) == ("none", "sparse", "dense")


def test_a_trial_that_cannot_be_is_told_of(tmp_path, config, tiny_dataset):
    sources = (TrainingSource(RecordingPath(tiny_dataset)),) * 2
    trial = LssTrial(LssVariant("dense", "UD", "fixed"), 0, ExperimentConfig(sources, tmp_path, config))
    [(_, failed)] = Serial().run(perform, [trial])
    assert "dense depth comes from a depth store" in failed.why
    assert not (trial.folder / RESULT).exists()


def test_what_a_benchmark_chooses_itself_cannot_be_given(tiny_dataset, tmp_path):
    done = densegt("train-lss", "--dataroot", tiny_dataset, "--out", tmp_path, "--benchmark", "--bins", "LID")
    assert done.exit_code == 2
    assert "--benchmark chooses" in done.output
