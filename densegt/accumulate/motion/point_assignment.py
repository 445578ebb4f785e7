"""Whose each point is: the standing world's, a moving object's with a label or found without, or nobody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.config import AccumulateConfig, DiscoverConfig
from densegt.accumulate.measurements import Measurements
from densegt.accumulate.motion.discovery.mover_detector import Discovery, find_movers
from densegt.accumulate.motion.free_space import find_transient
from densegt.accumulate.motion.points_in_boxes import (
    AMBIGUOUS,
    STATIC,
    SampledMotion,
    assign_to_boxes,
    near_boxes,
    points_in_box_frame,
)
from densegt.accumulate.motion.tracks import ContinuousTrack
from densegt.accumulate.surfels import Surfels

# Points that tell a share well enough.
ENOUGH = 2000
# Longer than so many times its width, and narrower than this, is the box of a fence, or of a side of something.
LONG, THIN_M = 4.0, 0.35


@dataclass(frozen=True)
class PointAssignment:
    """A scene's points shared out.

    Attributes:
        owner: (N,) index into `movers`, STATIC, or AMBIGUOUS for nobody.
        passing: (N,), static points that other sweeps refute.
        movers: each track with its surfels in its box's frame; the labelled ones, then those found.
    """

    owner: NDArray[np.int32]
    passing: NDArray[np.bool_]
    movers: tuple[tuple[ContinuousTrack, Surfels], ...]


def assign_points(
    measured: Measurements, tracks: Sequence[ContinuousTrack], config: AccumulateConfig
) -> PointAssignment:
    """Points in labelled boxes first; then what moves without a label, if free space is asked at all."""
    motion = SampledMotion.of(tracks, measured)
    owner = assign_to_boxes(measured, tracks, motion, config.tracks)
    owner[measured.mixed] = AMBIGUOUS
    movers = _carried(measured, tracks, motion, owner)
    passing = np.zeros(len(owner), dtype=np.bool_)
    if config.motion not in ("auto", "free"):
        return PointAssignment(owner, passing, movers)
    rows = np.flatnonzero(owner == STATIC)
    passing[rows] = find_transient(
        measured.images, measured.surfels.xyz[rows], measured.surfels.sweep[rows], config.free_space
    )
    beside = near_boxes(measured, passing, tracks, motion, config.tracks)
    found = find_movers(measured, (owner == STATIC) & ~beside, passing & ~beside, config)
    claimed, kept = _claim_found(measured, found, owner, passing, config)
    if len(kept) < len(found.tracks):
        found = found.take(kept)
        claimed, _ = _claim_found(measured, found, owner, passing, config)
    movers += _carried(measured, found.tracks, SampledMotion.of(found.tracks, measured), claimed)
    owner = np.where(claimed >= 0, claimed + len(tracks), np.where(claimed == AMBIGUOUS, AMBIGUOUS, owner))
    return PointAssignment(owner.astype(np.int32), passing & (owner == STATIC), movers)


def _claim_found(
    measured: Measurements,
    found: Discovery,
    owner: NDArray[np.int32],
    passing: NDArray[np.bool_],
    config: AccumulateConfig,
) -> tuple[NDArray[np.int32], list[int]]:
    """The found box that holds each point not yet owned (N,), and which of them explain what they hold.

    What a box holds and no sweep refutes may belong to the world that stands: it stays there if the box's motion
    would carry it through empty space. A box that holds much of that kind is none, and neither is one whose motion
    explains hardly more than standing would: a fence along which one looks seems to slide along itself.
    """
    claimed = assign_to_boxes(measured, found.tracks, SampledMotion.of(found.tracks, measured), config.tracks)
    claimed[owner != STATIC] = STATIC
    kept = []
    for k in range(len(found.tracks)):
        rows = np.flatnonzero(claimed == k)
        standing = rows[~passing[rows]]
        wrong = standing[found.refutes(k, measured.surfels.take(standing))]
        claimed[wrong] = STATIC
        fits = len(wrong) <= (1 - config.discover.explained_share) * len(rows)
        if fits and not _slides_along_itself(measured, found, k, rows, passing, config.discover):
            kept.append(k)
    return claimed, kept


def _slides_along_itself(
    measured: Measurements,
    found: Discovery,
    k: int,
    rows: NDArray[np.intp],
    passing: NDArray[np.bool_],
    config: DiscoverConfig,
) -> bool:
    """Whether a box may be a fence: sweeps refute only some of its points as standing, for it is seen through.

    A long thin box must be refuted nearly everywhere. Another must be refuted in most places, or its motion must leave
    hardly anything refuted; unless it is refuted nearly nowhere, like a long vehicle that creeps along itself.
    """
    gone = rows[passing[rows]]
    length, width, _ = found.tracks[k].size_lwh_m
    if length > LONG * width and width < THIN_M:
        return len(gone) < config.thin_gone_share * len(rows)
    if not config.hardly_gone_share * len(rows) < len(gone) < config.gone_share * len(rows):
        return False
    few = gone[:: len(gone) // ENOUGH + 1]
    return float(found.refutes(k, measured.surfels.take(few)).mean()) > config.left_share


def _carried(
    measured: Measurements, tracks: Sequence[ContinuousTrack], motion: SampledMotion, owner: NDArray[np.int32]
) -> tuple[tuple[ContinuousTrack, Surfels], ...]:
    return tuple(
        (track, points_in_box_frame(measured.surfels, np.flatnonzero(owner == k), motion, k))
        for k, track in enumerate(tracks)
    )
