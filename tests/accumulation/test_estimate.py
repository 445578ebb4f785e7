"""Estimates of a run: in proportion to keyframes and pixels, and said without doing anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from densegt.accumulation.estimate import RunEstimate, estimate_run
from densegt.datasets import open_recording
from densegt.depth.store import SceneReader

from ..depth.stores import densegt


def test_all_that_is_counted_is_the_stores(whole_line: Path, tmp_path: Path) -> None:
    recording = open_recording(whole_line / "world")
    told = estimate_run(recording, recording.scene_names, (), tmp_path / "new" / "depth")
    images = SceneReader(whole_line / "depth" / "scene-0001.h5").keys
    assert told.scenes == 1
    assert told.keyframes == len({sample for sample, _ in images})
    assert told.megapixels == pytest.approx(len(images) * 96 * 54 / 1e6)
    front = estimate_run(recording, recording.scene_names, ("CAM_FRONT",), tmp_path)
    assert front.megapixels == pytest.approx(told.megapixels / 6)
    assert told.free_bytes > 0


@pytest.mark.parametrize(("width", "height", "seconds", "megabytes"), [(1600, 900, 3.06, 11.3), (800, 450, 1.82, 4.5)])
def test_small_images_cost_what_sweeps_cost(
    width: int, height: int, seconds: float, megabytes: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """40 keyframes of six cameras and 393 sweeps, as nuScenes has them."""
    every = [SimpleNamespace(width_px=width, height_px=height, channel=f"C{k % 6}") for k in range(240)]

    def scene(name: str, *, cameras: Sequence[str] = (), keyframes_only: bool) -> Any:
        return SimpleNamespace(cameras=[camera for camera in every if not cameras or camera.channel in cameras])

    recording: Any = SimpleNamespace(scene=scene, steps=lambda name: 633, keyframe_count=lambda name: 40)
    monkeypatch.setattr("densegt.accumulation.estimate.largest_bytes", lambda recording, names: (0, ""))
    told = estimate_run(recording, ["a", "b"], (), tmp_path)
    assert told.core_seconds / 80 == pytest.approx(seconds, rel=0.01)
    assert told.bytes / 80e6 == pytest.approx(megabytes, rel=0.01)
    front = estimate_run(recording, ["a", "b"], ("C0",), tmp_path)
    assert told.core_seconds / 6 < front.core_seconds < told.core_seconds / 2
    assert front.bytes == pytest.approx(told.bytes / 6)


def test_time_is_shared_by_as_many_workers_as_there_are_scenes() -> None:
    told = RunEstimate(4, 160, 1000.0, 7200.0, 2e9, 10**12, 3 * 10**9)
    assert told.lines(8)[0] == "4 scenes, 160 keyframes, 1000 million pixels"
    assert "about 2.0 h of one core, about 30 min with 4 workers" in told.lines(8)[1]
    assert told.lines(8)[2:] == [
        "disk: about 2.0 GB; 1000.0 GB are free",
        "memory: about 3.0 GB a worker, 12.0 GB in all",
    ]
    assert told.lines(1)[1:] == [
        "time: about 2.0 h of one core",
        "disk: about 2.0 GB; 1000.0 GB are free",
        "memory: about 3.0 GB a worker, 3.0 GB in all",
    ]


def test_little_is_not_told_as_nothing() -> None:
    told = RunEstimate(1, 1, 0.4, 0.2, 5e5, 10**9, 10**9).lines(8)
    assert told[:3] == [
        "1 scene, 1 keyframe, 0 million pixels",
        "time: less than a minute of one core",
        "disk: about 0.5 MB; 1.0 GB are free",
    ]


def test_command_only_says_it(whole_line: Path, tmp_path: Path) -> None:
    words = (
        "accumulate",
        "--dataroot",
        whole_line / "world",
        "--out",
        tmp_path / "depth",
        "--estimate",
        "--workers",
        2,
    )
    result = densegt(*words)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("1 scene, ")
    assert "time: less than a minute of one core\n" in result.stdout
    assert not (tmp_path / "depth").exists()
