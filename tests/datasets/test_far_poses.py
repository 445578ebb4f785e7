"""An ego pose that no car can have got to is named and set aside; poses that jump all the time are left as they are."""

from dataclasses import replace

import numpy as np
import pytest

from densegt.accumulation.config import LidarConfig
from densegt.accumulation.scene_input import examine
from densegt.datasets import open_recording
from densegt.datasets.far_poses import reachable, without_far_poses
from densegt.datasets.sanity.check_scene import check_scene
from densegt.errors import InputError


@pytest.fixture(scope="module")
def scene(tiny_dataset):
    return open_recording(tiny_dataset).scene("scene-0001")


def moved(datum, xyz_m):
    """A sweep or an image somewhere else."""
    T = datum.T_global_ego.copy()
    T[:3, 3] = xyz_m
    return replace(datum, T_global_ego=T)


FAR = [[1e7, 0, 0], [0, -2e3, 0], [0, 0, 1e300], [1e15, 1e15, 0]]


@pytest.mark.parametrize("xyz_m", FAR)
@pytest.mark.parametrize("at", [0, 3, -1])
def test_one_sweep_elsewhere(scene, xyz_m, at):
    sweeps = list(scene.sweeps)
    sweeps[at] = moved(sweeps[at], xyz_m)
    found = without_far_poses(replace(scene, sweeps=tuple(sweeps)))
    (bad,) = found.set_aside
    assert (bad.what, bad.where) == ("sweep", str(sweeps[at].path))
    assert f"at {sweeps[at].timestamp_us} us" in bad.why
    assert len(found.sweeps) == len(sweeps) - 1
    assert found.cameras == scene.cameras


def test_images_elsewhere(scene):
    cameras = [moved(c, [5e6, 0, 0]) if i in (1, 2) else c for i, c in enumerate(scene.cameras)]
    found = without_far_poses(replace(scene, cameras=tuple(cameras)))
    assert [bad.what for bad in found.set_aside] == ["image", "image"]
    assert {bad.where for bad in found.set_aside} == {str(cameras[i].image_path) for i in (1, 2)}
    assert "km from all others" in found.set_aside[0].why


def test_a_good_scene_loses_nothing(scene):
    assert without_far_poses(scene, strict=True) is scene


def test_a_lidar_without_sweeps_is_no_lidar(scene):
    other = replace(scene.lidars[0], channel="OTHER")
    last = replace(moved(scene.sweeps[-1], [1e7, 0, 0]), lidar=other)
    found = without_far_poses(replace(scene, sweeps=(*scene.sweeps[:-1], last), lidars=(*scene.lidars, other)))
    assert found.lidars == scene.lidars


def test_strict_refuses_and_accumulate_goes_on(scene):
    bad = replace(scene, sweeps=(*scene.sweeps[:5], moved(scene.sweeps[5], [1e7, 0, 0]), *scene.sweeps[6:]))
    with pytest.raises(
        InputError, match=r"its ego pose at [0-9]+ us, \[1e\+07, 0, 0\] m, is 1e\+04 km from all others"
    ):
        examine(bad, LidarConfig(), sane=False, strict=True)
    examined = examine(bad, LidarConfig(), sane=False)
    assert [thing.what for thing in examined.set_aside] == ["sweep"]


def test_check_names_it(scene):
    bad = replace(scene, sweeps=(*scene.sweeps[:5], moved(scene.sweeps[5], [1e7, 0, 0]), *scene.sweeps[6:]))
    assert [finding.check for finding in check_scene(bad)] == ["poses"]
    assert str(bad.sweeps[5].path) in check_scene(bad)[0].facts


def chained(*places_m, step_s=0.1):
    places = np.array([[x, 0.0, 0.0] for x in places_m])
    return reachable(places, np.arange(len(places)) * step_s).tolist()


def test_what_can_be_reached():
    assert chained(0, 1, 2, 3) == [True] * 4
    assert chained(0, 1, 1e5, 3) == [True, True, False, True]
    assert chained(1e5, 1, 2, 3) == [False, True, True, True]
    # Lost and found: the path jumps, and goes on there.
    assert chained(0, 1, 2, 500, 501) == [True] * 5
    # A gap in which a car may have gone far.
    assert chained(0, 5000, step_s=60) == [True, True]
    assert chained(0, 5000, step_s=1).count(False) == 1
    # Two that agree with each other, but with nothing else.
    assert chained(0, 1, 1e5, 1e5 + 1, 4, 5, 6) == [True, True, False, False, True, True, True]


def test_places_that_all_jump_are_kept(scene):
    sweeps = tuple(moved(s, s.T_global_ego[:3, 3] * 1e6 * (1 + k)) for k, s in enumerate(scene.sweeps))
    cameras = tuple(moved(c, c.T_global_ego[:3, 3] * 1e6 * (1.5 + k)) for k, c in enumerate(scene.cameras))
    jumping = replace(scene, sweeps=sweeps, cameras=cameras)
    assert without_far_poses(jumping, strict=True) is jumping


def test_a_thousand_wrong_places():
    rng = np.random.default_rng(0)
    places = np.column_stack([np.arange(3000.0), np.zeros((3000, 2))])
    wrong = rng.choice(3000, 1000, replace=False)
    places[wrong] = rng.uniform(1e6, 1e9, (1000, 3))
    assert np.flatnonzero(~reachable(places, np.arange(3000) * 0.1)).tolist() == sorted(wrong.tolist())
