"""Movers found without labels in worlds whose answer is known in closed form."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.pipeline import build_cloud
from tests.accumulation.worlds import MAP_ORIGIN, START_US, WALL, World

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

FREE = AccumulateConfig(motion="free")
ALONG = World(box_velocity=np.array([6.0, 0.0, 0.0]), labelled=False)


@dataclass(frozen=True, eq=False)
class Braking(World):
    """The box brakes at 4 m/s2 until it stands."""

    def box(self, t_s: float | np.ndarray) -> np.ndarray:
        t = np.minimum(np.asarray(t_s), 6.0 / 4.0)
        return self.box_middle + np.multiply.outer(6.0 * t - 2.0 * t**2, np.array([1.0, 0.0, 0.0]))


@dataclass(frozen=True, eq=False)
class Pair(World):
    """A second box meets the first and passes it half a metre away."""

    other: World = field(
        default_factory=lambda: World(
            box_middle=np.array([22.0, -0.4, 0.8]), box_velocity=np.array([-5.0, 0.0, 0.0]), labelled=False
        )
    )

    def cast(self, origin: np.ndarray, d: np.ndarray, t_s: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mine, theirs = super().cast(origin, d, t_s), self.other.cast(origin, d, t_s)
        nearer = theirs[0] < mine[0]
        return np.where(nearer, theirs[0], mine[0]), np.where(nearer, theirs[1], mine[1])


@dataclass(frozen=True, eq=False)
class Fenced(World):
    """Bars beside the road, `gap_m` apart, between which beams pass."""

    gap_m: float = 0.14
    bar_m: float = 0.07

    def cast(self, origin: np.ndarray, d: np.ndarray, t_s: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        far, kind = super().cast(origin, d, t_s)
        with np.errstate(divide="ignore", invalid="ignore"):
            to_fence = (-3.5 - origin[..., 1]) / d[:, 1]
            x, _, z = (origin + d * to_fence[:, None]).T
        bars = (x > 3) & (x < 20) & (z > 0) & (z < 1.1) & (x % self.gap_m < self.bar_m)
        nearer = bars & (to_fence > 0) & (to_fence < far)
        return np.where(nearer, to_fence, far), np.where(nearer, WALL, kind)


def found_in(world: World) -> list[ContinuousTrack]:
    return list(build_cloud(world.scene(), FREE).detected_tracks)


def places(track: ContinuousTrack, t_s: np.ndarray) -> np.ndarray:
    return track.poses_at(START_US + t_s * 1e6)[:, :3, 3] - MAP_ORIGIN


def velocities(track: ContinuousTrack, t_s: np.ndarray) -> np.ndarray:
    return (places(track, t_s + 0.02) - places(track, t_s - 0.02))[:, :2] / 0.04


def test_nothing_is_found_where_nothing_moves() -> None:
    assert found_in(World(box_middle=np.array([-60.0, 0, 0.8]), labelled=False)) == []
    assert found_in(World(box_velocity=np.zeros(3), labelled=False)) == []


@pytest.mark.parametrize("gap_m", [0.1, 0.14, 0.2, 0.3])
def test_a_fence_does_not_slide_along_itself(gap_m: float) -> None:
    away = np.array([-60.0, 0, 0.8])
    assert found_in(Fenced(box_middle=away, labelled=False, gap_m=gap_m, bar_m=gap_m / 2, seconds=2.5)) == []


def test_a_box_is_found_with_its_velocity_and_as_much_of_its_size_as_can_be_seen() -> None:
    """The ego drives behind it, so its front is never seen; what is seen is its back, its left side and its top."""
    (track,) = found_in(ALONG)
    t_s = np.linspace(0.1, 1.4, 14)
    np.testing.assert_allclose(velocities(track, t_s), np.tile([6.0, 0.0], (14, 1)), atol=0.15)
    off = places(track, t_s) - ALONG.box(t_s)
    assert np.abs(off - off.mean(axis=0)).max() < 0.06
    length, width, height = track.size_lwh_m
    assert length < 3.2
    assert width == pytest.approx(2.0, abs=0.25)
    assert height == pytest.approx(1.6, abs=0.3)
    back = places(track, t_s)[:, 0] - length / 2
    np.testing.assert_allclose(back, ALONG.box(t_s)[:, 0] - 1.5, atol=0.12)
    bottom = places(track, t_s)[:, 2] - height / 2
    np.testing.assert_allclose(bottom, 0.0, atol=0.05)


def test_its_points_are_its_own_and_the_ground_is_not_among_them() -> None:
    cloud = build_cloud(ALONG.scene(), FREE)
    ((track, surfels),) = cloud.movers
    T = track.poses_at(cloud.start_us + surfels.time_s * 1e6)
    xyz = np.einsum("nij,nj->ni", T[:, :3, :3], surfels.xyz) + T[:, :3, 3] - MAP_ORIGIN
    start_s = (cloud.start_us - START_US) * 1e-6
    away = np.abs(xyz - ALONG.box(surfels.time_s + start_s)) - ALONG.box_size / 2
    assert (away < 0.03).all(axis=1).mean() > 0.99
    assert xyz[:, 2].min() > 0.05
    still = cloud.static.xyz + (cloud.origin_global_m - MAP_ORIGIN)
    away = np.abs(still - ALONG.box(cloud.static.time_s + start_s)) - ALONG.box_size / 2
    left = (away < 0.02).all(axis=1) & (still[:, 2] > 0.2)
    assert left.sum() < 0.02 * len(surfels)


def test_a_box_that_brakes_to_a_stand_is_followed_until_it_stands() -> None:
    world = Braking(seconds=2.0, labelled=False)
    (track,) = found_in(world)
    t_s = np.linspace(0.1, 1.4, 14)
    off = places(track, t_s) - world.box(t_s)
    assert np.abs(off - off.mean(axis=0)).max() < 0.15
    np.testing.assert_allclose(velocities(track, t_s)[:, 0], 6.0 - 4.0 * t_s, atol=0.5)


def test_two_boxes_that_pass_each_other_are_two() -> None:
    world = Pair(box_middle=np.array([10.0, -3.0, 0.8]), box_velocity=np.array([6.0, 0.0, 0.0]), labelled=False)
    tracks = found_in(world)
    assert len(tracks) == 2
    t_s = np.linspace(0.2, 1.2, 11)
    speeds = sorted(float(velocities(track, t_s)[:, 0].mean()) for track in tracks)
    np.testing.assert_allclose(speeds, [-5.0, 6.0], atol=0.2)


def test_what_a_label_tells_of_is_not_found_again() -> None:
    cloud = build_cloud(World().scene(), AccumulateConfig())
    assert len(cloud.movers) == 1
    assert cloud.detected_tracks == ()


@pytest.mark.parametrize("motion", ["none", "boxes"])
def test_without_free_space_nothing_is_looked_for(motion: str) -> None:
    assert build_cloud(ALONG.scene(), AccumulateConfig(motion=motion)).detected_tracks == ()


def test_no_track_speaks_for_a_time_long_before_or_after_it_was_seen() -> None:
    (track,) = found_in(ALONG)
    assert track.known_at(np.array([START_US - 0.4e6, START_US + 1.95e6])).tolist() == [False, False]
