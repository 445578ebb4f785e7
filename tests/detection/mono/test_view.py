"""Views: an object's crop and directions, whatever the camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.datasets import open_recording  # noqa: E402
from densegt.detection.mono.augment import varied  # noqa: E402
from densegt.detection.mono.batch import mirrored  # noqa: E402
from densegt.detection.mono.config import AugmentConfig  # noqa: E402
from densegt.detection.mono.view import View  # noqa: E402
from densegt.geometry import camera as pinhole  # noqa: E402
from densegt.geometry import se3  # noqa: E402


@pytest.fixture(scope="module")
def camera(tiny_dataset):
    recording = open_recording(tiny_dataset)
    return recording.keyframes(recording.scene_names[0])[0].cameras[0]


def test_points_and_directions_go_where_the_pixels_are(camera):
    T_ref_cam = camera.T_ego_cam
    view = View.of(camera, T_ref_cam, np.array([40.0, 30.0, 90.0, 60.0]))
    uv, z_m = np.array([[45.0, 33.0], [80.0, 55.0]]), np.array([8.0, 20.0])
    points = view.points(uv, z_m)
    again, depth_m = pinhole.project(camera.K, se3.apply(se3.inverse(T_ref_cam) @ view.T_ref_view, points))
    assert again == pytest.approx(uv)
    assert depth_m == pytest.approx(z_m)
    # Level, and towards the middle of the box.
    assert view.T_ref_view[:3, 2] == pytest.approx([0, 0, 1])
    middle = view.directions(np.array([[65.0, 45.0]]))[0]
    assert middle[1] == pytest.approx(0)
    right, left, bottom, top = view.box_ab
    assert right < 0 < left
    assert bottom < middle[2] / middle[0] < top


def test_a_crop_does_not_depend_on_the_focal_length(camera):
    """The same scene through a lens of twice the focal length and an image of twice the size."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (9, 16, 3)).astype(np.uint8)
    image = coarse.repeat(10, axis=0).repeat(10, axis=1)
    double = np.diag([2.0, 2.0, 1.0]) @ camera.K + np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
    longer = replace(camera, K=double, width_px=320, height_px=180)
    box = np.array([30.0, 20.0, 110.0, 70.0])
    views = [View.of(camera, camera.T_ego_cam, box), View.of(longer, camera.T_ego_cam, 2 * box + 0.5)]
    assert views[0].box_ab == pytest.approx(views[1].box_ab)
    assert views[1].pixel == pytest.approx(views[0].pixel / 2)
    a, b = views[0].crop(image, 32), views[1].crop(image.repeat(2, axis=0).repeat(2, axis=1), 32)
    assert np.abs(a.astype(int) - b).mean() < 12


def test_mirrored_twice_is_the_same_and_once_is_not():
    torch.manual_seed(0)
    batch = {
        "image": torch.randint(255, (2, 3, 8, 8), dtype=torch.uint8), "numbers": torch.randn(2, 10),
        "box_ab": torch.randn(2, 4), "cut": torch.rand(2, 4) > 0.5, "points": torch.randn(2, 5, 3),
        "rays": torch.randn(2, 5, 3), "box": torch.randn(2, 7),
    }  # fmt: skip
    once, twice = mirrored(batch), mirrored(mirrored(batch))
    assert all(torch.equal(twice[name], batch[name]) for name in batch)
    assert all(not torch.equal(once[name], batch[name]) for name in batch if name != "cut")
    assert torch.equal(once["box_ab"][:, 0], -batch["box_ab"][:, 1])


def test_a_varied_crop_shows_the_same_in_another_light():
    image = np.random.default_rng(0).integers(60, 190, (3, 32, 32)).astype(np.uint8)
    nothing, light = AugmentConfig(colour=0, jitter=0), AugmentConfig(colour=0.3, jitter=0)
    assert np.abs(varied(image, np.random.default_rng(1), nothing).astype(int) - image).max() <= 1
    lit = varied(image, np.random.default_rng(1), light)
    assert all(np.corrcoef(lit[k].ravel(), image[k].ravel())[0, 1] > 0.95 for k in range(3))
    moved = [varied(image, np.random.default_rng(seed), AugmentConfig()) for seed in (1, 1, 2)]
    assert np.array_equal(moved[0], moved[1])
    assert not np.array_equal(moved[0], moved[2])
