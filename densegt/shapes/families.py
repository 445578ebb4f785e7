"""Procedural families of vehicles: what a shape prior is trained on. Sizes follow data sheets of vehicles on sale.

Every length is in metres in the shape frame: x ahead, y left, z up, the ground at 0, the middle of the length at x = 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from densegt.shapes.solids import Solids

Float64 = NDArray[np.float64]
Rng = np.random.Generator

# Length, width and height of car bodies, least and most of each.
CAR_BODIES = {
    "hatchback": ((3.5, 4.4), (1.62, 1.83), (1.42, 1.56)),
    "saloon": ((4.3, 5.1), (1.75, 1.92), (1.40, 1.50)),
    "estate": ((4.3, 5.0), (1.75, 1.90), (1.42, 1.54)),
    "suv": ((4.1, 5.1), (1.78, 2.00), (1.58, 1.88)),
    "people carrier": ((4.2, 5.2), (1.78, 1.98), (1.60, 1.95)),
    "pickup": ((5.0, 6.0), (1.85, 2.05), (1.75, 1.98)),
}


def car(rng: Rng) -> Solids:
    """A car of any body."""
    body = list(CAR_BODIES)[int(rng.integers(len(CAR_BODIES)))]
    length, width, height = (rng.uniform(*limits) for limits in CAR_BODIES[body])
    clear = rng.uniform(0.15, 0.24) + (0.06 if body in ("suv", "pickup") else 0.0)
    belt = height * rng.uniform(0.58, 0.66)
    bonnet = belt * rng.uniform(0.86, 0.98)
    boot = belt * rng.uniform(0.98, 1.08)
    front, rear = length / 2, -length / 2
    screen = front - length * rng.uniform(0.20, 0.29)
    # Where the cabin ends at the roof and at the belt, from the rear end.
    roof_end, belt_end = {
        "hatchback": (rng.uniform(0.25, 0.6), rng.uniform(0.05, 0.2)),
        "saloon": (rng.uniform(1.1, 1.6), rng.uniform(0.4, 0.8)),
        "estate": (rng.uniform(0.25, 0.5), rng.uniform(0.03, 0.12)),
        "suv": (rng.uniform(0.3, 0.6), rng.uniform(0.05, 0.2)),
        "people carrier": (rng.uniform(0.2, 0.45), rng.uniform(0.03, 0.12)),
        "pickup": (rng.uniform(1.75, 2.1), rng.uniform(1.55, 1.7)),
    }[body]
    roof_front = screen - (height - belt) * rng.uniform(0.9, 1.7)
    if body == "people carrier":
        screen = front - length * rng.uniform(0.12, 0.2)
        roof_front = screen - (height - belt) * rng.uniform(0.9, 1.5)
    blunt = rng.uniform(0.03, 0.12)
    lower = [
        *_pair(front - blunt - 0.12, 0.44 * width, clear), *_pair(rear + blunt + 0.1, 0.45 * width, clear + 0.05),
        *_pair(front, 0.36 * width, 0.32 * height), *_pair(front, 0.34 * width, 0.75 * bonnet),
        *_pair(front - rng.uniform(0.25, 0.5), 0.49 * width, 0.4 * height),
        *_pair(rear, 0.40 * width, 0.36 * height), *_pair(rear, 0.38 * width, 0.9 * boot),
        *_pair(rear + 0.3, 0.49 * width, 0.4 * height),
        *_pair(front - rng.uniform(0.1, 0.3), 0.38 * width, 0.95 * bonnet), *_pair(screen, 0.45 * width, belt),
        *_pair(rear + 0.15, 0.44 * width, boot), *_pair(0.1, width / 2, 0.55 * belt),
        *_pair(-0.6, width / 2, 0.6 * belt),
    ]  # fmt: skip
    cabin = [
        *_pair(screen, 0.43 * width, belt - 0.12), *_pair(rear + belt_end, 0.43 * width, belt - 0.12),
        *_pair(screen, 0.42 * width, belt), *_pair(rear + belt_end, 0.42 * width, boot),
        *_pair(roof_front, 0.33 * width, height - 0.03), *_pair(rear + roof_end, 0.33 * width, height - 0.04),
        *_pair((roof_front + rear + roof_end) / 2, 0.33 * width, height),
    ]  # fmt: skip
    radius = rng.uniform(0.29, 0.34) + (0.05 if body in ("suv", "pickup") else 0.0)
    axles = (front - rng.uniform(0.75, 0.95), rear + rng.uniform(0.65, 0.95))
    return Solids.of([np.array(lower), np.array(cabin), *_wheels(axles, width, radius, 0.22)])


def van(rng: Rng) -> Solids:
    """A delivery van or minibus."""
    length, width, height = rng.uniform(4.4, 7.0), rng.uniform(1.82, 2.1), rng.uniform(1.82, 2.8)
    front, rear = length / 2, -length / 2
    clear, bonnet = rng.uniform(0.2, 0.3), rng.uniform(0.95, 1.2)
    screen = front - rng.uniform(0.5, 0.95)
    body = [
        *_pair(front - 0.1, 0.43 * width, clear), *_pair(rear + 0.05, 0.48 * width, clear + 0.1),
        *_pair(front, 0.36 * width, 0.6), *_pair(front - 0.05, 0.36 * width, 0.9 * bonnet),
        *_pair(front - 0.4, width / 2, 0.6), *_pair(rear, 0.48 * width, 0.6), *_pair(rear + 0.1, width / 2, 0.6),
        *_pair(screen, 0.44 * width, bonnet), *_pair(rear + 0.04, 0.49 * width, 1.3),
        *_pair(screen - (height - bonnet) * rng.uniform(0.45, 0.8), 0.42 * width, height),
        *_pair(rear + rng.uniform(0.05, 0.2), 0.42 * width, height), *_pair(-0.5, width / 2, 1.3),
    ]  # fmt: skip
    axles = (front - rng.uniform(0.8, 1.0), rear + rng.uniform(0.8, 1.2))
    return Solids.of([np.array(body), *_wheels(axles, width, rng.uniform(0.32, 0.37), 0.24)])


def truck(rng: Rng) -> Solids:
    """A lorry: a cab, and behind it a box, a tipper's body or a flat bed."""
    length, width, height = rng.uniform(5.2, 10.5), rng.uniform(2.1, 2.58), rng.uniform(2.6, 3.8)
    front, rear = length / 2, -length / 2
    cab_length, cab_height = rng.uniform(1.5, 2.4), min(height, rng.uniform(2.3, 3.6))
    bed = rng.uniform(0.85, 1.2)
    load = height if rng.random() < 0.7 else bed + rng.uniform(0.4, 1.2)
    cab_end = front - cab_length
    cab = [
        *_pair(front, 0.47 * width, 0.4), *_pair(front, 0.47 * width, 1.3), *_pair(front - 0.1, 0.49 * width, 0.4),
        *_pair(front - rng.uniform(0.1, 0.4), 0.45 * width, cab_height), *_pair(cab_end, 0.49 * width, 0.5),
        *_pair(cab_end, 0.45 * width, cab_height), *_pair(cab_end, 0.49 * width, 1.3),
    ]  # fmt: skip
    gap = rng.uniform(0.05, 0.35)
    box = _block(rear, cab_end - gap, width / 2, bed, load)
    frame = _block(rear + 0.2, front - 0.3, 0.3 * width, 0.5, bed + 0.05)
    radius = rng.uniform(0.42, 0.52)
    axles = [front - rng.uniform(1.1, 1.4), rear + rng.uniform(1.2, 2.0)]
    if length > 8:
        axles.append(axles[1] + 1.3)
    return Solids.of([np.array(cab), box, frame, *_wheels(axles, width, radius, 0.35)])


def bus(rng: Rng) -> Solids:
    """A bus for a town or for travel."""
    length, width, height = rng.uniform(8.5, 13.0), rng.uniform(2.35, 2.6), rng.uniform(2.8, 3.8)
    front, rear = length / 2, -length / 2
    clear, slope = rng.uniform(0.25, 0.4), rng.uniform(0.05, 0.4)
    body = [
        *_pair(front, 0.45 * width, clear), *_pair(front, 0.45 * width, 1.4), *_pair(front - 0.25, width / 2, clear),
        *_pair(front - slope, 0.44 * width, height), *_pair(rear, 0.47 * width, clear + 0.1),
        *_pair(rear + 0.1, 0.45 * width, height), *_pair(rear + 0.15, width / 2, clear), *_pair(0, width / 2, 2.2),
        *_pair(rear + 0.15, width / 2, 2.2), *_pair(front - 0.25, width / 2, 2.2), *_pair(rear, 0.46 * width, 2.2),
    ]  # fmt: skip
    axles = (front - rng.uniform(2.3, 2.8), rear + rng.uniform(2.8, 3.4))
    return Solids.of([np.array(body), *_wheels(axles, width, rng.uniform(0.45, 0.5), 0.35)])


FAMILIES: dict[str, Callable[[Rng], Solids]] = {"car": car, "van": van, "truck": truck, "bus": bus}


def _pair(x: float, half_width: float, z: float) -> list[tuple[float, float, float]]:
    return [(x, half_width, z), (x, -half_width, z)]


def _block(x0: float, x1: float, half_width: float, z0: float, z1: float) -> Float64:
    ends = ((x0, z0), (x1, z0), (x0, z1), (x1, z1))
    return np.array([corner for x, z in ends for corner in _pair(x, half_width, z)])


def _wheels(axles: tuple[float, ...] | list[float], width: float, radius: float, tread: float) -> list[Float64]:
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    rim = np.column_stack([radius * np.cos(turn), np.zeros(12), radius + radius * np.sin(turn)])
    outer = width / 2 - 0.03
    return [
        np.concatenate([rim + np.array([x, side * outer, 0]), rim + np.array([x, side * (outer - tread), 0])])
        for x in axles for side in (1, -1)
    ]  # fmt: skip
