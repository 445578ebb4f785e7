"""Which voxels cameras see."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from densegt.datasets.scene import Camera
from densegt.occupancy.camera_mask import farthest, pixel_rays, pixel_step, seen_by_cameras

# z ahead of the camera is x of the grid.
LOOKS_ALONG_X = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 2.5], [0, -1, 0, 1.5], [0, 0, 0, 1]])


def camera(T_global_cam: np.ndarray, f_px: float = 40.0) -> Camera:
    return Camera(
        token="", sample_token="", channel="", image_path=Path(), filename="", width_px=41, height_px=21,
        timestamp_us=0, K=np.array([[f_px, 0, 20], [0, f_px, 10], [0, 0, 1]]),
        T_ego_cam=np.eye(4), T_global_ego=T_global_cam,
    )  # fmt: skip


def test_a_wall_hides_what_is_behind_it() -> None:
    blocked = np.zeros((20, 5, 3), np.bool_)
    blocked[10] = True
    seen = seen_by_cameras([camera(LOOKS_ALONG_X)], np.eye(4), blocked)
    assert seen[:11, 2, 1].all()
    assert seen[10].all()
    assert not seen[11:].any()


def test_a_camera_sees_its_field_alone_and_several_see_more() -> None:
    open_space = np.zeros((20, 20, 3), np.bool_)
    ahead = LOOKS_ALONG_X.copy()
    ahead[1, 3] = 10.0
    seen = seen_by_cameras([camera(ahead)], np.eye(4), open_space)
    x, y = np.nonzero(seen.any(axis=2))
    # The field is 20 px of 40 px to each side.
    assert (np.abs(y + 0.5 - 10) <= (x + 1) * 0.5 + 1).all()
    assert seen[19, 3:17].any(axis=1).all()
    back = ahead.copy()
    back[:3, :3] = np.diag([-1, -1, 1]) @ ahead[:3, :3]
    back[0, 3] = 20
    both = seen_by_cameras([camera(ahead), camera(back)], np.eye(4), open_space)
    assert (both & seen == seen).all()
    assert both[0, 2:18].any(axis=1).all()
    assert not seen_by_cameras([], np.eye(4), open_space).any()


def test_rays_are_as_close_together_as_voxels_need() -> None:
    far = farthest(np.array([0.0, 0, 0]), (30, 40, 0))
    assert far == 50
    one = camera(LOOKS_ALONG_X, f_px=1000.0)
    step = pixel_step(one, far)
    assert step == 20
    rays = pixel_rays(one.K, one.width_px, one.height_px, step)
    columns = np.unique(np.round(rays[:, 0] * 1000 + 20))
    assert columns.tolist() == [0, 20, 40]
    assert (np.diff(columns) / 1000 * far <= 1 + 1e-9).all()
