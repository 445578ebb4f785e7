"""From a scene to its cloud, and from the cloud to dense depth."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing

import numpy as np

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.measurements import Measurements, measure_scene
from densegt.accumulation.motion.box_time import tracks_at_measured_time
from densegt.accumulation.motion.point_assignment import assign_points
from densegt.accumulation.motion.points_in_boxes import STATIC
from densegt.accumulation.motion.track_refinement import refine_tracks
from densegt.accumulation.motion.tracks import ContinuousTrack, moving_tracks, standing_vehicles
from densegt.accumulation.ordered_threads import ordered_map
from densegt.accumulation.poses.refinement import refine_poses
from densegt.accumulation.render.renderer import render
from densegt.accumulation.sweep_returns import MotionVotes, read_returns
from densegt.datasets.scene import Camera, Scene
from densegt.depth.depth_map import DepthMap


def build_cloud(
    scene: Scene,
    config: AccumulateConfig,
    *,
    threads: int = 1,
    progress: Callable[[], None] = lambda: None,
    votes: MotionVotes | None = None,
) -> Cloud:
    """A scene's cloud: ego poses refined, static world and movers separated. Each sweep is read once.

    Args:
        threads: at work on the scene; the cloud is the same for any number.
        progress: called after each sweep.
        votes: on what moves, beside free space.

    Raises:
        InputError: a sweep cannot be read, or none holds a usable return.
    """
    returns = read_returns(scene, config, votes)
    scene = refine_poses(scene, returns, config)
    measured = measure_scene(scene, returns, config, threads=threads, progress=progress)
    tracks = annotated_tracks(scene, measured, config)
    return _separate(scene, measured, tracks, config, threads=threads)


def annotated_tracks(scene: Scene, measured: Measurements, config: AccumulateConfig) -> list[ContinuousTrack]:
    """The annotated tracks that move, timed and registered to their points; none where boxes are not to be used."""
    if config.motion not in ("auto", "boxes"):
        return []
    tracks = moving_tracks(scene, config.tracks)
    tracks = tracks_at_measured_time(tracks, measured, scene, config.tracks.box_time)
    return refine_tracks(tracks, measured, config.tracks)


def _separate(
    scene: Scene,
    measured: Measurements,
    tracks: Sequence[ContinuousTrack],
    config: AccumulateConfig,
    *,
    threads: int,
) -> Cloud:
    """The cloud of measured surfels, which are spent."""
    assignment = assign_points(measured, tracks, config, threads=threads)
    standing = standing_vehicles(scene, config.tracks) if config.motion in ("auto", "boxes") else []
    transient = measured.surfels.take(assignment.transient)
    static = np.flatnonzero((assignment.owner == STATIC) & ~assignment.transient)
    return Cloud(
        origin_global_m=measured.origin_global_m,
        start_us=measured.start_us,
        # The others are not needed again, and two of the largest arrays need not be in memory at a time.
        static=measured.surfels.shrink_to(static),
        transient=transient,
        movers=assignment.movers,
        detected_tracks=tuple(track for track, _ in assignment.movers[len(tracks) :]),
        images=measured.images,
        moments=measured.moments,
        sweep_times_s=np.array([(s.timestamp_us - measured.start_us) * 1e-6 for s in scene.sweeps]),
        period_s=max(sweep.lidar_model.period_s for sweep in scene.sweeps),
        cameras=scene.cameras,
        vehicles=(*(t for t in tracks if not t.deforming), *standing),
        sample_tokens=tuple(s.sample_token if s.is_keyframe else "" for s in scene.sweeps),
    )


def accumulate_scene(
    scene: Scene,
    config: AccumulateConfig,
    *,
    threads: int = 1,
    progress: Callable[[], None] = lambda: None,
    built: Callable[[Cloud], None] = lambda cloud: None,
    votes: MotionVotes | None = None,
) -> Generator[tuple[Camera, DepthMap], None, None]:
    """Dense depth of every keyframe camera of a scene, in order of time; cameras lie on the refined ego path.

    Args:
        threads: at work on the scene; depth is the same for any number.
        progress: called after each sweep and image.
        built: given the cloud before the first image is rendered.
        votes: on what moves, beside free space.

    Raises:
        InputError: a sweep cannot be read, or none holds a usable return.
    """
    cloud = build_cloud(scene, config, threads=threads, progress=progress, votes=votes)
    built(cloud)
    depths = ordered_map(lambda camera: render(cloud, camera, config), cloud.cameras, threads)
    with closing(depths):
        for camera, depth in zip(cloud.cameras, depths, strict=True):
            yield camera, depth
            progress()
