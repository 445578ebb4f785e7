"""The benchmark of completion runs, and what it compares with does what it says."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from benchmarks.accuracy import completion, completion_inputs, completion_real, fillers, first_sweeps, kitti_annotated
from benchmarks.fitting import completion_uncertainty
from densegt.datasets import open_recording
from densegt.datasets.nuscenes.check import check
from tests.completion.scenes import given, scan_lines, street

# Benchmarks run whole, if small.
pytestmark = pytest.mark.slow


def test_the_table(tiny_dataset, tmp_path):
    files = [tmp_path / "out.json", tmp_path / "out.md"]
    options = ["--worlds", str(tiny_dataset), "--every", "4", "--inputs", "4 beams", "one sweep", "--no-speed"]
    completion.main([*options, "--json", str(files[0]), "--markdown", str(files[1])])
    found, page = json.loads(files[0].read_text()), files[1].read_text()
    sparse, sweep = (result["methods"] for result in found["results"])
    assert sparse["densegt classical"]["groups"]["all"]["mae_m"] > sweep["densegt classical"]["groups"]["all"]["mae_m"]
    for method, figures in sweep.items():
        assert f"| {method} |" in page
        assert figures["answered_percent"] > 80
    best = sweep["densegt classical"]["groups"]["all"]["mae_m"]
    assert all(best < other["groups"]["all"]["mae_m"] for name, other in sweep.items() if "densegt" not in name)
    for figures in found["results"][1]["uncertainty"].values():
        assert 0 <= figures["ause"] < 1


def test_on_recordings_without_exact_depth(tiny_dataset, tmp_path):
    """One sweep against what all others make: nearer to the truth than the nearest measurement is."""
    file = tmp_path / "out.json"
    completion_real.main(["--dataroot", str(tiny_dataset), "--skip", "2", "--json", str(file)])
    found = json.loads(file.read_text())
    pixels = {groups["all"]["pixels"] for groups in found.values()}
    assert len(pixels) == 1
    assert pixels.pop() > 10000
    assert found["densegt classical"]["all"]["mae_m"] < found["nearest neighbour"]["all"]["mae_m"] < 20


def test_fillers_answer_planes_and_keep_what_they_should():
    image, truth = street()
    truth[truth == 0] = 50
    sparse = given(image, scan_lines(truth, 3))
    known = sparse.depth_m > 0
    for fill in (fillers.nearest_neighbour, fillers.straight_lines, fillers.ip_basic_measured_kept):
        np.testing.assert_array_equal(fill(sparse)[known], sparse.depth_m[known])
    flat = given(image, np.where(known, 20, 0).astype(np.float32))
    for name in ("nearest_neighbour", "straight_lines", "ip_basic_gaussian", "ip_basic_bilateral"):
        np.testing.assert_allclose(getattr(fillers, name)(flat)[5:-5, 5:-5], 20, rtol=1e-4)
    nothing = given(image, np.zeros_like(truth))
    for name in ("nearest_neighbour", "straight_lines", "ip_basic_gaussian", "ip_basic_bilateral"):
        assert not getattr(fillers, name)(nothing).any()


def test_weights_that_are_likeliest():
    """Errors drawn with known weights give them back."""
    rng = np.random.default_rng(0)
    causes = rng.exponential(size=(2, 20000))
    error = rng.normal(size=20000) * np.sqrt((0.3 * causes[0]) ** 2 + (2.0 * causes[1]) ** 2)
    np.testing.assert_allclose(completion_uncertainty.likeliest(error, causes), [0.3, 2.0], rtol=0.1)


def test_fewer_beams(tiny_dataset):
    first = [next(completion_inputs.samples(tiny_dataset, n)) for n in ("1 beam", "4 beams", "one sweep")]
    counts = [int((sample.given.depth_m > 0).sum()) for sample in first]
    assert 0 < counts[0] < counts[1] < counts[2]


def test_the_first_sweeps_alone(tiny_dataset, tmp_path):
    """Each is a keyframe with its image; the data set is whole, and knows nothing that came later or was labelled."""
    first_sweeps.main(["--dataroot", str(tiny_dataset), "--count", "12", "--out", str(tmp_path / "first")])
    whole, (name,) = open_recording(tiny_dataset), open_recording(tiny_dataset).scene_names
    scene, before = open_recording(tmp_path / "first").scene(name), whole.scene(name)
    assert [s.timestamp_us for s in scene.sweeps] == [s.timestamp_us for s in before.sweeps[:12]]
    assert len({camera.sample_token for camera in scene.cameras}) > 1, "images of one keyframe only"
    assert max(camera.timestamp_us for camera in scene.cameras) <= before.sweeps[12].timestamp_us
    assert not scene.tracks
    assert not check(tmp_path / "first").findings


def test_against_annotated_depth(tmp_path, capsys):
    """KITTI's layout, rows of beams drawn over the annotation: nearly all of it is filled, the better the smoother."""
    stem = "2011_09_26_drive_0002_sync_{}_0000000053_image_02.png"
    depth_m = np.rint(np.tile(np.linspace(40, 5, 120, dtype=np.float32)[:, None], (1, 240)) * 256)
    for folder, kind, picture in (
        ("groundtruth_depth", "groundtruth_depth", depth_m.astype(np.uint16)),
        ("image", "image", np.full((120, 240, 3), 90, np.uint8)),
    ):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / stem.format(kind)), picture)
    kitti_annotated.main(["--dataroot", str(tmp_path)])
    lines = [line.split("│")[1:-1] for line in capsys.readouterr().out.splitlines() if "│" in line]
    coverage, mae_mm = ({name.strip(): float(figures[k]) for name, *figures in lines} for k in (0, 2))
    assert coverage["densegt classical"] > 99
    assert mae_mm["densegt classical"] < mae_mm["nearest neighbour"]
