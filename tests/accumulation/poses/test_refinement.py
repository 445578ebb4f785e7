"""Ego poses against a world known in closed form: what was put wrong is put right, what is right is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from densegt.accumulation.config import AccumulateConfig, RefinePosesConfig
from densegt.accumulation.moments import Moments
from densegt.accumulation.pipeline import accumulate_scene
from densegt.accumulation.poses import refinement
from densegt.accumulation.sweep_returns import read_returns
from densegt.accumulation.timing import EgoPath
from densegt.datasets.scene import Scene
from densegt.geometry import se3
from densegt.kernels.plane_adjustment import plane_adjustment
from tests.accumulation.worlds import World

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

CONFIG = AccumulateConfig()
STANDING = World(box_velocity=np.zeros(3), box_size=np.array([4.0, 3.0, 3.0]), box_middle=np.array([14.0, -5.0, 1.5]))


def refine_poses(scene: Scene, config: AccumulateConfig) -> Scene:
    return refinement.refine_poses(scene, read_returns(scene, config), config)


def shaken(scene: Scene, rng: np.random.Generator, sigma_m, sigma_deg) -> Scene:
    """Every sweep's pose wrong by itself, the cameras' and boxes' not."""
    sweeps = []
    for sweep in scene.sweeps:
        T = sweep.T_global_ego.copy()
        T[:3, :3] = Rotation.from_rotvec(np.deg2rad(rng.normal(0, sigma_deg))).as_matrix() @ T[:3, :3]
        T[:3, 3] += rng.normal(0, sigma_m)
        sweeps.append(replace(sweep, T_global_ego=T))
    return replace(scene, sweeps=tuple(sweeps))


def errors(got: Scene, true: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Each sweep's shift (S,3) m and turn (S,3) deg from its true pose, but for what is common to all."""
    D = np.stack([a.T_global_ego @ se3.inverse(b.T_global_ego) for a, b in zip(got.sweeps, true.sweeps, strict=True)])
    place = np.stack(
        [a.T_global_ego[:3, 3] - b.T_global_ego[:3, 3] for a, b in zip(got.sweeps, true.sweeps, strict=True)]
    )
    turn = np.rad2deg(Rotation.from_matrix(D[:, :3, :3]).as_rotvec())
    return place - place.mean(axis=0), turn - turn.mean(axis=0)


@pytest.mark.parametrize("seed", [1, 2])
def test_shaken_poses_are_put_right_to_millimetres(seed: int) -> None:
    true = STANDING.scene()
    noisy = shaken(true, np.random.default_rng(seed), [0.02, 0.02, 0.05], [0.05, 0.05, 0.05])
    place, turn = errors(refine_poses(noisy, CONFIG), true)
    was, was_turned = errors(noisy, true)
    assert np.sqrt((was**2).mean(axis=0))[2] > 0.03
    assert (np.sqrt((place**2).mean(axis=0)) < [0.004, 0.008, 0.003]).all()
    assert np.sqrt((turn**2).mean()) < 0.25 * np.sqrt((was_turned**2).mean())


def test_slow_drift_in_height_is_taken_out() -> None:
    true = STANDING.scene()
    drift = 0.05 * np.sin(np.linspace(0, 4, len(true.sweeps)))
    poses = [se3.from_yaw(0.0, [0, 0, z]) @ s.T_global_ego for s, z in zip(true.sweeps, drift, strict=True)]
    noisy = replace(true, sweeps=tuple(replace(s, T_global_ego=T) for s, T in zip(true.sweeps, poses, strict=True)))
    place, _ = errors(refine_poses(noisy, CONFIG), true)
    assert np.abs(errors(noisy, true)[0][:, 2]).max() > 0.04
    # A tilt of the whole street tells on none of its planes, but the prior forbids all but a little of it.
    assert np.abs(place[:, 2]).max() < 0.012


def test_a_mover_does_not_pull_the_path_along() -> None:
    """Neither a labelled one, whose points are left out, nor one that no label tells of."""
    for labelled in (True, False):
        true = World(labelled=labelled).scene()
        noisy = shaken(true, np.random.default_rng(5), [0.02, 0.0, 0.05], [0.0, 0.05, 0.0])
        place, _ = errors(refine_poses(noisy, CONFIG), true)
        assert np.sqrt((place[:, 2] ** 2).mean()) < 0.004
        assert np.sqrt((place[:, 0] ** 2).mean()) < 0.008


def test_true_poses_are_left_as_they_are() -> None:
    scene = STANDING.scene()
    assert refine_poses(scene, CONFIG) is scene


@pytest.mark.parametrize("sweeps", [1, 3])
def test_a_few_sweeps_tell_nothing(sweeps: int) -> None:
    noisy = shaken(STANDING.scene(), np.random.default_rng(0), [0, 0, 0.05], [0, 0, 0])
    short = replace(noisy, sweeps=noisy.sweeps[:sweeps])
    assert refine_poses(short, CONFIG) is short


def test_too_few_planes_tell_nothing() -> None:
    noisy = shaken(STANDING.scene(), np.random.default_rng(0), [0, 0, 0.05], [0, 0, 0])
    little = AccumulateConfig(ego_poses=RefinePosesConfig(points=10))
    assert refine_poses(noisy, little) is noisy


def test_switched_off_it_does_nothing() -> None:
    noisy = shaken(STANDING.scene(), np.random.default_rng(0), [0, 0, 0.05], [0, 0, 0])
    assert refine_poses(noisy, AccumulateConfig(refine_poses=False)) is noisy


def test_sweeps_without_points_are_left_out() -> None:
    noisy = shaken(STANDING.scene(), np.random.default_rng(1), [0.02, 0.0, 0.05], [0, 0, 0])
    read = noisy.read_points

    def none_of_some(sweep):
        points = read(sweep)
        return points.take(np.arange(0)) if sweep.token in ("sweep-0", "sweep-7") else points

    got = refine_poses(replace(noisy, read_points=none_of_some), CONFIG)
    place, _ = errors(got, STANDING.scene())
    seen = np.delete(place[:, 2], [0, 7])
    assert np.abs(seen - seen.mean()).max() < 0.01
    for blind in (0, 7):
        np.testing.assert_allclose(got.sweeps[blind].T_global_ego, noisy.sweeps[blind].T_global_ego, atol=1e-12)


def test_cameras_and_boxes_move_along() -> None:
    noisy = shaken(World().scene(), np.random.default_rng(3), [0.02, 0.02, 0.05], [0.05, 0.05, 0.05])
    recorded = EgoPath.of(noisy).poses_at(np.array([c.timestamp_us * 1.0 for c in noisy.cameras]))
    cameras = tuple(replace(c, T_global_ego=T) for c, T in zip(noisy.cameras, recorded, strict=True))
    noisy = replace(noisy, cameras=cameras)
    got = refine_poses(noisy, CONFIG)
    assert got is not noisy
    path, within = EgoPath.of(got), 0
    for camera, was in zip(got.cameras, cameras, strict=True):
        if not path.timestamps_us[0] <= camera.timestamp_us <= path.timestamps_us[-1]:
            continue
        within += 1
        new = path.poses_at(np.array([camera.timestamp_us * 1.0]))[0]
        np.testing.assert_allclose(camera.T_global_ego, new, atol=1e-5)
        assert np.abs(new - was.T_global_ego).max() > 1e-3
    assert within > 1
    before = {s.timestamp_us: s.T_global_ego for s in noisy.sweeps}
    after = {s.timestamp_us: s.T_global_ego for s in got.sweeps}
    (drawn,), (now,) = noisy.tracks, got.tracks
    for stamp, was, is_now in zip(drawn.timestamps_us, drawn.T_global_box, now.T_global_box, strict=True):
        seen = se3.inverse(before[int(stamp)]) @ was
        np.testing.assert_allclose(se3.inverse(after[int(stamp)]) @ is_now, seen, atol=1e-7)


def test_depth_is_that_of_cameras_on_the_refined_path() -> None:
    """Rendered from where the sweeps' poses were put right, not from where they were recorded."""
    noisy = shaken(STANDING.scene(), np.random.default_rng(1), [0.02, 0.02, 0.05], [0.05, 0.05, 0.05])
    wanted = refine_poses(noisy, CONFIG).cameras
    got = [camera for camera, _ in accumulate_scene(noisy, CONFIG)]
    assert np.abs(wanted[0].T_global_ego - noisy.cameras[0].T_global_ego).max() > 0.005
    for camera, refined in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(camera.T_global_ego, refined.T_global_ego)


def off_the_path(scene: Scene) -> Scene:
    """Cameras and sweeps whose recorded poses lie on no common straight line, as localisation gives them."""
    rng = np.random.default_rng(4)
    cameras = []
    for camera in scene.cameras:
        T = camera.T_global_ego @ se3.from_yaw(rng.normal(0, 0.01), rng.normal(0, 0.05, 3))
        cameras.append(replace(camera, T_global_ego=T))
    return replace(shaken(scene, rng, [0.05] * 3, [0.3] * 3), cameras=tuple(cameras))


def test_a_correction_of_zero_moves_nothing() -> None:
    scene = off_the_path(World().scene())
    moments = Moments.of(scene)
    got = refinement.corrected(scene, np.zeros((moments.count, 3)), moments, np.zeros((moments.count, 6)))
    for was, now in zip((*scene.sweeps, *scene.cameras), (*got.sweeps, *got.cameras), strict=True):
        assert now.T_global_ego.tobytes() == was.T_global_ego.tobytes()
    for was, now in zip(scene.tracks, got.tracks, strict=True):
        assert now.T_global_box.tobytes() == was.T_global_box.tobytes()


def test_a_common_correction_moves_all_alike() -> None:
    """Sweeps, cameras between them, beyond their ends, and boxes: each keeps its place relative to the others."""
    scene = off_the_path(World().scene())
    early = replace(scene.cameras[0], timestamp_us=scene.sweeps[0].timestamp_us - 40_000)
    scene, moments = replace(scene, cameras=(early, *scene.cameras)), Moments.of(scene)
    origin, one = scene.sweeps[0].T_global_ego[:3, 3], np.array([0.1, -0.2, 0.3, 0.01, -0.02, 0.03])
    about = np.array([3.0, 1.0, 2.0])
    many = (np.repeat(x[None], moments.count, axis=0) for x in (about, one))
    got = refinement.corrected(scene, next(many), moments, next(many))
    T = np.eye(4)
    T[:3, :3] = Rotation.from_rotvec(one[3:]).as_matrix()
    T[:3, 3] = origin + about + one[:3] - T[:3, :3] @ (origin + about)
    for was, now in zip((*scene.sweeps, *scene.cameras), (*got.sweeps, *got.cameras), strict=True):
        np.testing.assert_allclose(now.T_global_ego, T @ was.T_global_ego, atol=1e-9)
    np.testing.assert_allclose(got.tracks[0].T_global_box, T @ scene.tracks[0].T_global_box, atol=1e-9)


# --- the kernel and its reference implementation ---


def twin(xyz, arm, body, members, normal, scale_m, H, g) -> None:
    """Each plane's residuals as one matrix: weighted, minus their mean, its normal equations."""
    bodies = len(g) // 6
    for rows, n in zip(members, normal, strict=True):
        rows = rows[rows >= 0]
        if not len(rows):
            continue
        r = xyz[rows] @ n
        w = 1 / (1 + ((r - r.mean()) / scale_m) ** 2) ** 2
        J = np.zeros((len(rows), 6 * bodies))
        for k, i in enumerate(rows):
            J[k, 6 * body[i] : 6 * body[i] + 6] = np.concatenate([n, np.cross(arm[i], n)])
        centred = np.eye(len(rows)) - w / w.sum()
        g += J.T @ np.diag(w) @ centred @ r
        H += (centred @ J).T @ np.diag(w) @ (centred @ J)


@pytest.mark.parametrize(("planes", "width"), [(0, 5), (1, 1), (40, 7)])
def test_the_kernel_equals_its_twin(planes: int, width: int) -> None:
    rng = np.random.default_rng(planes)
    xyz, arm = rng.normal(size=(60, 3)), rng.normal(size=(60, 3))
    body = rng.integers(0, 5, 60).astype(np.int32)
    members = rng.integers(-1, 60, (planes, width)).astype(np.int32)
    if planes > 2:
        members[0], members[1, 1:] = -1, -1
    normal = rng.normal(size=(planes, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    H, g = np.zeros((5, 5, 6, 6)), np.ones((5, 6))
    plane_adjustment(xyz, arm, body, members, normal, 0.5, H, g)
    expected = np.zeros((30, 30)), np.ones(30)
    twin(xyz, arm, body, members, normal, 0.5, *expected)
    lower = np.tril(np.ones((5, 5)))[:, None, :, None].repeat(6, 1).repeat(6, 3).reshape(30, 30)
    np.testing.assert_allclose(H.transpose(0, 2, 1, 3).reshape(30, 30), expected[0] * lower, atol=1e-10)
    np.testing.assert_allclose(g.ravel(), expected[1], atol=1e-10)
