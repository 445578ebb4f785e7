"""Fixtures for this folder: the command, and a dataset of two short scenes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from densegt.cli.main import main

from ..conftest import MadeOnce
from ..datasets.copies import copy_of, rows_of, write_rows

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`densegt accumulate` with these options: exit code, stdout, stderr."""

    def call(*options: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["densegt", "accumulate", *map(str, options)])
        with pytest.raises(SystemExit) as exit_:
            main()
        code = exit_.value.code
        captured = capsys.readouterr()
        return (code if isinstance(code, int) else -1), captured.out, captured.err

    return call


@pytest.fixture(scope="session")
def two_scenes(tiny_dataset: Path, made_once: MadeOnce) -> Path:
    """The tiny dataset cut into two scenes of two keyframes, few sweeps and one camera. To read, not to write to."""
    return made_once("two", lambda folder: cut_in_two(copy_of(tiny_dataset, folder / "scenes"))) / "scenes"


def cut_in_two(root: Path) -> None:
    (scene,), samples = rows_of(root, "scene"), rows_of(root, "sample")
    samples.sort(key=lambda row: row["timestamp"])
    ends = [samples[:2], samples[2:4]]
    for name, mine in zip(("first", "second"), ends, strict=True):
        for row in mine:
            row["scene_token"] = name
    scenes = [
        {**scene, "token": n, "name": n, "first_sample_token": m[0]["token"], "last_sample_token": m[1]["token"]}
        for n, m in zip(("first", "second"), ends, strict=True)
    ]
    kept = {row["token"] for mine in ends for row in mine}
    data = [row for row in rows_of(root, "sample_data") if row["sample_token"] in kept]
    data = [r for r in data if (r["is_key_frame"] and ("LIDAR" in r["filename"] or "CAM_FRONT/" in r["filename"]))]
    write_rows(root, "scene", scenes)
    write_rows(root, "sample", [row for mine in ends for row in mine])
    write_rows(root, "sample_data", data)
    boxes = [row for row in rows_of(root, "sample_annotation") if row["sample_token"] in kept]
    write_rows(root, "sample_annotation", boxes)


@pytest.fixture
def damaged(two_scenes: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return copy_of(two_scenes, tmp_path / "damaged")
