"""How a lidar turns, from cameras that fire as its beam passes their axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from densegt.datasets.scene import Camera, Sweep

_TURN = 2 * np.pi
# Cameras that do not agree within about 15 degrees are not triggered by the beam.
_COHERENT = 0.966
_CLEARLY = 0.1


@dataclass(frozen=True)
class CameraPhase:
    """Where the beam was, by the cameras.

    Attributes:
        beam_rad: its azimuth in ego at the lidar's stamp.
        before_s: how long before the stamp each camera fired, and axis_rad, where it looks; for all exposures.
    """

    clockwise: bool
    period_s: float
    beam_rad: float
    before_s: tuple[float, ...]
    axis_rad: tuple[float, ...]

    def stamp_fraction(self, scan_start_azimuth_rad: float) -> float:
        """Where in a turn that begins at the scan start the stamp lies: such that cameras fire within the turn."""
        way = -1 if self.clockwise else 1
        passed = (way * (self.beam_rad - scan_start_azimuth_rad)) % _TURN / _TURN
        of_axis = (way * (np.array(self.axis_rad) - scan_start_azimuth_rad)) % _TURN / _TURN
        expected = float(np.median(of_axis + np.array(self.before_s) / self.period_s))
        return float(passed + np.round(expected - passed))


def camera_phase(
    sweeps: Sequence[Sweep], cameras: Sequence[Camera], *, clockwise: Sequence[bool], periods_s: Sequence[float]
) -> CameraPhase | None:
    """The one of these directions and periods at which all cameras see one beam; None where none or several do.

    Args:
        sweeps: of one lidar.
        cameras: those of keyframes that have a sweep among them count.
    """
    stamps = {s.sample_token: s.timestamp_us for s in sweeps if s.is_keyframe}
    known = [c for c in cameras if c.sample_token in stamps]
    before_s = np.array([(stamps[c.sample_token] - c.timestamp_us) * 1e-6 for c in known])
    axis = np.array([np.arctan2(c.T_ego_cam[1, 2], c.T_ego_cam[0, 2]) for c in known])
    # Cameras that look the same way would agree on any direction and period.
    if len(known) < 3 or len(np.unique(np.round(axis, 1))) < 3:
        return None
    tried = []
    for way in clockwise:
        for period_s in periods_s:
            phase = np.exp(1j * (axis + (-1 if way else 1) * before_s / period_s * _TURN)).mean()
            tried.append((float(np.abs(phase)), way, period_s, float(np.angle(phase) % _TURN)))
    tried.sort(key=lambda one: -one[0])
    coherence, way, period_s, beam = tried[0]
    if coherence <= _COHERENT or (len(tried) > 1 and tried[1][0] > coherence - _CLEARLY):
        return None
    return CameraPhase(way, period_s, beam, tuple(before_s.tolist()), tuple(axis.tolist()))
