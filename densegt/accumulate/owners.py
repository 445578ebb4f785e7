"""Whose each point is: the standing world's, a moving object's with a label or found without, or nobody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.config import AccumulateConfig, DiscoverConfig
from densegt.accumulate.discover.find import Discovery, find_movers
from densegt.accumulate.freespace import transient
from densegt.accumulate.measure import Measured
from densegt.accumulate.movers import AMBIGUOUS, STATIC, SampledMotion, claim_points, into_box, near_boxes
from densegt.accumulate.patches import Patches
from densegt.accumulate.tracks import ContinuousTrack

# Points that tell a share well enough.
ENOUGH = 2000
# Longer than so many times its width, and narrower than this, is the box of a fence, or of a side of something.
LONG, THIN_M = 4.0, 0.35


@dataclass(frozen=True)
class Owners:
    """A scene's points shared out.

    Attributes:
        owner: (N,) index into `movers`, STATIC, or AMBIGUOUS for nobody.
        passing: (N,), static points that other sweeps refute.
        movers: each track with its patches in its box's frame; the labelled ones, then those found.
    """

    owner: NDArray[np.int32]
    passing: NDArray[np.bool_]
    movers: tuple[tuple[ContinuousTrack, Patches], ...]


def share_out(measured: Measured, tracks: Sequence[ContinuousTrack], config: AccumulateConfig) -> Owners:
    """Points in labelled boxes first; then what moves without a label, if free space is asked at all."""
    motion = SampledMotion.of(tracks, measured)
    owner = claim_points(measured, tracks, motion, config.tracks)
    owner[measured.mixed] = AMBIGUOUS
    movers = _carried(measured, tracks, motion, owner)
    passing = np.zeros(len(owner), dtype=np.bool_)
    if config.motion not in ("auto", "free"):
        return Owners(owner, passing, movers)
    rows = np.flatnonzero(owner == STATIC)
    passing[rows] = transient(
        measured.images, measured.patches.xyz[rows], measured.patches.sweep[rows], config.free_space
    )
    beside = near_boxes(measured, passing, tracks, motion, config.tracks)
    found = find_movers(measured, (owner == STATIC) & ~beside, passing & ~beside, config)
    claimed, kept = _claim_found(measured, found, owner, passing, config)
    if len(kept) < len(found.tracks):
        found = found.take(kept)
        claimed, _ = _claim_found(measured, found, owner, passing, config)
    movers += _carried(measured, found.tracks, SampledMotion.of(found.tracks, measured), claimed)
    owner = np.where(claimed >= 0, claimed + len(tracks), np.where(claimed == AMBIGUOUS, AMBIGUOUS, owner))
    return Owners(owner.astype(np.int32), passing & (owner == STATIC), movers)


def _claim_found(
    measured: Measured,
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
    claimed = claim_points(measured, found.tracks, SampledMotion.of(found.tracks, measured), config.tracks)
    claimed[owner != STATIC] = STATIC
    kept = []
    for k in range(len(found.tracks)):
        rows = np.flatnonzero(claimed == k)
        standing = rows[~passing[rows]]
        wrong = standing[found.refutes(k, measured.patches.take(standing))]
        claimed[wrong] = STATIC
        fits = len(wrong) <= (1 - config.discover.explained_share) * len(rows)
        if fits and not _slides_along_itself(measured, found, k, rows, passing, config.discover):
            kept.append(k)
    return claimed, kept


def _slides_along_itself(
    measured: Measured,
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
    return float(found.refutes(k, measured.patches.take(few)).mean()) > config.left_share


def _carried(
    measured: Measured, tracks: Sequence[ContinuousTrack], motion: SampledMotion, owner: NDArray[np.int32]
) -> tuple[tuple[ContinuousTrack, Patches], ...]:
    return tuple(
        (track, into_box(measured.patches, np.flatnonzero(owner == k), motion, k)) for k, track in enumerate(tracks)
    )
