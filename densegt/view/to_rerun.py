"""The same scene for the Rerun viewer: cameras, depth and cloud over time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.surfels import Surfels
from densegt.depth.depth_map import Source
from densegt.depth.store import SceneReader
from densegt.errors import InputError
from densegt.install_hint import install_command
from densegt.occupancy.store import OccupancyReader
from densegt.report.draw import SOURCE_COLOURS
from densegt.view.legend import legend
from densegt.view.ply import FOUND_COLOUR
from densegt.view.voxels import COLOURS, ShownVoxels, occupancy_reader


def rerun_writer(
    folder: Path, image_root: Path, occupancy_dir: Path | None = None
) -> Callable[[SceneReader, Cloud, NDArray[np.int64]], None]:
    """Writes `<folder>/<scene>.rrd`; global coordinates less the scene's origin, time since the first keyframe.

    Args:
        occupancy_dir: store of voxels that go into it too.
    """
    try:
        import rerun as rr
    except ImportError as error:
        raise InputError(f"--rerun needs rerun-sdk ({error}): {install_command('rerun')}") from None

    def write(reader: SceneReader, cloud: Cloud, keyframes_us: NDArray[np.int64]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        stream = rr.RecordingStream("densegt")
        stream.save(str(folder / f"{reader.scene}.rrd"))
        stream.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        stream.log(
            "world/static",
            rr.Points3D(cloud.static.xyz, colors=[SOURCE_COLOURS[Source.STATIC]], radii=0.03),
            static=True,
        )
        found = {track.token for track in cloud.detected_tracks}
        for k, (track, surfels) in enumerate(cloud.movers):
            colour = FOUND_COLOUR if track.token in found else SOURCE_COLOURS[Source.MOVER]
            _log_mover(rr, stream, f"world/movers/{k}", cloud, (track, surfels), colour, keyframes_us)
        _log_cameras(rr, stream, reader, image_root, cloud.origin_global_m, int(keyframes_us[0]))
        if occupancy_dir:
            _log_voxels(rr, stream, occupancy_reader(occupancy_dir, reader.scene), cloud, int(keyframes_us[0]))
        stream.flush(blocking=True)
        stream.disconnect()

    return write


def _log_mover(
    rr: Any,
    stream: Any,
    name: str,
    cloud: Cloud,
    mover: tuple[ContinuousTrack, Surfels],
    colour: tuple[int, int, int],
    keyframes_us: NDArray[np.int64],
) -> None:
    track, surfels = mover
    stream.log(f"{name}/points", rr.Points3D(surfels.xyz, colors=[colour], radii=0.03), static=True)
    times_us = keyframes_us[track.known_at(keyframes_us.astype(np.float64))]
    for time_us, T in zip(times_us, track.poses_at(times_us.astype(np.float64)), strict=True):
        stream.set_time("drive", duration=(int(time_us) - int(keyframes_us[0])) * 1e-6)
        stream.log(name, rr.Transform3D(mat3x3=T[:3, :3], translation=T[:3, 3] - cloud.origin_global_m))


def _log_cameras(
    rr: Any, stream: Any, reader: SceneReader, image_root: Path, origin_m: NDArray[np.float64], start_us: int
) -> None:
    for record in reader:
        stream.set_time("drive", duration=(record.timestamp_us - start_us) * 1e-6)
        name = f"world/{record.channel}"
        T = record.T_global_cam
        height, width = record.depth_m.shape
        stream.log(name, rr.Transform3D(mat3x3=T[:3, :3], translation=T[:3, 3] - origin_m))
        stream.log(
            f"{name}/image",
            rr.Pinhole(image_from_camera=record.K, resolution=[width, height], camera_xyz=rr.ViewCoordinates.RDF),
        )
        stream.log(f"{name}/image", rr.EncodedImage(path=image_root / record.filename))
        stream.log(f"{name}/image/depth", rr.DepthImage(record.depth_m, meter=1.0))


def _log_voxels(rr: Any, stream: Any, reader: OccupancyReader, cloud: Cloud, start_us: int) -> None:
    """Boxes over time, coloured by class, by height and by confidence, each an entity that the viewer can hide."""
    by_confidence = np.array(legend()["confidence"]["colours"], np.uint8)
    for record in reader:
        voxels = ShownVoxels.of(record)
        stream.set_time("drive", duration=(record.timestamp_us - start_us) * 1e-6)
        T, half_m = voxels.T_global_grid, voxels.grid.voxel_m / 2
        stream.log("world/voxels", rr.Transform3D(mat3x3=T[:3, :3], translation=T[:3, 3] - cloud.origin_global_m))
        centres_m = voxels.centres_m
        height = np.clip((centres_m[:, 2:] + 1) / 6, 0, 1)
        colours = {
            "class": np.array(COLOURS, np.uint8)[voxels.code],
            "height": (np.array([40, 110, 220]) + height * [215, 90, -170]).astype(np.uint8),
            "confidence": by_confidence[voxels.confidence],
        }
        for name, rgb in colours.items():
            boxes = rr.Boxes3D(
                centers=centres_m, half_sizes=np.full((len(rgb), 3), half_m), colors=rgb, fill_mode="solid"
            )
            stream.log(f"world/voxels/{name}", boxes)
