"""nuScenes' detection task: its ten classes, their attributes, and how far each is looked for."""

from __future__ import annotations

CLASSES = (
    "car", "truck", "bus", "trailer", "construction_vehicle", "pedestrian", "motorcycle", "bicycle", "traffic_cone",
    "barrier",
)  # fmt: skip
# What Lift-Splat-Shoot segments: all that nuScenes calls vehicle.*, but for what it does not score.
VEHICLES = ("car", "truck", "bus", "trailer", "construction_vehicle", "motorcycle", "bicycle")
ATTRIBUTES = (
    "vehicle.moving", "vehicle.stopped", "vehicle.parked", "cycle.with_rider", "cycle.without_rider",
    "pedestrian.moving", "pedestrian.standing", "pedestrian.sitting_lying_down",
)  # fmt: skip
# Farther away (horizontally, from ego) nothing is scored.
RANGE_M = {
    **dict.fromkeys(("car", "truck", "bus", "trailer", "construction_vehicle"), 50.0),
    **dict.fromkeys(("pedestrian", "motorcycle", "bicycle"), 40.0),
    **dict.fromkeys(("traffic_cone", "barrier"), 30.0),
}
MAX_BOXES = 500

_EXACT = {
    "movable_object.barrier": "barrier",
    "movable_object.trafficcone": "traffic_cone",
    "vehicle.bus.bendy": "bus",
    "vehicle.bus.rigid": "bus",
    "vehicle.bicycle": "bicycle",
    "vehicle.car": "car",
    "vehicle.construction": "construction_vehicle",
    "vehicle.motorcycle": "motorcycle",
    "vehicle.trailer": "trailer",
    "vehicle.truck": "truck",
    "human.pedestrian.adult": "pedestrian",
    "human.pedestrian.child": "pedestrian",
    "human.pedestrian.construction_worker": "pedestrian",
    "human.pedestrian.police_officer": "pedestrian",
}


def class_of(category: str) -> str | None:
    """The detection class of a category's name; None for what the task leaves out (strollers, animals, ...)."""
    return _EXACT.get(category)


def attributes_of(name: str) -> tuple[str, ...]:
    """The attributes that a class may have."""
    if name in ("bicycle", "motorcycle"):
        return tuple(a for a in ATTRIBUTES if a.startswith("cycle."))
    kind = {"pedestrian": "pedestrian.", "traffic_cone": "-", "barrier": "-"}.get(name, "vehicle.")
    return tuple(a for a in ATTRIBUTES if a.startswith(kind))
