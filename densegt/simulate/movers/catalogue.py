"""Catalogue: bodies of every category, drawn at random, with their boxes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Mesh, bounds, join, shifted
from densegt.simulate.meshes.primitives import box, boxes, tube
from densegt.simulate.meshes.semantic import Semantic
from densegt.simulate.movers import people, two_wheelers, vehicles
from densegt.simulate.movers.skeleton import Skeleton
from densegt.simulate.movers.thing import Body

CATEGORIES = (
    "animal", "human.pedestrian.adult", "human.pedestrian.child", "human.pedestrian.personal_mobility",
    "human.pedestrian.stroller", "human.pedestrian.wheelchair", "movable_object.barrier",
    "movable_object.trafficcone", "vehicle.bicycle", "vehicle.bus.bendy", "vehicle.bus.rigid", "vehicle.car",
    "vehicle.motorcycle", "vehicle.trailer", "vehicle.truck",
)  # fmt: skip

Draw = Callable[[np.random.Generator], Body]


def _stiff(category: str, semantic: Semantic, mesh: Mesh, *, wheelbase_m: float) -> Body:
    """A body without limbs, its origin moved under the box's middle."""
    low, high = bounds(mesh)
    mesh = shifted(mesh, (-(low[0] + high[0]) / 2, 0, 0))
    mesh = _classed(mesh, semantic)
    low, high = bounds(mesh)
    return Body(category, semantic, lambda phase: mesh, True, low, high, wheelbase_m, 0.0)


def _classed(mesh: Mesh, semantic: Semantic) -> Mesh:
    return replace(mesh, semantic=np.where(mesh.semantic == 0, semantic, mesh.semantic).astype(np.uint8))


def _limbed(category: str, semantic: Semantic, skeleton: Skeleton, *, wheelbase_m: float, stride_m: float) -> Body:
    """A body whose limbs swing through a stride; its box holds them at every phase."""
    strength = 1.0 if stride_m else 0.0
    poses = [bounds(skeleton.mesh(p, strength)) for p in np.linspace(0, 2 * np.pi, 16, endpoint=False)]
    low = np.min([b[0] for b in poses], axis=0)
    high = np.max([b[1] for b in poses], axis=0)

    def pose(phase: float) -> Mesh:
        return _classed(skeleton.mesh(phase, strength), semantic)

    return Body(category, semantic, pose, stride_m == 0.0, low - 0.005, high + 0.005, wheelbase_m, stride_m)


PROFILES = (
    vehicles.sedan,
    vehicles.sedan,
    vehicles.hatchback,
    vehicles.hatchback,
    vehicles.suv,
    vehicles.suv,
    vehicles.van,
)


def car(rng: np.random.Generator, *, ajar: bool = False) -> Body:
    """A passenger car or van, perhaps with a door ajar."""
    kind = int(rng.integers(len(PROFILES) + 1))
    if kind == len(PROFILES):
        return _stiff("vehicle.car", Semantic.CAR, vehicles.pickup(rng), wheelbase_m=2.7)
    mesh = vehicles.car(rng, PROFILES[kind](rng), ajar=ajar)
    return _stiff("vehicle.car", Semantic.CAR, mesh, wheelbase_m=2.7)


def coupling_m(front: Body, rear: Body) -> float:
    """How far a trailer's middle lies behind that of what pulls it."""
    overlap = 2.2 if front.category == "vehicle.truck" else -0.1
    return float(rear.size_lwh_m[0] / 2 + front.size_lwh_m[0] / 2 - overlap)


def truck(rng: np.random.Generator) -> Body:
    """A stiff truck."""
    return _stiff("vehicle.truck", Semantic.TRUCK, vehicles.box_truck(rng), wheelbase_m=4.5)


def bus(rng: np.random.Generator) -> Body:
    """A bus."""
    return _stiff("vehicle.bus.rigid", Semantic.BUS, vehicles.bus(rng), wheelbase_m=5.8)


def tram(rng: np.random.Generator) -> Body:
    """A tram."""
    return _stiff("vehicle.bus.bendy", Semantic.BUS, vehicles.tram(rng), wheelbase_m=8.0)


def tractor(rng: np.random.Generator) -> Body:
    """The front of an articulated truck."""
    return _stiff("vehicle.truck", Semantic.TRUCK, vehicles.tractor(rng), wheelbase_m=3.6)


def semi_trailer(rng: np.random.Generator) -> Body:
    """The rear of an articulated truck."""
    return _stiff("vehicle.trailer", Semantic.TRAILER, vehicles.semi_trailer(rng), wheelbase_m=7.0)


def small_trailer(rng: np.random.Generator) -> Body:
    """What a car pulls."""
    return _stiff("vehicle.trailer", Semantic.TRAILER, vehicles.small_trailer(rng), wheelbase_m=2.0)


def motorcycle(rng: np.random.Generator, *, rider: bool = True) -> Body:
    """A motorcycle."""
    skeleton = two_wheelers.motorcycle(rng, rider=rider)
    return _limbed("vehicle.motorcycle", Semantic.MOTORCYCLE, skeleton, wheelbase_m=1.4, stride_m=0.0)


def bicycle(rng: np.random.Generator, *, rider: bool = True) -> Body:
    """A bicycle."""
    skeleton = two_wheelers.bicycle(rng, rider=rider)
    return _limbed("vehicle.bicycle", Semantic.BICYCLE, skeleton, wheelbase_m=1.05, stride_m=5.0 if rider else 0.0)


def scooter(rng: np.random.Generator) -> Body:
    """A kick scooter with its rider."""
    skeleton = two_wheelers.scooter(rng)
    return _limbed("human.pedestrian.personal_mobility", Semantic.RIDER, skeleton, wheelbase_m=0.9, stride_m=0.0)


def pedestrian(rng: np.random.Generator, *, pose: str = "walk") -> Body:
    """An adult, or one time in six a child."""
    child = bool(rng.random() < 1 / 6)
    height = float(rng.uniform(0.95, 1.45) if child else rng.uniform(1.52, 1.95))
    category = "human.pedestrian.child" if child else "human.pedestrian.adult"
    stride = 0.8 * height if pose == "walk" else 0.0
    return _limbed(category, Semantic.PEDESTRIAN, people.person(rng, height, pose), wheelbase_m=0.3, stride_m=stride)


def bystander(rng: np.random.Generator) -> Body:
    """Somebody who waits."""
    return pedestrian(rng, pose="stand")


def pram(rng: np.random.Generator) -> Body:
    """A pram."""
    return _limbed("human.pedestrian.stroller", Semantic.PEDESTRIAN, people.pram(rng), wheelbase_m=0.6, stride_m=0.0)


def wheelchair(rng: np.random.Generator) -> Body:
    """A wheelchair with its user."""
    skeleton = people.wheelchair(rng)
    return _limbed("human.pedestrian.wheelchair", Semantic.PEDESTRIAN, skeleton, wheelbase_m=0.5, stride_m=0.0)


def dog(rng: np.random.Generator) -> Body:
    """A dog."""
    return _limbed("animal", Semantic.ANIMAL, people.dog(rng), wheelbase_m=0.4, stride_m=0.7)


def cone(rng: np.random.Generator) -> Body:
    """A traffic cone with a retroreflecting collar."""
    orange = (0.75, 0.16, 0.02)
    mesh = join(
        [
            box((0, 0, 0.02), (0.36, 0.36, 0.04), Material.RUBBER, (0.05, 0.05, 0.05)),
            tube([(0, 0, 0.03), (0, 0, 0.4)], [0.15, 0.08], Material.PLASTIC, orange, sides=10),
            tube([(0, 0, 0.4), (0, 0, 0.54)], [0.08, 0.055], Material.RETRO, (0.8, 0.8, 0.8), sides=10),
            tube([(0, 0, 0.54), (0, 0, 0.7)], [0.055, 0.025], Material.PLASTIC, orange, sides=10),
        ]
    )
    return _stiff("movable_object.trafficcone", Semantic.BARRIER, mesh, wheelbase_m=0.3)


def barrier(rng: np.random.Generator) -> Body:
    """A plastic water barrier, or boards on feet."""
    if rng.random() < 0.5:
        colour = (0.6, 0.13, 0.06) if rng.random() < 0.5 else (0.65, 0.65, 0.62)
        mesh = join(
            [
                box((0, 0, 0.2), (0.5, 1.9, 0.4), Material.PLASTIC, colour),
                box((0, 0, 0.65), (0.28, 1.9, 0.5), Material.PLASTIC, colour),
            ]
        )
    else:
        boards = [[0, 0, 0.9], [0, 0, 0.5]]
        mesh = join(
            [
                boxes(boards, (0.03, 2.0, 0.2), Material.RETRO, (0.7, 0.1, 0.06)),
                boxes([[0, y, 0.5] for y in (-0.8, 0.8)], (0.05, 0.05, 1.0), Material.METAL, (0.5, 0.5, 0.5)),
                boxes([[0, y, 0.04] for y in (-0.8, 0.8)], (0.6, 0.2, 0.08), Material.RUBBER, (0.04, 0.04, 0.04)),
            ]
        )
    return _stiff("movable_object.barrier", Semantic.BARRIER, mesh, wheelbase_m=0.4)
