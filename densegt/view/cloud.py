"""The cloud that depth was rendered from, small enough for a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.surfels import Surfels

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Mover:
    """One moving object.

    Attributes:
        labelled: it has boxes; otherwise it was found without.
        xyz_box: (N,3) m, every point in the object's own frame.
        xyz_seen: (N,3) m, the same points where the lidar saw them, in global minus origin.
        T_origin_box: (M,4,4) at the keyframes; NaN where the track cannot tell.
    """

    token: str
    category: str
    labelled: bool
    size_lwh_m: NDArray[np.float64]
    xyz_box: Float32
    xyz_seen: Float32
    T_origin_box: NDArray[np.float64]


@dataclass(frozen=True)
class SceneCloud:
    """A scene's cloud in global minus origin.

    Attributes:
        static: (N,3) m, what stands still.
        transient: (P,3) m, points shown only near their own time, in order of time; transient_s: (P,) s since the first
            keyframe.
        keyframes_s: (M,) s since the first keyframe.
        points: how many points there were before some were left out.
    """

    origin_global_m: NDArray[np.float64]
    static: Float32
    transient: Float32
    transient_s: Float32
    movers: tuple[Mover, ...]
    keyframes_s: NDArray[np.float64]
    points: int


def scene_cloud(cloud: Cloud, keyframes_us: NDArray[np.int64], *, max_points: int) -> SceneCloud:
    """A subsample of a cloud, its movers placed.

    Args:
        keyframes_us: (M,) times at which the page shows movers.
        max_points: at most so many static points, and a quarter as many transient and moving ones.
    """
    since_s = (cloud.start_us - int(keyframes_us[0])) * 1e-6
    transient = cloud.transient.take(np.argsort(cloud.transient.time_s, kind="stable"))
    some = _evenly(len(transient), max_points // 4)
    total_moving = sum(len(surfels) for _, surfels in cloud.movers)
    share = min(1.0, max_points / 4 / max(total_moving, 1))
    found = {track.token for track in cloud.detected_tracks}
    return SceneCloud(
        origin_global_m=cloud.origin_global_m,
        static=subsample(cloud.static.xyz, max_points),
        transient=transient.xyz[some],
        transient_s=(transient.time_s[some] + since_s).astype(np.float32),
        movers=tuple(
            _mover(cloud, track, surfels.take(_evenly(len(surfels), int(share * len(surfels)))), found, keyframes_us)
            for track, surfels in cloud.movers
            if len(surfels)
        ),
        keyframes_s=(keyframes_us - keyframes_us[0]) * 1e-6,
        points=len(cloud.static) + len(cloud.transient) + total_moving,
    )


def subsample(xyz: Float32, most: int) -> Float32:
    """At most so many of the points (N,3): one a cube, of the smallest cube that is large enough.

    Every place keeps points that way; leaving out at random would empty what is far.
    """
    if len(xyz) <= most:
        return xyz
    kept, cube_m = xyz, 0.05
    while True:
        cells = np.floor(xyz / cube_m).astype(np.int64)
        cells -= cells.min(axis=0)
        key = (cells[:, 0] << 42) | (cells[:, 1] << 21) | cells[:, 2]
        first = np.unique(key, return_index=True)[1]
        kept = xyz[first]
        if len(kept) <= most:
            return kept
        cube_m *= 1.25


def _evenly(n: int, most: int) -> NDArray[np.intp]:
    return np.arange(n) if n <= most else np.linspace(0, n - 1, max(most, 1)).astype(np.intp)


def _mover(
    cloud: Cloud, track: ContinuousTrack, surfels: Surfels, found: set[str], keyframes_us: NDArray[np.int64]
) -> Mover:
    seen = _placed(cloud, track, cloud.start_us + surfels.time_s.astype(np.float64) * 1e6)
    xyz_seen = np.einsum("nij,nj->ni", seen[:, :3, :3], surfels.xyz) + seen[:, :3, 3]
    poses = _placed(cloud, track, keyframes_us.astype(np.float64))
    poses[~track.known_at(keyframes_us.astype(np.float64))] = np.nan
    return Mover(
        token=track.token,
        category=track.category,
        labelled=track.token not in found,
        size_lwh_m=track.size_lwh_m,
        xyz_box=surfels.xyz,
        xyz_seen=xyz_seen.astype(np.float32),
        T_origin_box=poses,
    )


def _placed(cloud: Cloud, track: ContinuousTrack, t_us: NDArray[Any]) -> NDArray[np.float64]:
    poses = track.poses_at(t_us)
    poses[:, :3, 3] -= cloud.origin_global_m
    return poses
