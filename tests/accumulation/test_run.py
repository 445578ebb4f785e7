"""`densegt accumulate`, from a folder to a store: what is wrong is one line, what is written is whole, and repeats."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.job import ALGORITHM, AccumulateJob
from densegt.batch.run import run_scenes
from densegt.datasets import RecordingPath
from densegt.datasets.recording import RecordingOptions
from densegt.depth.evaluate import evaluate_stores
from densegt.depth.store import SceneReader

from ..datasets.copies import change, replace, rows_of, table, write_rows
from .folders import left_in, sweep_of

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, str, str]]
NAN = float("nan")


# --- bad usage: one line, exit code 2, nothing written ---


def fails(result: tuple[int, str, str], out: Path, *says: str) -> None:
    code, stdout, stderr = result
    assert code == 2, stderr
    assert stdout == ""
    (line,) = stderr.splitlines()
    assert line.startswith("densegt: ")
    for words in says:
        assert words in line
    assert left_in(out) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--scene", "third"], ["v1.0-mini", "no scene 'third'", "first, second"]),
        (["--version", "v9"], ["no version 'v9'"]),
        (["--window", "soon"], ["--window", "soon"]),
        (["--window", "-1"], ["--window", "-1"]),
        (["--window", "nan"], ["--window", "nan"]),
        (["--window", "inf"], ["--window", "inf"]),
        (["--motion", "magic"], ["--motion", "magic"]),
        (["--workers", "0"], ["--workers", "0"]),
        (["--config", "not-there.yaml"], ["not-there.yaml", "no such configuration"]),
        (["--nonsense"], ["--nonsense"]),
    ],
    ids=lambda value: " ".join(value) if value[0].startswith("--") else "",
)
def test_bad_options(run: Run, two_scenes: Path, tmp_path: Path, options: list[str], says: list[str]) -> None:
    out = tmp_path / "out"
    fails(run("--dataroot", two_scenes, "--out", out, *options), out, *says)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("windows_s: 2\n", "windows_s"),
        ("surfels:\n  max_halfm: 1\n", "surfels.max_halfm"),
        ("window_s: -2\n", "window_s"),
        ("motion: magic\n", "motion"),
        ("max_depth_m: .nan\n", "max_depth_m"),
        ("- a\n- b\n", "mapping"),
        ("{: :\n", "line 1: expected the node content"),
    ],
)
def test_bad_configuration(run: Run, two_scenes: Path, tmp_path: Path, text: str, says: str) -> None:
    out, config = tmp_path / "out", tmp_path / "my.yaml"
    config.write_text(text)
    fails(run("--dataroot", two_scenes, "--out", out, "--config", config), out, str(config), says)


def test_missing_dataroot(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fails(run("--dataroot", tmp_path / "nowhere", "--out", out), out, str(tmp_path / "nowhere"), "no such folder")


def test_a_dataroot_without_tables(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fails(run("--dataroot", tmp_path, "--out", out), out, str(tmp_path), "no v1.0-*")


# --- bad input in every scene: a line for each, exit code 2, nothing written ---


def every_scene_fails(result: tuple[int, str, str], out: Path, *says: str) -> None:
    code, stdout, stderr = result
    assert code == 2, stderr
    assert stdout == ""
    lines = stderr.splitlines()
    assert len(lines) == 3
    for name, line in zip(("first", "second"), lines[:2], strict=True):
        assert line.startswith(f"densegt: {name} failed: ")
        for words in says:
            assert words in line
    assert lines[2].startswith("densegt: 2 of 2 scenes failed")
    assert left_in(out) == []


def test_unknown_camera(run: Run, two_scenes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("--dataroot", two_scenes, "--out", out, "--camera", "CAM_UP")
    # Told once, before any scene.
    fails(result, out, str(two_scenes), "no camera 'CAM_UP'", "CAM_FRONT")


@pytest.mark.parametrize("rotation", [[NAN, 0, 0, 1], [0, 0, 0, 0]], ids=["nan", "null"])
def test_a_pose_that_is_none(run: Run, damaged: Path, tmp_path: Path, rotation: list[float]) -> None:
    rows = rows_of(damaged, "ego_pose")
    write_rows(damaged, "ego_pose", [{**row, "rotation": rotation} for row in rows])
    result = run("--dataroot", damaged, "--out", tmp_path / "out")
    every_scene_fails(result, tmp_path / "out", str(table(damaged, "ego_pose")))


def test_sweeps_that_hold_no_point_at_all(run: Run, damaged: Path, tmp_path: Path) -> None:
    """Whole files, but every row is NaN: nothing to accumulate, and no traceback."""
    for row in rows_of(damaged, "sample_data"):
        if "LIDAR" in row["filename"]:
            replace(damaged / row["filename"], np.full((100, 5), np.nan, "<f4").tobytes())
    every_scene_fails(run("--dataroot", damaged, "--out", tmp_path / "out"), tmp_path / "out")


# --- one of two scenes fails: exit code 1, the other is written ---


def truncate(root: Path) -> str:
    sweep = sweep_of(root, "second")
    replace(sweep, sweep.read_bytes()[:-7])
    return str(sweep)


def no_sweep(root: Path) -> str:
    sweep = sweep_of(root, "second")
    sweep.unlink()
    return str(sweep)


def no_image(root: Path) -> str:
    samples = {row["token"] for row in rows_of(root, "sample") if row["scene_token"] == "second"}
    rows = [r for r in rows_of(root, "sample_data") if r["sample_token"] in samples and "CAM" in r["filename"]]
    (root / rows[0]["filename"]).unlink()
    return str(root / rows[0]["filename"])


def no_pose(root: Path) -> str:
    samples = {row["token"] for row in rows_of(root, "sample") if row["scene_token"] == "second"}
    token = next(r["ego_pose_token"] for r in rows_of(root, "sample_data") if r["sample_token"] in samples)
    number = next(i for i, r in enumerate(rows_of(root, "ego_pose")) if r["token"] == token)
    change(root, "ego_pose", number, rotation=[0, 0, 0, 0])
    return str(table(root, "ego_pose"))


@pytest.mark.parametrize("damage", [truncate, no_sweep, no_image, no_pose])
def test_one_bad_scene_of_two(run: Run, damaged: Path, tmp_path: Path, damage: Callable[[Path], str]) -> None:
    named = damage(damaged)
    out = tmp_path / "out"
    code, stdout, stderr = run("--dataroot", damaged, "--out", out, "--strict")
    assert code == 1
    line, last = (line for line in stderr.splitlines() if "failed" in line)
    assert line.startswith("densegt: second failed: ")
    assert named in line
    again = f"densegt accumulate --dataroot {damaged} --out {out}"
    assert last.startswith(f"densegt: 1 of 2 scenes failed; to do just these again: {again}")
    assert last.endswith("--strict --scene second")
    assert stdout.splitlines() == [f"{out / 'first.h5'}: 2 images, {coverage_of(out / 'first.h5'):.1f} % of pixels"]
    assert left_in(out) == ["first.h5"]


def coverage_of(path: Path) -> float:
    return 100 * float(np.mean([(record.depth_m > 0).mean() for record in SceneReader(path)]))


def test_a_sweep_that_goes_bad_on_the_way_leaves_no_file(
    damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scene was whole when it was opened; its last sweep vanishes while the first is read."""
    from densegt.datasets.nuscenes import reader as reading

    honest, last = reading.read_points, sweep_of(damaged, "first")

    def read(sweep):
        last.unlink(missing_ok=True)
        return honest(sweep)

    monkeypatch.setattr(reading, "read_points", read)
    strictly = RecordingPath(damaged, options=RecordingOptions(strict=True))
    job = AccumulateJob(strictly, tmp_path / "out", AccumulateConfig())
    first, second = run_scenes(job, ["first", "second"])
    assert first.path is None
    assert str(last) in str(first.error)
    assert second.error is None
    assert left_in(tmp_path / "out") == ["second.h5"]


# --- what is there already: see test_resume.py ---


def test_a_failed_overwrite_keeps_what_was_there(run: Run, damaged: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "second.h5").write_bytes(b"precious")
    truncate(damaged)
    code, _, _ = run("--dataroot", damaged, "--out", out, "--overwrite", "--strict", "--scene", "second")
    assert code == 2
    assert (out / "second.h5").read_bytes() == b"precious"
    assert left_in(out) == ["second.h5"]


# --- what is written ---


# Accumulates several times.
@pytest.mark.slow
def test_the_same_bytes_whatever_the_workers_and_the_order(run: Run, two_scenes: Path, tmp_path: Path) -> None:
    ways = {
        "one": [],
        "again": [],
        "two-workers": ["--workers", 2],
        "reversed": ["--scene", "second", "--scene", "first"],
    }
    for name, options in ways.items():
        code, stdout, stderr = run("--dataroot", two_scenes, "--out", tmp_path / name, *options)
        assert code == 0, stderr
        assert "failed" not in stderr
        order = ("second", "first") if name == "reversed" else ("first", "second")
        assert [line.split(":")[0] for line in stdout.splitlines()] == [str(tmp_path / name / f"{n}.h5") for n in order]
        assert left_in(tmp_path / name) == ["first.h5", "second.h5"]
    # In this process, on all cores, as a notebook would.
    run_scenes(AccumulateJob(RecordingPath(two_scenes), tmp_path / "here", AccumulateConfig()), ["first", "second"])
    for name in ("first.h5", "second.h5"):
        assert len({(tmp_path / way / name).read_bytes() for way in (*ways, "here")}) == 1


def test_the_store_says_how_it_was_made(run: Run, two_scenes: Path, tmp_path: Path) -> None:
    config = tmp_path / "my.yaml"
    config.write_text("max_depth_m: 50\nwindow_s: 3\n")
    out = tmp_path / "out"
    options = ["--scene", "first", "--camera", "CAM_FRONT", "--config", config, "--window", "scene", "--no-surface"]
    assert run("--dataroot", two_scenes, "--out", out, *options)[0] == 0
    reader = SceneReader(out / "first.h5")
    wanted = AccumulateConfig(max_depth_m=50, window_s=None, surface=False)
    made = {"accumulate": json.loads(wanted.model_dump_json()), "algorithm": ALGORITHM, "cameras": ["CAM_FRONT"]}
    assert reader.config == made
    for record in reader:
        assert record.channel == "CAM_FRONT"
        assert record.depth_m.max() <= 50
        assert 4 not in record.source


# --- how good it is ---


@pytest.fixture(scope="module")
def scores(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory):
    """Two cameras of the tiny simulated world against exact depth, with and without motion."""
    summaries = {}
    for motion in ("auto", "none"):
        out = tmp_path_factory.mktemp(motion)
        job = AccumulateJob(
            RecordingPath(tiny_dataset), out, AccumulateConfig(motion=motion), ("CAM_FRONT", "CAM_BACK")
        )
        (done,) = run_scenes(job, ["scene-0001"])
        assert done.error is None
        assert done.images == 8
        summaries[motion] = evaluate_stores(out, tiny_dataset / "exact").summary
    return summaries


# Accumulates several times.
@pytest.mark.slow
def test_accuracy_against_exact_depth(scores) -> None:
    """160x90 px: of 100 predicted pixels 96 within max(0.5 m, 5 %), and most of what the lidar can see is there."""
    everything = scores["auto"].all
    assert everything.outlier_percent < 4
    assert everything.right_percent > 75
    assert scores["auto"].labelled_world.outlier_percent < 4
    assert scores["auto"].by_kind["ground"].outlier_percent < 6
    assert scores["auto"].by_kind["structure"].outlier_percent < 3
    assert scores["auto"].false_positive_percent < 1
    assert everything.median_m < 0.15


def test_motion_beats_none_on_labelled_movers(scores) -> None:
    moving, still = (scores[motion].by_kind["labelled_mover"] for motion in ("auto", "none"))
    assert moving.counted > 200
    assert moving.outlier_percent < 10
    assert moving.right_percent > 85
    assert still.outlier_percent > 3 * moving.outlier_percent
    assert moving.right_percent > still.right_percent + 20
    # And the world that stands still is none the worse for it.
    for kind in ("ground", "structure", "standing"):
        assert scores["auto"].by_kind[kind].outlier_percent < scores["none"].by_kind[kind].outlier_percent + 0.5


@pytest.mark.parametrize("motion", ["auto", "boxes"])
def test_what_moves_without_a_label_is_written_as_tracks(run, two_scenes: Path, tmp_path: Path, motion: str) -> None:
    """A list of boxes for every keyframe, maybe empty; no file where nobody looked for such objects."""
    code, _, _ = run("--dataroot", two_scenes, "--out", tmp_path, "--motion", motion)
    assert code == 0
    files = sorted((tmp_path / "tracks").glob("*.json"))
    assert [file.stem for file in files] == ([] if motion == "boxes" else ["first", "second"])
    for file in files:
        tokens = {token for token, _ in SceneReader(tmp_path / f"{file.stem}.h5").keys}
        assert set(json.loads(file.read_text())["results"]) == tokens
