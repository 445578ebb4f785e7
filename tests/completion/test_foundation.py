"""`--method prompt-depth-anything`, with a model of random weights: what is around the model is densegt's."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from densegt.batch.run import run_scenes
from densegt.completion.classical import Classical
from densegt.completion.job import CompletionJob
from densegt.completion.registry import METHODS, open_method
from densegt.depth.depth_map import Source
from densegt.depth.store import SceneReader
from densegt.errors import InputError

from ..depth.stores import camera, write_store
from .scenes import given, scan_lines, street

METHOD = "prompt-depth-anything"


def test_the_command_offers_every_method():
    from densegt.cli.complete import command

    (option,) = (p for p in command.params if p.name == "method")
    assert list(option.type.choices) == ["auto", *METHODS]


@pytest.mark.parametrize("missing", ["transformers", "torch"])
def test_without_the_extra_there_is_one_clear_line(monkeypatch, tmp_path, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError, match=r"pip install .*\[foundation\]") as caught:
        open_method(METHOD, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model with random weights."""
    pytest.importorskip("torch").manual_seed(0)
    transformers = pytest.importorskip("transformers")
    backbone = transformers.Dinov2Config(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=56, patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"], reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    config = transformers.PromptDepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=16, neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=8,
        head_hidden_size=8, depth_estimation_type="metric",
    )  # fmt: skip
    out = tmp_path_factory.mktemp("model")
    transformers.PromptDepthAnythingForDepthEstimation(config).save_pretrained(out)
    return out


def test_what_it_answers(folder):
    """Measured stays, sky is sky, the rest is the model's, and its doubt grows with the distance from the guess."""
    image, truth = street()
    sparse = given(image, scan_lines(truth))
    done, guess = open_method(METHOD, folder)(sparse), Classical()(sparse)
    known = sparse.depth_m > 0
    np.testing.assert_array_equal(done.depth_m[known], sparse.depth_m[known])
    np.testing.assert_array_equal(done.depth_m == 0, guess.depth_m == 0)
    apart = np.abs(done.depth_m - guess.depth_m)
    assert (apart[~known & (done.depth_m > 0)] > 0).mean() > 0.9
    assert (done.uncertainty_m >= np.maximum(guess.uncertainty_m, apart) * 0.999)[done.depth_m > 0].all()
    again = open_method(METHOD, folder)(sparse)
    np.testing.assert_array_equal(again.depth_m, done.depth_m)


@pytest.mark.parametrize("depth_m", [0.0, 12.0])
def test_nothing_to_prompt_with(folder, depth_m):
    """No measurement, or one depth everywhere: the classical answer."""
    sparse = given(np.full((30, 40, 3), 60, np.uint8), np.full((30, 40), depth_m, np.float32))
    np.testing.assert_array_equal(open_method(METHOD, folder)(sparse).depth_m, sparse.depth_m)


def test_what_is_no_such_model(folder, tmp_path, monkeypatch):
    transformers = pytest.importorskip("transformers")
    with pytest.raises(InputError, match=r"no folder with a model's config\.json"):
        open_method(METHOD, tmp_path / "nowhere")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="no Prompt Depth Anything model"):
        open_method(METHOD, tmp_path)
    monkeypatch.setattr(transformers.AutoModelForDepthEstimation, "from_pretrained", lambda *_, **__: object())
    with pytest.raises(InputError, match="takes no depth as a prompt"):
        open_method(METHOD, folder)


def test_it_is_not_downloaded(tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    hub = pytest.importorskip("huggingface_hub")
    download = hub.snapshot_download
    monkeypatch.setattr(hub, "snapshot_download", lambda name, **more: download(name, cache_dir=tmp_path, **more))
    with pytest.raises(InputError, match="is not on this machine; `hf download") as caught:
        open_method(METHOD)
    assert "\n" not in str(caught.value)


def test_a_store_completed_with_it(folder, tmp_path):
    import cv2

    image, truth = street()
    cam = camera(size=truth.shape[::-1])
    path = tmp_path / "data" / cam.filename
    path.parent.mkdir(parents=True)
    cv2.imwrite(str(path), image[..., ::-1])
    write_store(tmp_path / "depth", [(cam, scan_lines(truth), None)])
    job = CompletionJob(tmp_path / "data", tmp_path / "depth", tmp_path / "out", METHOD, folder)
    assert [done.status for done in run_scenes(job, ["scene-0001"])] == ["done"]
    assert [done.status for done in run_scenes(job, ["scene-0001"])] == ["skipped"]
    reader = SceneReader(tmp_path / "out" / "scene-0001.h5")
    (record,) = reader
    assert (record.source == Source.COMPLETED).mean() > 0.5
    assert len(reader.config["complete"]["checkpoint_sha256"]) == 64
