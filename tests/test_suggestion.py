"""Mistyped names, folders and keys: one line that says what was probably meant; optional parts: how to get them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import warnings
from importlib import metadata
from pathlib import Path

import pytest
from densegt.cli.config_option import own_names, shared_names

import densegt
from densegt import install_hint
from densegt.configuration import load_config
from densegt.datasets import open_recording
from densegt.depth.selection import check_cameras_in
from densegt.depth.store import scene_files
from densegt.errors import InputError, UnknownCameraError
from densegt.suggestion import closest, did_you_mean, no_such_folder

from .depth.stores import densegt as run
from .test_configuration import Whole

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("word", "meant"),
    [("acumulate", "accumulate"), ("EVALUATE", "evaluate"), ("train_lss", "train-lss"), ("xyz", None), ("", None)],
)
def test_a_name_like_the_word(word: str, meant: str | None) -> None:
    assert closest(word, ["accumulate", "evaluate", "train-lss", "train-pl"]) == meant


def test_where_nothing_is_alike_all_are_named() -> None:
    assert did_you_mean("zebra", ["motion", "window_s"]) == "; known are motion, window_s"


def test_an_unknown_command_is_one_line() -> None:
    assert "Did you mean 'accumulate'?" in run("acumulate", "--help").output
    assert "`densegt --help` lists them" in run("zebra").output


def test_a_missing_folder_names_what_is_like_it(tmp_path: Path) -> None:
    (tmp_path / "nuscenes" / "v1.0-mini").mkdir(parents=True)
    assert no_such_folder(tmp_path / "nuscene").endswith(f"nuscene: no such folder; did you mean {tmp_path}/nuscenes?")
    assert no_such_folder(tmp_path / "nuscene" / "v1.0-mini").endswith(f"did you mean {tmp_path}/nuscenes/v1.0-mini?")
    assert no_such_folder(tmp_path / "zebra" / "deep").endswith(f"there is no zebra in {tmp_path}")
    (tmp_path / "file").touch()
    assert "but a file; its folder is" in no_such_folder(tmp_path / "file")


def test_the_folder_above_or_inside_is_named(tiny_dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(tiny_dataset)
    for wrong, right in ((tmp_path, tmp_path / "data"), (tiny_dataset / "samples", tiny_dataset)):
        with pytest.raises(InputError, match=f"did you mean {right}\\?$"):
            open_recording(wrong)
    with pytest.raises(InputError, match=f"did you mean {tiny_dataset / 'exact'}\\?$"):
        scene_files(tiny_dataset)


def test_all_mistakes_of_a_file_are_named_at_once(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("windw_s: 3\nmotoin: auto\nwindow_s: soon\nmodel: {bin: 3, bins: 2.5}\n")
    with pytest.raises(InputError) as caught:
        load_config(Whole, str(own), {})
    said = str(caught.value)
    assert said.startswith(f"{own}: 5 mistakes: ")
    assert "\n" not in said
    for words in (
        "no such key: windw_s; did you mean window_s?",
        "no such key: motoin; did you mean motion?",
        "window_s: a number is wanted (got 'soon')",
        "no such key: model.bin; did you mean bins?",
        "model.bins: a whole number is wanted (got 2.5)",
    ):
        assert words in said


def test_of_very_many_mistakes_the_first_are_named(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("".join(f"key{i}: 1\n" for i in range(300)))
    with pytest.raises(InputError, match=r"300 mistakes: .* and 290 more"):
        load_config(Whole, str(own), {})


def test_a_name_that_ships_is_suggested() -> None:
    with pytest.raises(InputError, match=r"did you mean kitti\?"):
        load_config(Whole, "kitt", {})
    assert {"kitti", "nuscenes"} <= set(shared_names())
    assert own_names("lss")[:2] == ["full", "miniature"]


def test_an_unknown_camera_ends_the_run_before_it_begins(whole_line: Path, tmp_path: Path) -> None:
    data = ("--dataroot", whole_line / "world")
    stored = ("--depth", whole_line / "depth", "--out", tmp_path / "out")
    for line in (
        ("accumulate", *data, "--out", tmp_path / "out", "--camera", "front"),
        ("evaluate", *data, "--leave-one-out", "--camera", "CAM_FORNT"),
        ("complete", *data, *stored, "--camera", "CAM_FORNT"),
    ):
        error = run(*line).exception
        assert isinstance(error, UnknownCameraError)
        assert str(error).endswith("did you mean CAM_FRONT?")
    assert not (tmp_path / "out").exists()
    with pytest.raises(UnknownCameraError):
        densegt.accumulate(whole_line / "world", tmp_path / "out", cameras=["CAM"])
    check_cameras_in(scene_files(whole_line / "depth"), ["CAM_BACK"])
    check_cameras_in([], ["CAM_UP"])


def test_an_unknown_scene_is_suggested(whole_line: Path, tmp_path: Path) -> None:
    error = run("accumulate", "--dataroot", whole_line / "world", "--out", tmp_path / "out", "--scene", "scene-1")
    assert str(error.exception).endswith("did you mean scene-0001?")


class Installed:
    """A distribution that was installed from somewhere."""

    def __init__(self, told: object) -> None:
        self.told = told
        self.requires = metadata.requires("densegt")

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return json.dumps(self.told) if self.told else None


@pytest.mark.parametrize(
    ("told", "command"),
    [
        (None, '"densegt[train]"'),
        (
            {"url": "file:///src/my%20densegt", "dir_info": {"editable": True}},
            "-c '/src/my densegt/constraints.txt' -e '/src/my densegt[train]'",
        ),
        ({"url": "https://example.org/densegt.whl"}, '"densegt[train] @ https://example.org/densegt.whl"'),
        ({"url": ROOT.as_uri(), "dir_info": {}}, f'"densegt[train] @ {ROOT.as_uri()}"'),
    ],
)
def test_the_hint_says_how_densegt_itself_was_installed(
    told: object, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = Installed(told)
    monkeypatch.setattr(metadata, "distribution", lambda name: installed)
    hint = install_hint.install_command("train")
    assert hint.endswith(f"install {command}")
    assert hint.startswith(("pip ", sys.executable, f"'{sys.executable}"))


def test_where_the_file_is_gone_the_hint_names_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = Installed({"url": "file:///gone/densegt.whl"})
    monkeypatch.setattr(metadata, "distribution", lambda name: installed)
    hint = install_hint.install_command("foundation")
    assert "torch" in hint
    assert "transformers" in hint
    assert "densegt" not in hint.partition(" install ")[2]


# Starts Python.
def test_python_beside_a_checkout_finds_the_package(tmp_path: Path) -> None:
    (tmp_path / "densegt").mkdir()
    shutil.copy(ROOT / "__init__.py", tmp_path / "densegt")
    (tmp_path / "densegt" / "densegt").symlink_to(ROOT / "densegt")
    code = "import densegt, densegt.depth.kind; print(densegt.__version__, densegt.RecordingPath.__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == f"{densegt.__version__} RecordingPath\n", done.stderr


def test_an_old_tbb_is_not_the_users_concern() -> None:
    import densegt.kernels  # noqa: F401

    said = "The TBB threading layer requires TBB version 2021 update 6 or later"
    assert any(f[0] == "ignore" and f[1] and f[1].match(said) for f in warnings.filters) or _filtered_anew(said)


def _filtered_anew(said: str) -> bool:
    """pytest keeps filters of its own, so in a new interpreter."""
    code = f"import warnings, densegt.kernels; warnings.warn({said!r})"
    return not subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr
