"""Classes of points: nuScenes lidarseg's sixteen, and what other vocabularies mean in them."""

from __future__ import annotations

from densegt.depth.point_votes import NO_CLASS

CLASSES = (
    "barrier", "bicycle", "bus", "car", "construction_vehicle", "motorcycle", "pedestrian", "traffic_cone", "trailer",
    "truck", "driveable_surface", "other_flat", "sidewalk", "terrain", "manmade", "vegetation",
)  # fmt: skip

# Categories of boxes and of nuScenes lidarseg, by how they begin; the first that fits counts.
_BEGINNINGS = {
    "movable_object.barrier": "barrier",
    "movable_object.trafficcone": "traffic_cone",
    "vehicle.bicycle": "bicycle",
    "vehicle.motorcycle": "motorcycle",
    "vehicle.bus": "bus",
    "vehicle.construction": "construction_vehicle",
    "vehicle.trailer": "trailer",
    "vehicle.truck": "truck",
    "vehicle.car": "car",
    "human.pedestrian": "pedestrian",
    "flat.driveable_surface": "driveable_surface",
    "flat.other": "other_flat",
    "flat.sidewalk": "sidewalk",
    "flat.terrain": "terrain",
    "static.manmade": "manmade",
    "static.vegetation": "vegetation",
}
# Names of the simulator's semantic classes.
_SIMULATED = {
    "road": "driveable_surface", "pavement": "sidewalk", "terrain": "terrain", "building": "manmade",
    "wall_or_fence": "manmade", "pole_or_wire": "manmade", "sign": "manmade", "vegetation": "vegetation",
    "furniture": "manmade", "bridge": "manmade", "car": "car", "truck": "truck", "bus": "bus", "trailer": "trailer",
    "motorcycle": "motorcycle", "bicycle": "bicycle", "rider": "bicycle", "pedestrian": "pedestrian",
    "barrier": "barrier", "construction": "construction_vehicle",
}  # fmt: skip


def class_of_category(category: str) -> int:
    """Index of the class of a box's or lidarseg's category, NO_CLASS where it is none of the sixteen."""
    for beginning, name in _BEGINNINGS.items():
        if category.startswith(beginning):
            return CLASSES.index(name)
    return NO_CLASS


def class_of_simulated(semantic: str) -> int:
    """Index of the class of one of the simulator's semantic classes."""
    return CLASSES.index(_SIMULATED[semantic]) if semantic in _SIMULATED else NO_CLASS
