"""Assignment of each point to the static world, to a moving object, annotated or detected, or to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig, DiscoverConfig
from densegt.accumulation.measurements import Measurements
from densegt.accumulation.motion.discovery.mover_detector import DetectedMovers, detect_movers
from densegt.accumulation.motion.free_space import find_transient
from densegt.accumulation.motion.points_in_boxes import (
    AMBIGUOUS,
    STATIC,
    SampledMotion,
    assign_to_boxes,
    near_boxes,
    points_in_box_frame,
)
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.motion.vote_fusion import VotedPoints, fused_transient
from densegt.accumulation.surfels import Surfels

# Points that a share is estimated from.
ENOUGH = 2000
# A box longer than so many times its width and narrower than this may be of a fence, or of one side of an object.
LONG, THIN_M = 4.0, 0.35


@dataclass(frozen=True)
class PointAssignment:
    """Assignment of a scene's points.

    Attributes:
        owner: (N,) int32 index into `movers`, STATIC, or AMBIGUOUS for points left out.
        transient: (N,) bool, static points that violate other sweeps' free space.
        movers: each track with its surfels in its box frame; the annotated ones, then those detected.
    """

    owner: NDArray[np.int32]
    transient: NDArray[np.bool_]
    movers: tuple[tuple[ContinuousTrack, Surfels], ...]


def assign_points(
    measured: Measurements, tracks: Sequence[ContinuousTrack], config: AccumulateConfig, *, threads: int = 1
) -> PointAssignment:
    """Points in annotated boxes first; then those of movers without annotation, where free space is used."""
    motion = SampledMotion.of(tracks, measured)
    owner = assign_to_boxes(measured, tracks, motion, config.tracks)
    owner[measured.mixed] = AMBIGUOUS
    movers = _carried(measured, tracks, motion, owner)
    transient = np.zeros(len(owner), dtype=np.bool_)
    if config.motion not in ("auto", "free"):
        return _without_blooming(PointAssignment(owner, transient, movers), measured)
    rows = np.flatnonzero(owner == STATIC)
    xyz, sweep = measured.surfels.xyz[rows], measured.surfels.sweep[rows]
    of = (measured.images, measured.moments, xyz, sweep)
    transient[rows] = find_transient(*of, config.free_space, threads=threads)
    if measured.moving is not None:
        seen = VotedPoints(xyz, sweep, transient[rows], measured.moving[rows], measured.images, measured.moments)
        transient[rows] = fused_transient(seen, config.free_space)
    beside = near_boxes(measured, transient, tracks, motion, config.tracks)
    detected = detect_movers(measured, (owner == STATIC) & ~beside, transient & ~beside, config)
    assigned, kept = _assign_to_detected(measured, detected, owner, transient, config)
    if len(kept) < len(detected.tracks):
        detected = detected.take(kept)
        assigned, _ = _assign_to_detected(measured, detected, owner, transient, config)
    movers += _carried(measured, detected.tracks, SampledMotion.of(detected.tracks, measured), assigned)
    inside = assigned >= 0
    owner[inside] = assigned[inside] + len(tracks)
    owner[assigned == AMBIGUOUS] = AMBIGUOUS
    return _without_blooming(PointAssignment(owner, transient & (owner == STATIC), movers), measured)


def _without_blooming(found: PointAssignment, measured: Measurements) -> PointAssignment:
    """Blooming of what stands still is left out; what moves is told from all its points, and keeps them."""
    found.owner[measured.bloomed & (found.owner == STATIC)] = AMBIGUOUS
    return replace(found, transient=found.transient & (found.owner == STATIC))


def _assign_to_detected(
    measured: Measurements,
    detected: DetectedMovers,
    owner: NDArray[np.int32],
    transient: NDArray[np.bool_],
    config: AccumulateConfig,
) -> tuple[NDArray[np.int32], list[int]]:
    """The detected box that holds each point not yet assigned (N,), and which boxes' motions explain their points.

    A point in a box that violates no free space may be static: it stays so if the box's motion would carry it through
    empty space. A box with many such points is dropped, and so is one whose motion explains hardly more than standing
    still would: a fence along which one looks seems to slide along itself.
    """
    assigned = assign_to_boxes(measured, detected.tracks, SampledMotion.of(detected.tracks, measured), config.tracks)
    assigned[owner != STATIC] = STATIC
    kept = []
    for k in range(len(detected.tracks)):
        rows = np.flatnonzero(assigned == k)
        static = rows[~transient[rows]]
        wrong = static[detected.contradicts(k, measured.surfels.take(static))]
        assigned[wrong] = STATIC
        fits = len(wrong) <= (1 - config.discover.explained_share) * len(rows)
        if fits and not _slides_along_itself(measured, detected, k, rows, transient, config.discover):
            kept.append(k)
    return assigned, kept


def _slides_along_itself(
    measured: Measurements,
    detected: DetectedMovers,
    k: int,
    rows: NDArray[np.intp],
    transient: NDArray[np.bool_],
    config: DiscoverConfig,
) -> bool:
    """Whether a box may be a fence: only some of its points violate free space, for beams pass between its bars.

    Of a long thin box nearly all points must be transient. Of another most must be, or its motion must leave hardly any
    in empty space; unless nearly none are, as of a long vehicle that creeps along itself.
    """
    violating = rows[transient[rows]]
    length, width, _ = detected.tracks[k].size_lwh_m
    if length > LONG * width and width < THIN_M:
        return len(violating) < config.thin_gone_share * len(rows)
    if not config.hardly_gone_share * len(rows) < len(violating) < config.gone_share * len(rows):
        return False
    few = violating[:: len(violating) // ENOUGH + 1]
    return float(detected.contradicts(k, measured.surfels.take(few)).mean()) > config.left_share


def _carried(
    measured: Measurements, tracks: Sequence[ContinuousTrack], motion: SampledMotion, owner: NDArray[np.int32]
) -> tuple[tuple[ContinuousTrack, Surfels], ...]:
    return tuple(
        (track, points_in_box_frame(measured.surfels, np.flatnonzero(owner == k), motion, k))
        for k, track in enumerate(tracks)
    )
