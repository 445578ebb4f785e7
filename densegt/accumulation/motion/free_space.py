"""Free space without labels: what another sweep's beams passed through was not there for good."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import FreeSpaceConfig
from densegt.accumulation.moments import Moments
from densegt.accumulation.ordered_threads import ordered_map
from densegt.accumulation.surfels import Surfels
from densegt.kernels.free_space import free_space_votes
from densegt.kernels.free_space_violations import free_space_violations, free_space_violations_now
from densegt.kernels.range_images import Margin, RangeImages

Float32 = NDArray[np.float32]
Votes = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def _margin(config: FreeSpaceConfig) -> Margin:
    return Margin(config.margin_m, config.margin_relative)


def votes(
    images: RangeImages, xyz: Float32, row: NDArray[np.int32], asked: NDArray[np.int64], config: FreeSpaceConfig
) -> Votes:
    """For places (N,3): how many of the asked sweeps' beams passed through them, and how many met them.

    Args:
        row: (N,) of `asked` for each place.
        asked: (M,K) sweeps, -1 for none.
    """
    passed, met = np.empty(len(xyz), dtype=np.uint8), np.empty(len(xyz), dtype=np.uint8)
    free_space_votes(np.ascontiguousarray(xyz), row, asked, images, _margin(config), passed, met)
    return passed, met


def votes_of_sweep(images: RangeImages, xyz: Float32, sweep: NDArray[np.int32], config: FreeSpaceConfig) -> Votes:
    """For places (N,3): whether one sweep's beams passed through each, and whether they met it; 0 or 1.

    Args:
        sweep: (N,) which sweep to ask for each place.
    """
    return votes(images, xyz, sweep, np.arange(len(images.origin))[:, None], config)


def votes_of_sweeps(images: RangeImages, xyz: Float32, asked: Sequence[int], config: FreeSpaceConfig) -> Votes:
    """For places (N,3): how many of the same few sweeps passed through them, and how many met them."""
    return votes(images, xyz, np.zeros(len(xyz), dtype=np.int32), np.array([asked], dtype=np.int64), config)


def violates_free_space_now(
    images: RangeImages, surfels: Surfels, rows: NDArray[np.int32], asked: Sequence[int], config: FreeSpaceConfig
) -> NDArray[np.bool_]:
    """Which surfels (M,) named by `rows` are not there at an exposure, or unseen, by the sweeps `asked` about it.

    Not there is what most of them looked through. Unseen, as behind glass, is what none of its own lidar's got any
    answer from, though they look there: what answered once from some range would answer again from about as far, and
    all things do within `max_answer_m`.
    """
    passed, silent = np.empty(len(rows), dtype=np.uint8), np.empty(len(rows), dtype=np.bool_)
    free_space_violations_now(
        surfels.xyz,
        surfels.sweep,
        rows,
        np.array(asked, dtype=np.int64),
        images,
        _margin(config),
        config.max_answer_m,
        float(np.deg2rad(config.min_elevation_deg)),
        passed,
        silent,
    )
    maybe = np.flatnonzero(passed >= min(config.min_passed, len(asked)))
    passed_now, met = votes_of_sweeps(images, surfels.xyz[rows[maybe]], asked, config)
    silent[maybe] |= passed_now > met
    return silent


def beam_time(images: RangeImages, sweep: int, xyz: NDArray[np.float64]) -> float:
    """When a sweep's beam passes over a place (3,) m in global minus origin, s relative to the stamp."""
    return float(beam_times(images, sweep, xyz[None])[0])


def beam_times(images: RangeImages, sweep: int, xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """When a sweep's beams pass over places (N,3) m in global minus origin, s (N,) relative to the stamp."""
    x, y, _ = images.R_lidar_global[sweep] @ (xyz - images.origin[sweep]).T
    sign, scan_start, stamp_fraction, period_s = images.clock[images.lidar[sweep]]
    turns = sign * (np.arctan2(y, x) - scan_start) / (2 * np.pi)
    out: NDArray[np.float64] = (turns % 1.0 - stamp_fraction) * period_s
    return out


def find_transient(
    images: RangeImages,
    moments: Moments,
    xyz: Float32,
    sweep: NDArray[np.int32],
    config: FreeSpaceConfig,
    *,
    threads: int = 1,
) -> NDArray[np.bool_]:
    """Which static places (N,3), each measured by a sweep (N,), sorted, violate the free space of other sweeps."""
    asked = moments.about(config.sweeps)
    passed = np.empty(len(xyz), dtype=np.uint8)
    pieces = [slice(a, b) for a, b in pairwise(np.linspace(0, len(xyz), threads + 1).astype(int).tolist())]

    def count(piece: slice) -> None:
        free_space_violations(xyz[piece], sweep[piece], asked, images, _margin(config), passed[piece])

    for _ in ordered_map(count, pieces, threads):
        pass
    # Few are passed often enough; only these are asked how often they were met.
    rows = np.flatnonzero(passed >= config.min_passed)
    through, met = votes(images, xyz[rows], sweep[rows], asked, config)
    out = np.zeros(len(xyz), dtype=np.bool_)
    out[rows] = (through >= config.min_passed) & (through > config.passed_share * (through.astype(np.int64) + met))
    return out
