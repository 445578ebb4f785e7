"""Layout: what stands where along a road."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.meshes.mesh import Mesh, join, moved
from densegt.simulate.ranges import Ranges
from densegt.simulate.street import furniture as f
from densegt.simulate.street.buildings import building
from densegt.simulate.street.ground_mesh import ground_mesh
from densegt.simulate.street.plants import bush, grass, hedge, tree
from densegt.simulate.street.terrain import KERB_RAMP_M, Deck, Terrain

Float64 = NDArray[np.float64]


class _Site:
    """A street that is being furnished: meshes, and circles (x, y, radius) of what traffic must miss."""

    def __init__(self, rng: np.random.Generator, ranges: Ranges, terrain: Terrain) -> None:
        self.rng, self.ranges, self.terrain = rng, ranges, terrain
        self.meshes: list[Mesh] = []
        self.circles: list[list[float]] = []

    def put(self, mesh: Mesh, s: float, d: float, turn_rad: float = 0.0, *, radius: float = 0.0) -> None:
        """Set a mesh upright on the ground."""
        T = self.terrain.pose(s, d, turn_rad)
        self.meshes.append(moved(mesh, T))
        if radius:
            self.circles.append([T[0, 3], T[1, 3], radius])

    def is_clear(self, s: float, margin_m: float) -> bool:
        """Whether the cross-street and what crosses over the road are farther than that."""
        deck = self.terrain.deck
        beside = deck is None or not deck.begin_s - margin_m < s < deck.end_s + margin_m
        return beside and abs(s - self.terrain.cross_s) > self.terrain.cross_half + margin_m


def furnish(rng: np.random.Generator, ranges: Ranges, terrain: Terrain) -> tuple[Mesh, Float64]:
    """Ground and all fixtures as one mesh, and circles (N,3) of what traffic must miss."""
    site = _Site(rng, ranges, terrain)
    site.meshes.append(ground_mesh(terrain))
    for side in (-1, 1):
        _plots(site, side)
        _lamps(site, side)
        _signs(site, side)
        _trees(site, side)
        _small_things(site, side)
    _wires(site)
    _over_the_road(site)
    _far_ends(site)
    return join(site.meshes), np.array(site.circles).reshape(-1, 3)


def _plots(site: _Site, side: int) -> None:
    """Houses, gardens and parks one after the other."""
    rng, terrain = site.rng, site.terrain
    share, setback = site.ranges.draw(rng, "house_share"), site.ranges.choose(rng, "setback")
    near_m, far_m = {"street": (0.1, 1.5), "gardens": (3.0, 11.0), "open": (12.0, 38.0)}[setback]
    low_rise = bool(rng.random() < 0.4)
    s = float(terrain.s[0]) + 15
    while s < terrain.s[-1] - 30:
        length = float(rng.uniform(9, 24))
        if not site.is_clear(s + length / 2, length / 2 + terrain.section.walk):
            s += 1.5
            continue
        drives = terrain.driveways[np.abs(terrain.driveways[:, 0] - s - length / 2) < 4.0, 0]
        if len(drives) and length > 12 and rng.random() < 0.5:
            mesh = f.parking_deck(length, float(rng.uniform(2.2, 3.0)))
            site.put(mesh, float(drives[0]), side * _edge(site), 0.0 if side > 0 else np.pi)
        elif rng.random() < share:
            storeys = int(rng.integers(1, 4) if low_rise else rng.integers(2, 8))
            back = float(rng.uniform(near_m, far_m) if rng.random() < 0.8 else rng.uniform(0.1, 11))
            _house(site, s, length, side, storeys, back)
            if 3 < back < 12 or (back >= 12 and rng.random() < 0.3):
                _front_garden(site, s, length, side)
            elif back >= 12:
                _lawn(site, s, length, side, back)
        else:
            _garden(site, s, length, side)
        s += length + float(rng.choice([0.1, 0.3, 3.0, 6.0]))


def _edge(site: _Site) -> float:
    """Where the plots begin."""
    return site.terrain.section.half_width + site.terrain.section.walk


def _house(site: _Site, s: float, length: float, side: int, storeys: int, back_m: float) -> None:
    mesh = building(site.rng, length, float(site.rng.uniform(9, 14)), storeys)
    start = s if side > 0 else s + length
    bend = 0.5 * length * abs(site.terrain.heading_at(s + length) - site.terrain.heading_at(s))
    T = site.terrain.pose(s + length / 2, side * (_edge(site) + back_m + bend))
    turn = site.terrain.pose(s + length / 2, 0.0, 0.0 if side > 0 else np.pi)
    T[:3, :3] = turn[:3, :3]
    T[:2, 3] -= T[:2, 0] * length / 2
    T[2, 3] = min(site.terrain.pose(start, side * _edge(site))[2, 3], T[2, 3]) + 0.02
    site.meshes.append(moved(mesh, T))


def _along(site: _Site, mesh_of_length: Mesh, s: float, d: float, side: int, length: float) -> None:
    """Something along x from 0 to its length, its front to the road."""
    site.put(mesh_of_length, s if side > 0 else s + length, d, 0.0 if side > 0 else np.pi)


def _front_garden(site: _Site, s: float, length: float, side: int) -> None:
    kind = int(site.rng.integers(4))
    gap = float(site.rng.uniform(1.2, 3.0))
    for start, piece in ((s, (length - gap) * 0.6), (s + (length - gap) * 0.6 + gap, (length - gap) * 0.4)):
        steps = max(int(piece / 4), 1)
        for k in range(steps):
            _along(
                site,
                _boundary(site, kind, piece / steps),
                start + k * piece / steps,
                side * (_edge(site) + 0.2),
                side,
                piece / steps,
            )


def _boundary(site: _Site, kind: int, length: float) -> Mesh:
    height = 1.2
    if kind == 0:
        return f.bar_fence(length, height)
    if kind == 1:
        return f.wall(length, 0.9)
    if kind == 2:
        return hedge(site.rng, length, height, 0.7)
    return f.wooden_fence(length, height)


def _garden(site: _Site, s: float, length: float, side: int) -> None:
    """A park, a playground behind wire, or a garden."""
    rng, edge = site.rng, _edge(site)
    kind = int(rng.integers(6))
    steps = max(int(length / 4), 1)
    for k in range(steps):
        piece, start = length / steps, s + k * length / steps
        if kind < 4:
            _along(site, _boundary(site, kind, piece), start, side * (edge + 0.2), side, piece)
        elif kind == 4:
            _along(site, f.mesh_fence(piece, 2.4), start, side * (edge + 0.2), side, piece)
    for _ in range(int(rng.integers(1, 4))):
        site.put(bush(rng), s + rng.uniform(1, length - 1), side * (edge + rng.uniform(1.5, 7)))
    for _ in range(int(rng.integers(0, 3))):
        site.put(tree(rng), s + rng.uniform(1, length - 1), side * (edge + rng.uniform(2.5, 9)))
    _grass(site, s, length, side)
    if rng.random() < 0.5:
        _house(site, s, length, side, int(rng.integers(1, 4)), float(rng.uniform(12, 18)))


def _grass(site: _Site, s: float, length: float, side: int) -> None:
    rng, count = site.rng, int(120 * length)
    place = np.column_stack([rng.uniform(s, s + length, count), side * (_edge(site) + rng.uniform(0.2, 9, count))])
    xy = site.terrain.places(place[:, 0], place[:, 1])
    feet = np.column_stack([xy, site.terrain.heights_of(place, xy, KERB_RAMP_M)])
    site.meshes.append(grass(rng, feet, float(rng.uniform(0.06, 0.3))))


def _lawn(site: _Site, s: float, length: float, side: int, depth_m: float) -> None:
    """Open ground before a house that stands far back."""
    rng = site.rng
    _grass(site, s, length, side)
    for _ in range(int(rng.integers(0, 3))):
        plant = bush(rng) if rng.random() < 0.6 else tree(rng)
        site.put(plant, s + rng.uniform(1, length - 1), side * (_edge(site) + rng.uniform(1.5, depth_m - 3)))


def _rows(site: _Site, step: float, margin_m: float) -> Float64:
    s = np.arange(site.terrain.s[0] + 10 + site.rng.uniform(0, step), site.terrain.s[-1] - 10, step)
    return s[[site.is_clear(float(x), margin_m) for x in s]]


def _lamps(site: _Site, side: int) -> None:
    post = f.lamp_post(site.rng)
    for s in _rows(site, float(site.rng.uniform(22, 34)), 1.0):
        site.put(
            post, float(s), side * (site.terrain.section.half_width + 0.55), 0.0 if side > 0 else np.pi, radius=0.15
        )


def _signs(site: _Site, side: int) -> None:
    along = side == -site.terrain.section.right
    for s in _rows(site, float(site.rng.uniform(14, 26)), 1.0):
        d = side * (site.terrain.section.half_width + 0.5)
        site.put(f.sign(site.rng), float(s + site.rng.uniform(-3, 3)), d, 0.0 if along else np.pi, radius=0.1)
    stop = site.terrain.cross_s + (-1 if along else 1) * (site.terrain.cross_half + 1.2)
    site.put(
        f.traffic_light(site.rng),
        stop,
        side * (site.terrain.section.half_width + 0.5),
        0.0 if along else np.pi,
        radius=0.15,
    )


def _trees(site: _Site, side: int) -> None:
    rng = site.rng
    per_100 = site.ranges.draw(rng, "trees_per_100m")
    reach = float(site.terrain.s[-1] - site.terrain.s[0])
    kinds = [tree(rng) for _ in range(4)]
    for s in rng.uniform(site.terrain.s[0] + 10, site.terrain.s[-1] - 10, int(per_100 * reach / 100)):
        if site.is_clear(float(s), 3.5):
            mesh = kinds[int(rng.integers(4))]
            site.put(
                mesh, float(s), side * (site.terrain.section.half_width + 0.9), float(rng.uniform(0, 6)), radius=0.25
            )


def _small_things(site: _Site, side: int) -> None:
    rng, section = site.rng, site.terrain.section
    toward = 0.0 if side > 0 else np.pi
    for s in _rows(site, float(rng.uniform(9, 18)), 2.0):
        kind, at = int(rng.integers(7)), float(s + rng.uniform(-3, 3))
        d = side * (section.half_width + section.walk - 0.45)
        if kind == 0:
            site.put(f.bench(), at, d, toward, radius=0.9)
        elif kind == 1:
            site.put(f.bin_(rng), at, d, toward, radius=0.4)
        elif kind == 2:
            site.put(f.hydrant_or_box(rng), at, d, toward, radius=0.5)
        elif kind == 3 and rng.random() < 0.4:
            site.put(f.shelter(), at, side * (section.half_width + section.walk - 1.1), toward, radius=2.2)
        elif kind == 4:
            site.put(f.bollards(5, 1.4), at, side * (section.half_width + 0.35), 0.0)
        elif kind == 5 and rng.random() < 0.4:
            for k in range(4):
                site.put(f.guard_rail(4.0), at + 4.0 * k, side * (section.half_width + 0.3), 0.0)


def _wires(site: _Site) -> None:
    if site.rng.random() < 0.5:
        return
    side = int(site.rng.choice([-1, 1]))
    d = side * (site.terrain.section.half_width + site.terrain.section.walk - 0.2)
    tops = []
    for s in _rows(site, 32.0, 1.5):
        site.put(f.wire_pole(), float(s), d, radius=0.2)
        T = site.terrain.pose(float(s), d)
        tops.append([T[:3, 3] + T[:3, :3] @ [0, y, 7.7] for y in (-0.9, 0.0, 0.9)])
    for a, b in pairwise(tops):
        site.meshes += [f.wire(np.asarray(p), np.asarray(q), 0.6) for p, q in zip(a, b, strict=True)]


def _over_the_road(site: _Site) -> None:
    """The bridge or underpass, or perhaps a gantry ahead."""
    section, deck = site.terrain.section, site.terrain.deck
    if deck is not None:
        _underpass(site, deck) if deck.walls else _bridge(site, deck)
        return
    s = float(site.rng.uniform(35, 110))
    if site.rng.random() < 0.25 and site.is_clear(s, 12.0):
        site.put(f.gantry(2 * section.half_width + 2.0), s, 0.0, 0.0 if section.right > 0 else np.pi)


def _bridge(site: _Site, deck: Deck) -> None:
    section, s = site.terrain.section, (deck.begin_s + deck.end_s) / 2
    site.put(f.bridge(70.0, deck.end_s - deck.begin_s, deck.clearance), s, 0.0)
    for side in (-1, 1):
        for ds in (-2.5, 2.5):
            site.put(
                f.pillar(deck.clearance + 0.2), s + ds, side * (section.half_width + section.walk - 0.5), radius=0.8
            )


def _underpass(site: _Site, deck: Deck) -> None:
    """Pieces of 3 m that follow the road, and a portal at each end."""
    half = site.terrain.section.half_width + site.terrain.section.walk
    count = max(round((deck.end_s - deck.begin_s) / 3.0), 2)
    length = (deck.end_s - deck.begin_s) / count
    for k in range(count):
        piece = f.underpass_piece(length + 0.3, half, deck.clearance, lamp=k % 3 == 1)
        site.put(piece, deck.begin_s + (k + 0.5) * length, 0.0)
    for s in (deck.begin_s, deck.end_s):
        site.put(f.portal(half, deck.clearance), s, 0.0)


def _far_ends(site: _Site) -> None:
    """Blocks that close the street far away and the cross-street on both sides."""
    rng, terrain = site.rng, site.terrain
    for side in (-1, 1):
        mesh = building(rng, 30.0, 12.0, int(rng.integers(3, 7)))
        T = terrain.pose(terrain.cross_s, side * 52.0, 0.0 if side > 0 else np.pi)
        T[:2, 3] -= T[:2, 0] * 15.0
        site.meshes.append(moved(mesh, T))
    for s, turn in ((float(terrain.s[0]) + 3, np.pi / 2), (float(terrain.s[-1]) - 3, -np.pi / 2)):
        T = terrain.pose(s, 0.0, turn)
        T[:2, 3] -= T[:2, 0] * 20.0
        site.meshes.append(moved(building(rng, 40.0, 12.0, int(rng.integers(3, 7))), T))
