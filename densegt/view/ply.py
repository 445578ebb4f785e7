"""A scene's whole cloud at one moment, and as PLY or PCD."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.cloud import Cloud
from densegt.depth.depth_map import Source
from densegt.depth.store import SceneReader
from densegt.errors import InputError
from densegt.install_hint import install_command
from densegt.report.draw import SOURCE_COLOURS

FOUND_COLOUR = (255, 160, 40)


def placed_points(cloud: Cloud, time_us: int) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """What stands still, and each moving object where it is at this time.

    Returns:
        xyz_global (N,3) m and colours (N,3): blue what stands still, red objects with boxes, orange those found.
    """
    places = [cloud.static.xyz + cloud.origin_global_m]
    colours = [_all(SOURCE_COLOURS[Source.STATIC], len(cloud.static))]
    found = {track.token for track in cloud.detected_tracks}
    when = np.array([time_us], dtype=np.float64)
    for track, surfels in cloud.movers:
        if track.known_at(when)[0]:
            T_global_box = track.poses_at(when)[0]
            places.append(surfels.xyz @ T_global_box[:3, :3].T + T_global_box[:3, 3])
            colour = FOUND_COLOUR if track.token in found else SOURCE_COLOURS[Source.MOVER]
            colours.append(_all(colour, len(surfels)))
    return np.concatenate(places), np.concatenate(colours)


def ply_writer(folder: Path) -> Callable[[SceneReader, Cloud, NDArray[np.int64]], None]:
    """Writes `<folder>/<scene>.ply`, the cloud at the first keyframe in global coordinates, through open3d."""
    try:
        import open3d as o3d
    except (ImportError, OSError) as error:
        raise InputError(f"--ply needs open3d ({error}): {install_command('cloud')}; see `densegt doctor`") from None

    def write(reader: SceneReader, cloud: Cloud, keyframes_us: NDArray[np.int64]) -> None:
        xyz_global, rgb = placed_points(cloud, int(keyframes_us[0]))
        points = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(xyz_global))
        points.colors = o3d.utility.Vector3dVector(rgb / 255)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{reader.scene}.ply"
        if not o3d.io.write_point_cloud(path, points):
            raise InputError(f"{path}: cannot be written")

    return write


def _all(colour: tuple[int, int, int], n: int) -> NDArray[np.uint8]:
    return np.tile(np.array(colour, dtype=np.uint8), (n, 1))
