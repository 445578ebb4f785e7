"""Terrain: a bent, hilly road with camber, kerbs, a cross-street, driveways and a bump, as heights over the plane."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from densegt.geometry.se3 import from_yaw
from densegt.simulate.ranges import Ranges

Float64 = NDArray[np.float64]

BEHIND_M, AHEAD_M = 130.0, 170.0
"""The road goes on this far behind the start and ahead of the end of the drive."""

KERB_RAMP_M = 0.03
STEP_M = 0.5


@dataclass(frozen=True)
class Section:
    """The road's cross-section, in m from its middle.

    Attributes:
        half_width: of the road with its parking lanes; lane: width; lanes: per direction; walk: width of a pavement.
        kerb: height; camber: fall per metre; right: 1 where traffic keeps right, -1 where left.
    """

    half_width: float
    lane: float
    lanes: int
    walk: float
    kerb: float
    camber: float
    right: int


@dataclass(frozen=True)
class Deck:
    """What crosses over the road; from `begin_s` to `end_s` it covers the road at `clearance` m.

    Attributes:
        walls: an underpass, walled on both sides, instead of a bridge on pillars.
    """

    begin_s: float
    end_s: float
    clearance: float
    walls: bool


@dataclass(frozen=True)
class Terrain:
    """Heights and places along a road; a place is (s, d): s along the middle, d to the left.

    Attributes:
        s: (N,) every 0.5 m, 0 where the drive begins; xy: (N,2); heading: (N,) rad; level: (N,) height of the middle.
        cross_s, cross_half: the cross-street's middle and half its width.
        driveways: (D,2) s and half width of lowered kerbs; bump_s: middle of a speed bump, NaN = none.
        deck: a bridge or an underpass, if there is one.
        waves: (W,4) amplitude, kx, ky, phase of roughness; hills: the same for the land beside the road.
    """

    section: Section
    s: Float64
    xy: Float64
    heading: Float64
    level: Float64
    cross_s: float
    cross_half: float
    driveways: Float64
    bump_s: float
    deck: Deck | None
    waves: Float64
    hills: Float64

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.xy)

    def along(self, xy: Float64) -> Float64:
        """(s, d) (N,2) of points (N,2)."""
        _, i = self._tree.query(xy)
        heading = self.heading[i]
        away = xy - self.xy[i]
        ahead = away[:, 0] * np.cos(heading) + away[:, 1] * np.sin(heading)
        left = away[:, 1] * np.cos(heading) - away[:, 0] * np.sin(heading)
        inside = (i > 0) & (i < len(self.s) - 1)
        step = np.where(inside, np.clip(ahead, -STEP_M, STEP_M), ahead)
        return np.column_stack([self.s[i] + step, left])

    def places(self, s: Float64, d: Float64) -> Float64:
        """(x, y) (N,2) of places."""
        x, y = np.interp(s, self.s, self.xy[:, 0]), np.interp(s, self.s, self.xy[:, 1])
        heading = np.interp(s, self.s, self.heading)
        beyond = np.maximum(s - self.s[-1], 0) + np.minimum(s - self.s[0], 0)
        c, n = np.cos(heading), np.sin(heading)
        return np.stack([x + beyond * c - d * n, y + beyond * n + d * c], axis=-1)

    def heading_at(self, s: float) -> float:
        """Yaw of the road at s."""
        return float(np.interp(s, self.s, self.heading))

    def sky_seen(self, xyz: NDArray[np.float32]) -> NDArray[np.float32] | float:
        """Share (N,) of the sky's light that a deck leaves to points (N,3)."""
        if self.deck is None:
            return 1.0
        T = self.pose((self.deck.begin_s + self.deck.end_s) / 2, 0.0).astype(np.float32)
        half, seen = (self.deck.end_s - self.deck.begin_s) / 2, np.ones(len(xyz), dtype=np.float32)
        near = np.flatnonzero(np.abs((xyz - T[:3, 3]) @ T[:3, 0]) < half + 15)
        x, y, z = ((xyz[near] - T[:3, 3]) @ T[:3, :3]).T
        wide = self.section.half_width + self.section.walk + 3.0 if self.deck.walls else 60.0
        ends, below = np.stack([half - x, half + x]), np.maximum(self.deck.clearance - z, 0.1)
        covered = (ends / np.hypot(ends, below)).sum(axis=0) / 2  # of light that falls as a cosine, between the ends
        inside = (z < self.deck.clearance + 0.2) & (np.abs(y) < wide)
        seen[near] = np.where(inside, 1 - 0.85 * covered, 1)
        return seen

    def pose(self, s: float, d: float, turn_rad: float = 0.0) -> Float64:
        """T_world_local (4,4) of something upright on the ground at a place, x along the road, turned."""
        xy = self.places(np.array([s]), np.array([d]))
        z = self.heights(xy, ramp_m=KERB_RAMP_M)[0]
        return from_yaw(self.heading_at(s) + turn_rad, [xy[0, 0], xy[0, 1], z])

    def heights(self, xy: Float64, *, ramp_m: float) -> Float64:
        """Heights (N,) of points (N,2); kerbs rise over `ramp_m`."""
        place = self.along(np.asarray(xy, dtype=np.float64))
        return self.heights_of(place, np.asarray(xy, dtype=np.float64), ramp_m)

    def heights_of(self, place: Float64, xy: Float64, ramp_m: float) -> Float64:
        """Heights (N,) of places (N,2) whose (x, y) are known."""
        s, d = place[:, 0], np.abs(place[:, 1])
        section = self.section
        into = np.minimum(d - section.half_width, np.abs(s - self.cross_s) - self.cross_half)
        z = np.interp(s, self.s, self.level) - section.camber * np.minimum(d, section.half_width)
        notch = np.ones_like(s)
        for middle, half in self.driveways:
            notch = np.minimum(notch, np.clip((np.abs(s - middle) - half) / 0.8, 0.15, 1))
        z = z + section.kerb * notch * np.clip(into / ramp_m, 0, 1)
        z = z + 0.02 * np.clip(into, 0, section.walk)
        if np.isfinite(self.bump_s):
            u = np.clip((s - self.bump_s) / 1.9, -1, 1)
            z = z + np.where(d < section.half_width, 0.09 * np.cos(np.pi * u / 2) ** 2, 0.0)
        land = np.clip((d - section.half_width - section.walk - 4.0) / 40.0, 0, 1)
        z = z + _sum_of_waves(xy, self.waves)
        out: Float64 = z + land * land * (3 - 2 * land) * _sum_of_waves(xy, self.hills)
        return out


def _sum_of_waves(xy: Float64, waves: Float64) -> Float64:
    total = np.zeros(len(xy))
    for a, kx, ky, phase in waves:
        total += a * np.sin(kx * xy[:, 0] + ky * xy[:, 1] + phase)
    return total


def make_terrain(rng: np.random.Generator, ranges: Ranges, reach_m: float) -> Terrain:
    """Draw a road in which the ego drives at most `reach_m` from s = 0."""
    s = np.arange(-BEHIND_M, reach_m + AHEAD_M, STEP_M)
    heading = _heading(rng, ranges, s)
    xy = np.cumsum(np.column_stack([np.cos(heading), np.sin(heading)]) * STEP_M, axis=0)
    start = int(np.searchsorted(s, 0.0))
    cross_s, cross_half = float(rng.uniform(22, 60)), float(rng.uniform(3.6, 6.5))
    deck = _deck(rng, ranges, cross_s)
    lowered = np.column_stack([rng.uniform(s[0], s[-1], 10), rng.uniform(1.5, 2.5, 10)])
    at_zebras = [[cross_s + a * (cross_half + 3.5), 1.5] for a in (-1, 1)]
    return Terrain(
        section=_section(rng, ranges),
        s=s,
        xy=xy - xy[start],
        heading=heading,
        level=_level(rng, ranges, s) - _dip(deck, s),
        cross_s=cross_s,
        cross_half=cross_half,
        driveways=np.concatenate([lowered, at_zebras]),
        bump_s=float(rng.uniform(-20, reach_m + 40)) if rng.random() < 0.3 else float("nan"),
        deck=deck,
        waves=_waves(rng, ((0.06, 23.0), (0.018, 7.0), (0.008, 3.1))),
        hills=_waves(rng, ((ranges.draw(rng, "land_hills_m"), 90.0), (0.5, 31.0), (0.12, 9.0))),
    )


def _deck(rng: np.random.Generator, ranges: Ranges, cross_s: float) -> Deck | None:
    """What crosses over the road, away from the cross-street."""
    kind = ranges.choose(rng, "over_the_road")
    length, away = ranges.draw(rng, "underpass_m") if kind == "underpass" else 9.0, float(rng.uniform(16, 45))
    clearance = float(rng.uniform(4.4, 5.4))
    if kind not in ("bridge", "underpass"):
        return None
    begin = cross_s + away if rng.random() < 0.7 else cross_s - away - length
    return Deck(begin, begin + length, clearance, kind == "underpass")


def _dip(deck: Deck | None, s: Float64) -> Float64:
    """How far the road goes down (N,) to an underpass."""
    if deck is None or not deck.walls:
        return np.zeros_like(s)
    away = np.maximum(np.abs(s - (deck.begin_s + deck.end_s) / 2) - (deck.end_s - deck.begin_s) / 2, 0)
    out: Float64 = 1.8 * np.exp(-((away / 22.0) ** 2))
    return out


def _section(rng: np.random.Generator, ranges: Ranges) -> Section:
    lanes = int(rng.integers(1, 3))
    lane = float(rng.uniform(3.1, 3.7))
    return Section(
        half_width=lanes * lane + float(rng.uniform(2.1, 2.6)),
        lane=lane,
        lanes=lanes,
        walk=float(rng.uniform(2.6, 4.5)),
        kerb=ranges.draw(rng, "kerb_m"),
        camber=ranges.draw(rng, "camber"),
        right=1 if rng.random() < 0.7 else -1,
    )


def _heading(rng: np.random.Generator, ranges: Ranges, s: Float64) -> Float64:
    """Bends that come and go; their sharpest radius is drawn."""
    curvature = np.zeros_like(s)
    for middle in np.arange(s[0] + 20, s[-1], 75.0):
        sharp = rng.choice([-1, 1]) / ranges.draw(rng, "bend_radius_m")
        curvature += sharp * np.exp(-(((s - middle - rng.uniform(-15, 15)) / 22.0) ** 2))
    turned = np.cumsum(curvature) * STEP_M
    heading: Float64 = turned - turned[int(np.searchsorted(s, 0.0))]
    return heading


def _level(rng: np.random.Generator, ranges: Ranges, s: Float64) -> Float64:
    """Height of the road's middle: a slope, long hills and one crest."""
    z = ranges.draw(rng, "slope") * s * rng.choice([-1, 1])
    z += ranges.draw(rng, "hills_m") * np.sin(2 * np.pi * s / rng.uniform(140, 260) + rng.uniform(0, 2 * np.pi))
    crest = rng.uniform(10, 90)
    z += ranges.draw(rng, "crest_m") * np.exp(-(((s - crest) / rng.uniform(18, 35)) ** 2))
    out: Float64 = z
    return out


def _waves(rng: np.random.Generator, kinds: tuple[tuple[float, float], ...]) -> Float64:
    """(W,4) waves of amplitude and length in m, in any direction."""
    rows = []
    for amplitude, length in kinds:
        way, k = rng.uniform(0, np.pi), 2 * np.pi / (length * rng.uniform(0.8, 1.25))
        rows.append([amplitude * rng.uniform(0.5, 1), k * np.cos(way), k * np.sin(way), rng.uniform(0, 2 * np.pi)])
    return np.array(rows)
