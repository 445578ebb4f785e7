"""Mistakes in a recording are told, and good recordings are not complained of."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from densegt.datasets import open_recording
from densegt.datasets.sanity.check_scene import check_scene
from densegt.datasets.sanity.finding import SanityFinding, in_lines
from densegt.datasets.sanity.odometry import Planes, measured_motion
from densegt.datasets.sanity.ranges import MAX_RING_SPREAD_DEG, unsteadiness_deg
from densegt.datasets.sanity.sample import draw_sample
from densegt.errors import InputError
from densegt.geometry import se3
from densegt.simulate.config import SimulateConfig
from densegt.simulate.run import simulate
from tests.datasets.sanity.mistakes import MISTAKES, Copy

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

# Those that show in a quarter of a second; `python -m benchmarks.robustness.mistakes` tries all.
QUICK = {
    "quaternions_xyzw_everywhere": "ground",
    "ego_poses_all_identity": "motion",
    "ego_positions_in_centimetres": "clock",
    "ego_poses_in_reverse_order": "motion",
    "lidar_extrinsic_inverted": "ground",
    "lidar_extrinsic_a_quarter_turn_off": "motion",
    "points_in_centimetres": "points",
    "camera_extrinsics_inverted": "cameras",
    "intrinsics_of_twice_the_size": "cameras",
    "images_mirrored": "alignment",
    "one_ego_pose_for_all_sensors_of_a_sample": "cameras",
    "box_sizes_in_centimetres": "boxes",
    "boxes_in_the_ego_frame": "boxes",
}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good") / "world"
    simulate(SimulateConfig(scenes=1, seconds=1.5, width_px=320, height_px=180, seed=5), folder)
    return folder


def findings_of(root: Path) -> list[SanityFinding]:
    recording = open_recording(root)
    return check_scene(recording.scene(recording.scene_names[0]))


def test_nothing_is_said_of_a_good_one(good):
    assert in_lines(findings_of(good)) == []


def test_nothing_is_said_of_real_ones(recording):
    assert in_lines(findings_of(recording)) == []


@pytest.mark.parametrize("name", QUICK)
def test_a_mistake_is_told(good, tmp_path, name):
    spoilt = Copy(good, tmp_path / "spoilt")
    MISTAKES[name](spoilt)
    spoilt.write()
    try:
        found = findings_of(tmp_path / "spoilt")
    except InputError as error:
        pytest.fail(f"refused before it was looked at: {error}")
    assert QUICK[name] in {finding.check for finding in found}, in_lines(found)


@pytest.mark.parametrize("unit", ["nanoseconds", "milliseconds"])
def test_stamps_in_another_unit_are_refused_by_the_reader(good, tmp_path, unit):
    spoilt = Copy(good, tmp_path / "spoilt")
    MISTAKES[f"stamps_in_{unit}"](spoilt)
    spoilt.write()
    with pytest.raises(InputError, match=f"stamps seem to be in {unit}, microseconds are wanted"):
        findings_of(tmp_path / "spoilt")


def test_motion_is_measured_without_poses(good):
    sample = draw_sample(open_recording(good).scene("scene-0001"))
    for pair in sample.pairs[:2]:
        measured = measured_motion(pair, Planes.of(pair.first_points.xyz_lidar))
        apart = se3.inverse(pair.T_first_second) @ measured
        assert np.linalg.norm(apart[:3, 3]) < 0.05
        assert np.linalg.norm(pair.T_first_second[:3, 3]) > 0.5


def test_a_beam_that_weaves_is_a_beam_and_others_are_not():
    rng = np.random.default_rng(0)
    azimuth = rng.uniform(-np.pi, np.pi, 1000)
    weaving = np.deg2rad(-5 + 1.2 * np.sin(37 * azimuth))
    shuffled = np.deg2rad(rng.uniform(-25, 10, 1000))
    seen_from_below = np.deg2rad(-5 + 4 * np.sin(azimuth))
    assert unsteadiness_deg(azimuth, weaving) < 0.5 * MAX_RING_SPREAD_DEG
    assert unsteadiness_deg(azimuth, shuffled) > 2 * MAX_RING_SPREAD_DEG
    assert unsteadiness_deg(azimuth, seen_from_below) > 2 * MAX_RING_SPREAD_DEG


def test_equal_findings_share_a_line():
    first, second = (SanityFinding("cameras", f"camera {c}", f"facts of {c}", "check K") for c in "AB")
    assert in_lines([first, second]) == ["cameras: camera A: facts of A; check K (also camera B)"]


def test_a_corridor_tells_nothing_of_the_way_along_it(tmp_path):
    """The example's road with a wall looks the same after five metres; that contradicts nothing."""
    example = Path(__file__).parents[3] / "examples" / "write_custom_recording.py"
    subprocess.run([sys.executable, str(example), str(tmp_path / "own")], check=True)
    assert in_lines(findings_of(tmp_path / "own")) == []
