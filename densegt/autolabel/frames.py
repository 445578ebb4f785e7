"""Frames in which an object stands still, and what beams say of places in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.free_space import beam_times, votes_of_sweeps
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.autolabel.evidence import SceneEvidence
from densegt.geometry import se3

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

# Sweeps that are asked about what moves.
ASKED_MOVING = 16


class Frame(Protocol):
    """A frame in which an object stands still; heights count from the ground."""

    def votes(self, xyh: Float64) -> tuple[Int64, Int64]:
        """How many sweeps looked through places (N,3) m of the frame, and how many met a surface there."""


@dataclass(frozen=True)
class StandingFrame:
    """Global axes about a place.

    Attributes:
        origin: (2,) m in global minus the scene's origin.
    """

    evidence: SceneEvidence
    origin: Float64

    def votes(self, xyh: Float64) -> tuple[Int64, Int64]:
        """See `Frame`."""
        places = xyh + np.array([*self.origin, 0.0])
        return self.evidence.votes(places, self.evidence.asked_about(self.origin))


@dataclass(frozen=True)
class MovingFrame:
    """The frame of a track's box, with heights from its base; each beam is asked where it was when it passed."""

    evidence: SceneEvidence
    track: ContinuousTrack

    def votes(self, xyh: Float64) -> tuple[Int64, Int64]:
        """See `Frame`."""
        passed, met = np.zeros(len(xyh), dtype=np.int64), np.zeros(len(xyh), dtype=np.int64)
        for k in self._asked():
            xyz = self.places_at(xyh, k)
            through, on = votes_of_sweeps(self.evidence.measured.images, xyz, [k], self.evidence.config.free_space)
            passed += through
            met += on
        return passed, met

    def places_at(self, xyh: Float64, sweep: int) -> NDArray[np.float32]:
        """Places (N,3) in global minus origin at the times at which a sweep's beams pass over them."""
        measured = self.evidence.measured
        stamp_us = self.evidence.scene.sweeps[sweep].timestamp_us
        local = xyh - np.array([0.0, 0.0, self.track.size_lwh_m[2] / 2])
        at_us = measured.start_us + measured.middle_s[sweep] * 1e6
        # Where it is in the middle of the turn tells when the beam passes well enough for one more step.
        for _ in range(2):
            T = self._poses(np.array([at_us]))[0]
            at_us = stamp_us + 1e6 * float(beam_times(measured.images, sweep, T[None, :3, 3])[0])
        T, velocity = self._poses(np.array([at_us]))[0], self._velocity(at_us)
        xyz = se3.apply(T, local)
        later_s = beam_times(measured.images, sweep, xyz) - (at_us - stamp_us) * 1e-6
        # Beside the seam of a turn the other side is a whole turn away: no beam passes there at both times.
        later_s[np.abs(later_s) > 0.02] = 0.0
        out: NDArray[np.float32] = (xyz + later_s[:, None] * velocity).astype(np.float32)
        return out

    def _asked(self) -> list[int]:
        measured = self.evidence.measured
        known = self.track.known_at(measured.start_us + measured.middle_s * 1e6) & measured.images.read
        rows = np.flatnonzero(known)
        return [int(k) for k in rows[np.unique(np.linspace(0, len(rows) - 1, ASKED_MOVING).round().astype(int))]]

    def _poses(self, t_us: Float64) -> Float64:
        T = self.track.poses_at(t_us)
        T[:, :3, 3] -= self.evidence.measured.origin_global_m
        return T

    def _velocity(self, at_us: float) -> Float64:
        before, after = self._poses(np.array([at_us - 5e3, at_us + 5e3]))[:, :3, 3]
        out: Float64 = (after - before) / 0.01
        return out
