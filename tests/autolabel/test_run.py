"""The command on a small world: labels, resume, a recording with these annotations, meshes, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from densegt.cli.main import group

from densegt.autolabel.publish import read_labels
from densegt.datasets import open_recording
from densegt.depth.depth_map import Source
from densegt.depth.store import SceneReader

# A whole scene is read, and its vehicles fitted.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def labelled(tiny_dataset: Path, made_once) -> Path:  # type: ignore[no-untyped-def]
    """Labels of the tiny dataset, few proposals, all published, with meshes."""

    def make(folder: Path) -> None:
        (folder / "few.yaml").write_text("proposals: {most: 8, yaw_step_deg: 15, cell_m: 0.25}\n")
        done = run(tiny_dataset, folder, "--no-verify", "--meshes")
        assert done.exit_code == 0, done.output

    return made_once("autolabelled", make)


def run(dataset: Path, folder: Path, *more: str) -> Result:
    settings = ["--config", str(folder / "few.yaml")]
    line = ["autolabel", "--dataroot", str(dataset), "--out", str(folder / "labels"), *settings, *more]
    return CliRunner().invoke(group, line, standalone_mode=True)


def test_vehicles_are_found_and_published(labelled: Path, tiny_dataset: Path) -> None:
    (path,) = (labelled / "labels").glob("*.h5")
    found = read_labels(path)
    assert found.labels
    results = json.loads((labelled / "labels" / "results.json").read_text())["results"]
    assert sum(map(len, results.values())) == sum(len(one.sample_tokens) for one in found.labels)
    meshes = list((labelled / "labels" / "meshes").rglob("*.ply"))
    assert len(meshes) == sum(bool(one.family) for one in found.labels)
    scene = open_recording(labelled / "labels" / "recording").scene(found.scene)
    own = open_recording(tiny_dataset).scene(found.scene)
    assert len(scene.sweeps) == len(own.sweeps)
    assert len(scene.tracks) == len(found.labels)
    assert len(scene.read_points(scene.sweeps[0]).ring) > 1000


def test_a_finished_scene_is_skipped_and_other_options_are_refused(labelled: Path, tiny_dataset: Path) -> None:
    (path,) = (labelled / "labels").glob("*.h5")
    before = path.read_bytes()
    done = run(tiny_dataset, labelled, "--no-verify")
    assert "skipped" in done.output
    assert path.read_bytes() == before
    line = ["autolabel", "--dataroot", str(tiny_dataset), "--out", str(labelled / "labels")]
    other = CliRunner().invoke(group, line, standalone_mode=False)
    assert "made with other options" in str(other.exception)


def test_workers_and_order_change_no_byte(labelled: Path, tiny_dataset: Path, tmp_path: Path) -> None:
    """Once more in a process of its own, which starts with other numbers of threads."""
    (tmp_path / "few.yaml").write_text((labelled / "few.yaml").read_text())
    assert run(tiny_dataset, tmp_path, "--no-verify", "--workers", "2").exit_code == 0
    for path in sorted((labelled / "labels").glob("*.*")):
        if path.suffix in (".h5", ".json") and path.stem != "summary":
            assert path.read_bytes() == (tmp_path / "labels" / path.name).read_bytes(), path.name


def test_depth_of_labels_leaves_what_beams_measured(labelled: Path, tiny_dataset: Path, tmp_path: Path) -> None:
    labels, camera = str(labelled / "labels"), ["--camera", "CAM_FRONT"]
    line = [
        "accumulate",
        "--dataroot",
        str(tiny_dataset),
        *camera,
        "--labels",
        labels,
        "--out",
        str(tmp_path / "depth"),
    ]
    done = CliRunner().invoke(group, line)
    assert done.exit_code == 0, done.output
    sources = [record.source for record in SceneReader(next((tmp_path / "depth").glob("*.h5")))]
    assert all((source <= Source.SHAPE).all() for source in sources)
    other = [*line[:-1], str(tmp_path / "other")]
    missing = CliRunner().invoke(group, [*other, "--labels", str(tmp_path)], standalone_mode=False)
    assert missing.return_value == 2
    assert "no such file; densegt autolabel --scene scene-0001" in missing.output
    refused = CliRunner().invoke(group, [*other, "--motion", "free"], standalone_mode=False)
    assert "--labels are boxes" in str(refused.exception)


def test_what_is_no_prior_is_refused(tiny_dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "prior.npz").write_text("none\n")
    line = [
        "autolabel",
        "--dataroot",
        str(tiny_dataset),
        "--out",
        str(tmp_path),
        "--prior",
        str(tmp_path / "prior.npz"),
    ]
    done = CliRunner().invoke(group, line, standalone_mode=False)
    assert "no shape prior" in str(done.exception)
