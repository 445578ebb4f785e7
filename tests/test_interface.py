"""`import densegt`: its names, its examples, and what it says of mistakes."""

from __future__ import annotations

import doctest
import re
import shutil
import textwrap
from pathlib import Path

import numpy as np
import pytest

import densegt
from densegt.datasets.recording import RecordingOptions
from densegt.depth import depth_store

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
NAMES = [name for name in densegt.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there_and_told_of(name: str) -> None:
    assert getattr(densegt, name).__doc__
    assert name in dir(densegt)
    assert re.search(rf"^    (\w+, )*{name}\b", densegt.__doc__ or "", re.MULTILINE) or name == "InputError"
    assert name == "InputError" or f"::: densegt.{name}\n" in (ROOT / "docs" / "python.md").read_text()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'accumulat'"):
        densegt.accumulat  # noqa: B018


def test_the_example_of_its_help_runs(
    whole_line: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "world").symlink_to(whole_line / "world")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"\n\n((?:    .*\n|\n)+)Recordings\n", densegt.__doc__ or "")
    names: dict[str, object] = {}
    exec(textwrap.dedent(code).replace("/data/nuscenes", "world").replace("scene-0061", "scene-0001"), names)
    assert len(capsys.readouterr().out.splitlines()) == len(densegt.DepthStore("depth")) > 0
    assert names["depth"].depth_m.any()  # type: ignore[attr-defined]


def test_the_example_of_a_store_runs(whole_line: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(whole_line)
    done = doctest.testmod(depth_store, raise_on_error=True)
    assert done.attempted >= 4


def test_an_opened_recording_goes_to_other_processes(whole_line: Path, tmp_path: Path) -> None:
    recording = densegt.open_recording(whole_line / "world")
    store = densegt.accumulate(recording, tmp_path / "depth", cameras=["CAM_BACK"], workers=2)
    assert {image.channel for image in store} == {"CAM_BACK"}


def test_a_scene_that_fails_is_one_line(whole_line: Path, tmp_path: Path) -> None:
    shutil.copytree(whole_line / "world", tmp_path / "world")
    sweep = next((tmp_path / "world" / "samples" / "LIDAR_TOP").iterdir())
    sweep.write_bytes(b"cut")
    strictly = densegt.RecordingPath(tmp_path / "world", options=RecordingOptions(strict=True))
    with pytest.raises(densegt.InputError, match=rf"^scene-0001: .*{re.escape(sweep.name)}[^\n]*$"):
        densegt.accumulate(strictly, tmp_path / "depth")


def test_points_that_are_none_are_refused() -> None:
    camera = densegt.virtual_camera(np.eye(3), np.eye(4), width_px=8, height_px=8)
    with pytest.raises(ValueError, match=r"\(N,3\).*not \(5, 2\)"):
        densegt.render_points(np.zeros((5, 2)), camera)
