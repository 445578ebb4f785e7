"""Whether a recording is compensated, from the motion that is left in its points; and which way the lidar turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.infer_lidar_model.choose_sweeps import choose_sweeps
from densegt.datasets.infer_lidar_model.evidence import Sureness
from densegt.datasets.infer_lidar_model.point_order import azimuth_in_ego
from densegt.datasets.infer_lidar_model.sweep_agreement import (
    SweepAgreement,
    steep_surfaces,
    sweep_agreement,
    twist_at,
)
from densegt.datasets.scene import Points, Sweep

# Less than this within a turn, in m (at 20 m aside where it turns), is no motion.
_STILL_M = 0.02
_ASIDE_M = 20.0
# Standard errors from the nearer bound at which a share is likely, and sure; the error itself is no surer than this.
_LIKELY, _SURE, _LEAST_SIGMA = 2.0, 4.0, 0.02
_MOST_SHARE = 1.4
# Scan starts that are tried; another than the assumed one is taken where the misfit is this much of its.
SCAN_STARTS, _BETTER = 12, 0.97


@dataclass(frozen=True)
class MotionLeft:
    """What the motion that is left says.

    Attributes:
        compensated: None where it cannot be told.
        clockwise: where it is told, and was not known.
        period_s: where it is told that a turn takes half the time between sweeps.
        scan_start_azimuth_rad: where sweeps agree at another scan start than the one assumed, within half a step
            between those tried.
        no_matter: the ego does not move, so points are the same either way.
    """

    compensated: bool | None
    source: str
    sureness: Sureness = Sureness.ASSUMED
    clockwise: bool | None = None
    period_s: float | None = None
    scan_start_azimuth_rad: float | None = None
    no_matter: bool = False


def motion_left(
    sweeps: Sequence[Sweep],
    points: Mapping[str, Points],
    *,
    clockwise: bool | None,
    period_s: float,
    scan_start_azimuth_rad: float,
    period_known: bool,
    scan_start_known: bool,
) -> MotionLeft:
    """What sweeps that were measured from different places say.

    Args:
        points: by token of sweep; groups of sweeps of which one is missing are left out.
        clockwise: None where the direction is to be told too.
        period_known: else a turn may take half of period_s.
        scan_start_known: else others than scan_start_azimuth_rad are tried too.
    """
    if len(sweeps) < 2:
        return MotionLeft(None, "there is but one sweep", no_matter=True)
    if max(_moved_m(sweeps, i, period_s) for i in range(len(sweeps))) < _STILL_M:
        return MotionLeft(None, "the ego stands still", no_matter=True)
    groups = [g for g in choose_sweeps(sweeps) if all(sweeps[i].token in points for i in g)]
    if not groups:
        return MotionLeft(None, "no sweeps to compare")
    mine = [(points[sweeps[i].token], sweeps[i]) for group in groups for i in group]
    surfaces = steep_surfaces(sweeps, groups, [p for p, _ in mine])
    # With an unknown period a share of one half may be all the motion of half the time.
    bound = 0.5 if period_known else 0.25

    def agreement(scan_start_azimuth_rad: float) -> SweepAgreement | None:
        return sweep_agreement(
            surfaces, groups, [_times(p, s, scan_start_azimuth_rad, period_s, clockwise) for p, s in mine]
        )

    found, agreed = scan_start_azimuth_rad, agreement(scan_start_azimuth_rad)
    if not scan_start_known and agreed is not None and not _surely_compensated(agreed, bound):
        # At a wrong scan start part of each sweep is a whole turn's way off, and less agrees.
        for other_rad in scan_start_azimuth_rad + np.arange(1, SCAN_STARTS) * (2 * np.pi / SCAN_STARTS):
            other = agreement(float(other_rad))
            if other is None or _errors(other, bound, clockwise) < _SURE:
                continue
            if other.misfit_m < (_BETTER if found == scan_start_azimuth_rad else 1.0) * agreed.misfit_m:
                found, agreed = float(other_rad % (2 * np.pi)), other
    if agreed is None:
        return MotionLeft(None, "sweeps show too few surfaces in common")
    told = _told(agreed, bound, period_s, period_known=period_known, clockwise=clockwise)
    return (
        replace(told, scan_start_azimuth_rad=found)
        if found != scan_start_azimuth_rad and told.compensated is False
        else told
    )


def _errors(agreed: SweepAgreement, bound: float, clockwise: bool | None) -> float:
    """How many standard errors a share lies from the bound between compensated and not."""
    size = agreed.share if clockwise is not None else abs(agreed.share)
    return abs(size - bound) / max(agreed.sigma, _LEAST_SIGMA)


def _surely_compensated(agreed: SweepAgreement, bound: float) -> bool:
    return bound - abs(agreed.share) >= _SURE * max(agreed.sigma, _LEAST_SIGMA)


def _told(
    agreed: SweepAgreement, bound: float, period_s: float, *, period_known: bool, clockwise: bool | None
) -> MotionLeft:
    share, sigma = agreed.share, max(agreed.sigma, _LEAST_SIGMA)
    size = share if clockwise is not None else abs(share)
    errors = _errors(agreed, bound, clockwise)
    said = f"{100 * share:.0f} +- {100 * sigma:.0f} % of the motion is left"
    if errors < _LIKELY or abs(share) > _MOST_SHARE or size < -bound:
        return MotionLeft(None, f"sweeps agree alike either way: {said}")
    compensated = size < bound
    halved = not compensated and not period_known and abs(size - 0.5) + 4 * sigma < 0.25
    return MotionLeft(
        compensated,
        f"sweeps agree: {said}",
        Sureness.SURE if errors >= _SURE else Sureness.LIKELY,
        clockwise=None if compensated or clockwise is not None else share < 0,
        period_s=period_s / 2 if halved else None,
    )


def _moved_m(sweeps: Sequence[Sweep], index: int, period_s: float) -> float:
    velocity, turn = twist_at(sweeps, index)
    return period_s * float(np.linalg.norm(velocity) + _ASIDE_M * np.linalg.norm(turn))


def _times(
    points: Points, sweep: Sweep, scan_start_azimuth_rad: float, period_s: float, clockwise: bool | None
) -> NDArray[np.float64]:
    """Time of each point (N,) s relative to the middle of the turn; as if counter-clockwise where that is unknown."""
    if points.time_s is not None:
        times_s: NDArray[np.float64] = points.time_s.astype(np.float64)
        return times_s - float(times_s.min(initial=0) + times_s.max(initial=0)) / 2
    passed = ((azimuth_in_ego(points.xyz_lidar, sweep.T_ego_lidar) - scan_start_azimuth_rad) % (2 * np.pi)) / (
        2 * np.pi
    )
    middle: NDArray[np.float64] = (passed - 0.5) * period_s
    return -middle if clockwise else middle
