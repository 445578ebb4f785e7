"""Vehicles of many types, each drawn from continuous shapes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Colour, Mesh, join, shifted
from densegt.simulate.meshes.primitives import box, cylinder
from densegt.simulate.movers.fittings import DARK, RED, WHITE, fittings
from densegt.simulate.movers.shell import Door, Profile, shell

PAINTS: tuple[tuple[Colour, float], ...] = (
    ((0.72, 0.72, 0.71), 4), ((0.45, 0.46, 0.48), 4), ((0.14, 0.145, 0.15), 3), ((0.015, 0.015, 0.017), 4),
    ((0.40, 0.03, 0.03), 1.5), ((0.03, 0.09, 0.28), 2), ((0.05, 0.16, 0.09), 0.7), ((0.55, 0.42, 0.06), 0.6),
    ((0.30, 0.26, 0.20), 0.8), ((0.02, 0.05, 0.11), 1.5),
)  # fmt: skip


def paint(rng: np.random.Generator) -> Colour:
    """A car's colour: white, grey and black most often."""
    weights = np.array([w for _, w in PAINTS])
    r, g, b = PAINTS[int(rng.choice(len(PAINTS), p=weights / weights.sum()))][0]
    t = float(rng.uniform(0.85, 1.15))
    return (r * t, g * t, b * t)


def car(rng: np.random.Generator, p: Profile, *, ajar: bool = False) -> Mesh:
    """A car about a profile, perhaps with a door ajar."""
    scale = rng.uniform(0.95, 1.05)
    p = replace(
        p, half_width=p.half_width * float(rng.uniform(0.97, 1.03)), roof=p.roof * float(rng.uniform(0.97, 1.03))
    )
    colour = paint(rng)
    door = Door(int(rng.choice([-1, 1])), float(rng.uniform(0.2, 1.2))) if ajar else None
    mesh = join([shell(p, colour, door=door), fittings(rng, p, colour)])
    return replace(mesh, vertices=mesh.vertices * [scale, 1, 1])


def sedan(rng: np.random.Generator) -> Profile:
    """A saloon with a boot."""
    length = float(rng.uniform(4.4, 5.0))
    rear, bonnet = float(rng.uniform(0.5, 0.8)), length - float(rng.uniform(1.15, 1.35))
    return Profile(
        length=length, half_width=0.91, floor=0.2, belt=0.92, roof=float(rng.uniform(1.40, 1.50)), bonnet=bonnet,
        screen=bonnet - 0.75, tail=rear + 0.75, rear=rear, deck=float(rng.uniform(0.98, 1.08)),
        nose=float(rng.uniform(0.72, 0.82)), tumblehome=0.22, wheels=(0.95, length - 0.90), radius=0.32,
        pillars=(length * 0.50, length * 0.30), glazed=(rear + 0.55, bonnet - 0.45),
    )  # fmt: skip


def hatchback(rng: np.random.Generator) -> Profile:
    """A small car with a steep back."""
    length = float(rng.uniform(3.6, 4.3))
    bonnet = length - float(rng.uniform(0.85, 1.1))
    return Profile(
        length=length, half_width=0.86, floor=0.2, belt=0.95, roof=float(rng.uniform(1.44, 1.58)), bonnet=bonnet,
        screen=bonnet - 0.7, tail=0.5, rear=0.1, deck=0.98, nose=float(rng.uniform(0.75, 0.85)), tumblehome=0.18,
        wheels=(0.7, length - 0.75), radius=0.3, pillars=(length * 0.48, length * 0.22), glazed=(0.45, bonnet - 0.4),
    )  # fmt: skip


def suv(rng: np.random.Generator) -> Profile:
    """A tall car."""
    length = float(rng.uniform(4.3, 5.0))
    bonnet = length - float(rng.uniform(1.0, 1.25))
    return Profile(
        length=length, half_width=0.95, floor=0.28, belt=1.10, roof=float(rng.uniform(1.65, 1.85)), bonnet=bonnet,
        screen=bonnet - 0.65, tail=0.45, rear=0.1, deck=1.15, nose=float(rng.uniform(0.95, 1.08)), tumblehome=0.17,
        wheels=(0.9, length - 0.9), radius=0.37, pillars=(length * 0.5, length * 0.27), glazed=(0.4, bonnet - 0.4),
    )  # fmt: skip


def van(rng: np.random.Generator) -> Profile:
    """A van, with or without side windows."""
    length = float(rng.uniform(4.6, 6.0))
    bonnet = length - float(rng.uniform(0.55, 0.85))
    passenger = bool(rng.random() < 0.4)
    return Profile(
        length=length, half_width=0.98, floor=0.25, belt=1.15, roof=float(rng.uniform(1.95, 2.6)), bonnet=bonnet,
        screen=bonnet - 0.75, tail=0.12, rear=0.06, deck=1.2, nose=float(rng.uniform(0.95, 1.1)), tumblehome=0.12,
        wheels=(1.0, length - 0.95), radius=0.34, pillars=(length * 0.55, length * 0.3),
        glazed=(0.4 if passenger else length - 2.2, bonnet - 0.4), rear_glass=passenger,
    )  # fmt: skip


def pickup(rng: np.random.Generator) -> Mesh:
    """A pick-up with an open bed."""
    length = float(rng.uniform(5.0, 5.6))
    bonnet, bed = length - 1.3, float(rng.uniform(1.4, 1.9))
    p = Profile(
        length=length - bed, half_width=0.95, floor=0.32, belt=1.15, roof=float(rng.uniform(1.72, 1.88)),
        bonnet=bonnet - bed, screen=bonnet - bed - 0.7, tail=0.25, rear=0.08, deck=1.2, nose=1.05, tumblehome=0.17,
        wheels=(length - bed - 0.95,), radius=0.39, pillars=((length - bed) * 0.5,), glazed=(0.25, bonnet - bed - 0.4),
    )  # fmt: skip
    colour = paint(rng)
    cab = shifted(join([shell(p, colour), fittings(rng, p, colour)]), (bed, 0, 0))
    w, z = 2 * p.half_width, 0.85
    tray = [box((bed / 2, s * (w / 2 - 0.05), z), (bed, 0.08, 0.6), Material.PAINT, colour) for s in (-1, 1)] + [
        box((0.05, 0, z), (0.08, w, 0.6), Material.PAINT, colour),
        box((bed / 2, 0, 0.62), (bed, w - 0.1, 0.08), Material.METAL, DARK),
    ]
    if rng.random() < 0.5:
        tray.append(box((bed / 2, 0.1, 0.9), (bed * 0.6, w * 0.5, 0.5), Material.WOOD, (0.4, 0.3, 0.18)))
    return join([cab, *tray, _axle(bed * 0.45, p.half_width, 0.39), _tail_lights(0.0, p.half_width, 0.95)])


def bus(rng: np.random.Generator, *, length: float | None = None, colour: Colour | None = None) -> Mesh:
    """A bus or one part of a tram."""
    length = float(rng.uniform(10, 12.5)) if length is None else length
    liveries: list[Colour] = [
        (0.55, 0.06, 0.05),
        (0.6, 0.58, 0.55),
        (0.06, 0.2, 0.4),
        (0.55, 0.4, 0.05),
        (0.1, 0.3, 0.15),
    ]
    colour = liveries[int(rng.integers(5))] if colour is None else colour
    posts = tuple(float(x) for x in np.arange(1.4, length - 1.0, float(rng.uniform(1.3, 1.7))))
    p = Profile(
        length=length, half_width=1.25, floor=0.3, belt=1.15, roof=float(rng.uniform(2.95, 3.25)), bonnet=length - 0.06,
        screen=length - 0.28, tail=0.15, rear=0.06, deck=1.3, nose=1.2, tumblehome=0.05,
        wheels=(length * 0.27, length - 2.6), radius=0.48, pillars=posts, glazed=(0.5, length - 0.5),
    )  # fmt: skip
    sign = box((length + 0.01, 0, p.roof - 0.3), (0.03, 1.6, 0.25), Material.PLASTIC, DARK)
    return join([shell(p, colour), fittings(rng, p, colour), sign])


def tram(rng: np.random.Generator) -> Mesh:
    """A tram of two stiff parts."""
    colour: Colour = (0.6, 0.57, 0.5) if rng.random() < 0.5 else (0.5, 0.05, 0.05)
    part = bus(rng, length=9.5, colour=colour)
    joint = box((9.75, 0, 1.6), (0.6, 2.0, 2.4), Material.RUBBER, (0.05, 0.05, 0.05))
    arm = box((9.0, 0, 3.5), (0.1, 0.1, 1.0), Material.METAL, (0.2, 0.2, 0.2))
    return join([part, shifted(part, (10.0, 0, 0)), joint, arm])


def truck_cab(rng: np.random.Generator, colour: Colour) -> Mesh:
    """A cab that stands from x = 0 to about 2 m."""
    p = Profile(
        length=2.1, half_width=1.2, floor=0.45, belt=1.75, roof=float(rng.uniform(2.6, 3.4)), bonnet=2.06, screen=1.85,
        tail=0.12, rear=0.05, deck=1.8, nose=1.7, tumblehome=0.06, wheels=(1.2,), radius=0.5, pillars=(0.9,),
        glazed=(0.95, 1.9), rear_glass=False,
    )  # fmt: skip
    return join([shell(p, colour), fittings(rng, p, colour)])


def box_truck(rng: np.random.Generator) -> Mesh:
    """A truck with a box, a flat bed or a mixer's drum."""
    colour, hold = paint(rng), float(rng.uniform(4.2, 6.5))
    cab = shifted(truck_cab(rng, colour), (hold + 0.15, 0, 0))
    frame = box((hold / 2, 0, 0.8), (hold + 1.0, 0.9, 0.25), Material.METAL, DARK)
    rail = [box((hold / 2, s * 1.15, 0.65), (hold * 0.4, 0.06, 0.35), Material.METAL, (0.3, 0.3, 0.3)) for s in (-1, 1)]
    kind = rng.random()
    if kind < 0.6:
        load = [_crate(rng, 0.0, hold, float(rng.uniform(2.1, 2.7)))]
    elif kind < 0.85:
        load = _flat_bed(rng, hold)
    else:
        load = [cylinder((0.3, 0, 1.9), (hold - 0.2, 0, 2.2), 1.05, Material.PAINT, (0.55, 0.55, 0.53), sides=16)]
    return join([cab, frame, *rail, *load, _axle(1.3, 1.2, 0.5), _tail_lights(0.0, 1.2, 0.85)])


def _crate(rng: np.random.Generator, x0: float, x1: float, height: float) -> Mesh:
    tone = float(rng.uniform(0.35, 0.7))
    colour: Colour = (tone, tone, tone) if rng.random() < 0.6 else paint(rng)
    body = box(((x0 + x1) / 2, 0, 1.0 + height / 2), (x1 - x0, 2.48, height), Material.METAL, colour)
    r, g, b = colour
    ribs = [
        box((x, 0, 1.0 + height / 2), (0.05, 2.51, height), Material.METAL, (0.9 * r, 0.9 * g, 0.9 * b))
        for x in np.arange(x0 + 0.5, x1, 1.2)
    ]
    stripe = box((x0 - 0.005, 0, 1.05), (0.02, 2.3, 0.12), Material.RETRO, (0.7, 0.1, 0.05))
    return join([body, *ribs, stripe])


def _flat_bed(rng: np.random.Generator, hold: float) -> list[Mesh]:
    deck = box((hold / 2, 0, 1.05), (hold, 2.45, 0.15), Material.WOOD, (0.35, 0.27, 0.17))
    load = [
        box((x, y, 1.13 + h / 2), (0.95, 1.05, h), Material.WOOD, (0.45, 0.36, 0.22))
        for x in np.arange(0.7, hold - 0.4, 1.15)
        for y in (-0.58, 0.58)
        for h in [float(rng.uniform(0.2, 1.3))]
    ]
    wall = box((hold - 0.05, 0, 1.6), (0.08, 2.4, 1.0), Material.METAL, (0.4, 0.4, 0.4))
    return [deck, wall, *load]


def tractor(rng: np.random.Generator) -> Mesh:
    """The front of an articulated truck."""
    cab = shifted(truck_cab(rng, paint(rng)), (3.2, 0, 0))
    frame = box((2.0, 0, 0.75), (4.4, 0.9, 0.25), Material.METAL, DARK)
    plate = cylinder((1.0, 0, 0.95), (1.0, 0, 1.05), 0.5, Material.METAL, DARK)
    return join([cab, frame, plate, _axle(1.0, 1.2, 0.5), _tail_lights(0.0, 1.2, 0.75)])


def semi_trailer(rng: np.random.Generator) -> Mesh:
    """The rear of an articulated truck: a box or a tank."""
    length = float(rng.uniform(10.0, 13.4))
    frame = box((length / 2, 0, 0.95), (length, 1.0, 0.25), Material.METAL, DARK)
    if rng.random() < 0.7:
        body = _crate(rng, 0.0, length, 2.7)
    else:
        body = cylinder((0.1, 0, 2.1), (length, 0, 2.1), 1.1, Material.METAL, (0.6, 0.6, 0.6), sides=20)
    skirt = [
        box((length * 0.45, s * 1.2, 0.65), (length * 0.35, 0.05, 0.5), Material.METAL, (0.4, 0.4, 0.4))
        for s in (-1, 1)
    ]
    axles = [_axle(x, 1.2, 0.5) for x in (1.2, 2.5, 3.8)]
    return join([frame, body, *skirt, *axles, _tail_lights(0.0, 1.2, 0.85)])


def small_trailer(rng: np.random.Generator) -> Mesh:
    """What a car pulls: an open box or a caravan."""
    if rng.random() < 0.5:
        body = [box((2.2, 0, 1.45), (4.2, 2.1, 2.0), Material.PAINT, (0.68, 0.67, 0.63))]
        body.append(box((2.4, 1.06, 1.75), (1.2, 0.02, 0.6), Material.GLASS, (0.03, 0.03, 0.03)))
        body.append(box((2.4, -1.06, 1.75), (1.2, 0.02, 0.6), Material.GLASS, (0.03, 0.03, 0.03)))
        axle, bar = 2.0, 5.4
    else:
        body = [box((1.1, s * 0.75, 0.75), (2.2, 0.05, 0.45), Material.METAL, (0.4, 0.4, 0.41)) for s in (-1, 1)]
        body += [box((x, 0, 0.75), (0.05, 1.5, 0.45), Material.METAL, (0.4, 0.4, 0.41)) for x in (0.0, 2.2)]
        body.append(box((1.1, 0, 0.55), (2.2, 1.5, 0.05), Material.METAL, (0.4, 0.4, 0.41)))
        axle, bar = 1.0, 3.2
    rod = box((bar - 0.6, 0, 0.45), (1.4, 0.08, 0.08), Material.METAL, DARK)
    return join([*body, rod, _axle(axle, 0.95, 0.3), _tail_lights(0.0, 0.8, 0.6)])


def _axle(x: float, half_width: float, radius: float) -> Mesh:
    parts = [cylinder((x, -half_width, radius), (x, half_width, radius), 0.07, Material.METAL, DARK, sides=6)]
    for s in (-1, 1):
        y = s * (half_width - 0.16)
        parts.append(
            cylinder(
                (x, y - 0.14, radius), (x, y + 0.14, radius), radius, Material.RUBBER, (0.02, 0.02, 0.02), sides=16
            )
        )
        parts.append(
            cylinder(
                (x, y + s * 0.13, radius), (x, y + s * 0.15, radius), radius * 0.55, Material.METAL, (0.3, 0.3, 0.3)
            )
        )
    return join(parts)


def _tail_lights(x: float, half_width: float, z: float) -> Mesh:
    lamps = [box((x - 0.02, s * half_width * 0.8, z), (0.04, 0.25, 0.12), Material.LAMP, RED) for s in (-1, 1)]
    plate = box((x - 0.03, 0, z - 0.05), (0.02, 0.5, 0.11), Material.RETRO, WHITE)
    return join([*lamps, plate])
