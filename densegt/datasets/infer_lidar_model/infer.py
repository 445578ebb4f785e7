"""A lidar's model from all evidence, each value from the surest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from densegt.datasets.infer_lidar_model.camera_phase import CameraPhase, camera_phase
from densegt.datasets.infer_lidar_model.choose_sweeps import choose_sweeps
from densegt.datasets.infer_lidar_model.evidence import Finding, LidarModelEvidence, Sureness
from densegt.datasets.infer_lidar_model.motion_left import MotionLeft, motion_left
from densegt.datasets.infer_lidar_model.point_order import Turn, turn_from_order, turn_from_times
from densegt.datasets.infer_lidar_model.turn_period import turn_periods
from densegt.datasets.lidar_model import KITTI, NUSCENES, LidarModel
from densegt.datasets.scene import Camera, Points, Scene, Sweep

ASSUMED, LIKELY, SURE = Sureness


def infer_lidar_models(
    scene: Scene, given: Mapping[str, LidarModel], read_points: Callable[[Sweep], Points]
) -> dict[str, LidarModelEvidence]:
    """The evidence on each lidar of a scene, by channel; at most 13 sweeps of each are read.

    Args:
        given: models that somebody gave by hand, to be held against the data. A lidar whose model the recording itself
            tells is held against its first sweep only.

    Raises:
        InputError: a sweep cannot be read.
    """
    found = {}
    for lidar in scene.lidars:
        sweeps = [sweep for sweep in scene.sweeps if sweep.lidar is lidar]
        hand = given.get(lidar.channel)
        wanted = sweeps[:1] if hand is None and lidar.model is not None else sweeps_to_read(sweeps)
        points = {sweep.token: read_points(sweep) for sweep in wanted}
        found[lidar.channel] = infer_lidar_model(sweeps, scene.cameras, points, given=hand or lidar.model)
    return found


def sweeps_to_read(sweeps: Sequence[Sweep]) -> list[Sweep]:
    """The sweeps of one lidar, in order of time, whose points tell its model: the first and at most 12 others."""
    return [sweeps[i] for i in sorted({0, *(i for group in choose_sweeps(sweeps) for i in group)})]


def infer_lidar_model(
    sweeps: Sequence[Sweep],
    cameras: Sequence[Camera],
    points: Mapping[str, Points],
    *,
    given: LidarModel | None = None,
) -> LidarModelEvidence:
    """How one lidar turns.

    What the data leave open is taken from the recordings of its kind that we know: one that turns at about 10 Hz is
    taken for KITTI's, every other for nuScenes'.

    Args:
        sweeps: all of one lidar, in order of time.
        cameras: exposures near those sweeps.
        points: by token of sweep; of `sweeps_to_read`, or fewer: then compensation cannot be told.
    """
    first, T_ego_lidar = points[sweeps[0].token], sweeps[0].T_ego_lidar
    timed = turn_from_times(first, T_ego_lidar)
    turn = timed or turn_from_order(first, T_ego_lidar)
    how = "times of points" if timed else "order of points"
    periods_s = turn_periods(np.array([s.timestamp_us for s in sweeps], dtype=np.int64))
    phase = camera_phase(
        sweeps,
        cameras,
        clockwise=(True, False) if turn is None else (turn.clockwise,),
        periods_s=[turn.period_s] if turn and turn.period_s else periods_s or [NUSCENES.period_s, KITTI.period_s],
    )
    period_s, period = _period(turn, phase, periods_s)
    like = KITTI if 0.08 < period_s < 0.125 else NUSCENES
    clockwise, direction = _direction(turn, phase, how)
    scan_start_azimuth_rad = like.scan_start_azimuth_rad if turn is None else turn.scan_start_azimuth_rad
    left = motion_left(
        sweeps,
        points,
        clockwise=clockwise if turn or phase else None,
        period_s=period_s,
        scan_start_azimuth_rad=scan_start_azimuth_rad,
        period_known=period.sureness == SURE,
        scan_start_known=turn is not None,
    )
    if left.clockwise is not None and not (turn or phase):
        clockwise, direction = left.clockwise, Finding(left.source, left.sureness)
    if left.period_s is not None:
        period_s, period = left.period_s, Finding(left.source, left.sureness)
    scan_start = Finding(how, SURE) if turn else Finding("the order of points does not show it", ASSUMED)
    if left.scan_start_azimuth_rad is not None:
        scan_start_azimuth_rad, scan_start = left.scan_start_azimuth_rad, Finding(left.source, LIKELY)
    compensated, compensation = _compensated(left, like)
    stamp_fraction, stamp = _stamp(turn, phase, like, scan_start_azimuth_rad)
    return LidarModelEvidence(
        channel=sweeps[0].lidar.channel,
        model=LidarModel(
            clockwise=clockwise,
            period_s=period_s,
            scan_start_azimuth_rad=scan_start_azimuth_rad,
            stamp_fraction=stamp_fraction,
            compensated=compensated,
        ),
        direction=direction,
        period=period,
        scan_start=scan_start,
        stamp=stamp,
        compensated=compensation,
        given=given,
    )


def _direction(turn: Turn | None, phase: CameraPhase | None, how: str) -> tuple[bool, Finding]:
    if turn is not None:
        return turn.clockwise, Finding(how, SURE)
    if phase is not None:
        return phase.clockwise, Finding("cameras fire as the beam passes", SURE)
    return True, Finding("neither order of points nor cameras show it", ASSUMED)


def _period(turn: Turn | None, phase: CameraPhase | None, periods_s: list[float]) -> tuple[float, Finding]:
    if turn is not None and turn.period_s is not None:
        return turn.period_s, Finding("times of points", SURE)
    if phase is not None:
        return phase.period_s, Finding("cameras fire as the beam passes", SURE)
    if periods_s:
        # A turn may be shorter where sweeps are left out.
        return periods_s[0], Finding("stamps of sweeps", LIKELY)
    return NUSCENES.period_s, Finding("no two sweeps follow each other", ASSUMED)


def _stamp(
    turn: Turn | None, phase: CameraPhase | None, like: LidarModel, scan_start_azimuth_rad: float
) -> tuple[float, Finding]:
    if turn is not None and turn.stamp_fraction is not None:
        return turn.stamp_fraction, Finding("times of points", SURE)
    if phase is not None and turn is not None:
        return phase.stamp_fraction(scan_start_azimuth_rad), Finding("cameras fire as the beam passes", SURE)
    if phase is not None:
        # Where a turn begins is not known; but relative to any scan start the cameras tell where the stamp lies.
        return phase.stamp_fraction(scan_start_azimuth_rad), Finding("cameras fire as the beam passes", LIKELY)
    if turn is not None and like is NUSCENES:
        # Nominally the beam stands at +110 degrees at the stamp; one just past the scan start belongs to the next turn.
        passed = (turn.scan_start_azimuth_rad - NUSCENES.scan_start_azimuth_rad) % (2 * np.pi) / (2 * np.pi)
        nominal = passed + 1.0 if passed < 0.5 else passed
        return nominal if turn.clockwise else 1.0, Finding("no cameras that its beam triggers", ASSUMED)
    return like.stamp_fraction, Finding("no cameras that its beam triggers", ASSUMED)


def _compensated(left: MotionLeft, like: LidarModel) -> tuple[bool, Finding]:
    if left.compensated is not None:
        return left.compensated, Finding(left.source, left.sureness)
    # Where nothing moves it is one and the same.
    return like.compensated, Finding(left.source, LIKELY if left.no_matter else ASSUMED)
