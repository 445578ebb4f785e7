"""Lines of sight into vehicles' boxes: against sampling along each line, behind the camera, and out of time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from densegt.accumulation.config import TracksConfig
from densegt.accumulation.motion.tracks import ContinuousTrack, standing_vehicles
from densegt.accumulation.render.bodies import INSIDE_M, SILL, behind_bodies, body_front
from densegt.datasets.scene import Camera, ObjectKind, Track
from densegt.geometry import se3

from ..worlds import World

H, W = 30, 50
# Ahead along global x, pixels downwards along -z.
T_GLOBAL_CAM = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]], float)
SIZE_LWH_M = np.array([4.0, 1.8, 1.6])


def camera(time_us: int = 0) -> Camera:
    K = np.array([[40.0, 0, 24.5], [0, 40.0, 14.5], [0, 0, 1]])
    scene = World().scene()
    return replace(
        scene.cameras[0], K=K, width_px=W, height_px=H, T_ego_cam=T_GLOBAL_CAM, T_global_ego=np.eye(4),
        timestamp_us=time_us,
    )  # fmt: skip


def vehicle(x: float, y: float, yaw: float) -> ContinuousTrack:
    c, s = np.cos(yaw), np.sin(yaw)
    T = np.array([[[c, -s, 0, x], [s, c, 0, y], [0, 0, 1, 0.8], [0, 0, 0, 1]]])
    return ContinuousTrack("v", "vehicle.car", SIZE_LWH_M, False, np.array([0]), T, 0.5, 1.6)


def sampled(depth_m: np.ndarray, tracks: list[ContinuousTrack]) -> np.ndarray:
    """The same by walking along each line in steps of a centimetre of depth."""
    out, cam = np.zeros(depth_m.shape), camera()
    z = np.arange(0.01, 40, 0.01)
    for track in tracks:
        T_box_cam = np.linalg.inv(track.T_global_box[0]) @ cam.T_global_cam
        for row, col in np.ndindex(depth_m.shape):
            ray = np.array([(col - cam.K[0, 2]) / cam.K[0, 0], (row - cam.K[1, 2]) / cam.K[1, 1], 1.0])
            q = se3.apply(T_box_cam, z[:, None] * ray)
            inside = (np.abs(q) <= SIZE_LWH_M / 2).all(axis=1)
            if inside.any():
                high = q[inside, 2].mean() > (2 * SILL - 1) * SIZE_LWH_M[2] / 2
                if high and z[inside][0] < depth_m[row, col] < z[inside][-1] + INSIDE_M:
                    out[row, col] = z[inside][0]
    return out


@pytest.mark.parametrize("seed", range(3))
def test_equals_sampling_along_lines(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tracks = [vehicle(rng.uniform(6, 10), rng.uniform(-2, 2), rng.uniform(-3, 3)) for _ in range(2)]
    depth_m = rng.uniform(4, 18, (H, W)).astype(np.float32)
    depth_m[rng.random((H, W)) < 0.1] = 0
    got, wanted = body_front(depth_m, camera(), tracks), sampled(depth_m, tracks)
    assert (wanted > 0).sum() > 10
    # Lines that only touch a corner fall between the samples.
    assert (np.abs(got - wanted) > 0.02).mean() < 0.01


@pytest.mark.parametrize("yaw", [-0.2, 0.3, 1.2])
def test_what_reaches_from_beside_the_camera_into_the_image_equals_sampling(yaw: float) -> None:
    """Some of the box's corners lie behind the camera's plane, so they have no place in the image."""
    tracks = [vehicle(0.9, -1.6, yaw), vehicle(0.5, 2.4, yaw)]
    depth_m = np.random.default_rng(0).uniform(1, 6, (H, W)).astype(np.float32)
    for one in tracks:
        got, wanted = body_front(depth_m, camera(), [one]), sampled(depth_m, [one])
        assert (np.abs(got - wanted) > 0.02).mean() < 0.01
    assert (body_front(depth_m, camera(), tracks) > 0).sum() > 10


def test_nothing_is_seen_through_a_body_but_below_it_and_beside_it() -> None:
    """A car of 4 m across the view at 10 m: its core is 3.5 by 1.3 m, from 0.4 to 0.88 m above the ground."""
    far, car = np.full((H, W), 30, np.float32), vehicle(10, 0, np.pi / 2)
    found = behind_bodies(far, camera(), [car])
    columns, rows = np.flatnonzero(found.any(axis=0)), np.flatnonzero(found.any(axis=1))
    assert abs(columns - 24.5).max() == pytest.approx(40 * 1.75 / 9.35, abs=1)
    assert rows[0] == pytest.approx(14.5 + 40 * (1.5 - 0.88) / 10.65, abs=1)
    assert rows[-1] == pytest.approx(14.5 + 40 * (1.5 - 0.4) / 9.35, abs=1)
    assert not behind_bodies(np.full((H, W), 10, np.float32), camera(), [car]).any()
    assert not behind_bodies(far, camera(time_us=5_000_000), [car]).any()


def test_beside_and_behind_the_camera_nothing_is_a_body() -> None:
    depth_m = np.full((H, W), 10, np.float32)
    assert not body_front(depth_m, camera(), [vehicle(-8, 0, 0), vehicle(3, 30, 0)]).any()
    assert not body_front(depth_m, camera(), []).any()


def test_a_body_that_the_camera_stands_in_hides_nothing() -> None:
    assert not body_front(np.full((H, W), 2.5, np.float32), camera(), [vehicle(1.0, 0, 0)]).any()


def test_a_box_counts_at_its_own_time_only() -> None:
    depth_m, track = np.full((H, W), 10, np.float32), vehicle(10, 0, 0)
    assert body_front(depth_m, camera(), [track]).any()
    assert not body_front(depth_m, camera(time_us=5_000_000), [track]).any()


def test_vehicles_that_stand_are_told_from_those_that_move_and_from_people() -> None:
    def track(kind: ObjectKind, step_m: float) -> Track:
        T = np.tile(np.eye(4), (3, 1, 1))
        T[:, 0, 3] = step_m * np.arange(3)
        return Track(kind.value, "some", kind, SIZE_LWH_M, np.array([0, 500_000, 1_000_000]), T)

    tracks = (track(ObjectKind.RIGID_VEHICLE, 0.1), track(ObjectKind.RIGID_VEHICLE, 3), track(ObjectKind.PERSON, 0))
    found = standing_vehicles(replace(World().scene(), tracks=tracks), TracksConfig())
    assert [t.token for t in found] == ["rigid vehicle"]
    assert len(found) == 1
