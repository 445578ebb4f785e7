"""What occupied voxels are: by boxes, movers and labelled points."""

from __future__ import annotations

import numpy as np

from densegt.datasets.scene import ObjectKind, Track
from densegt.geometry import se3
from densegt.occupancy.classes import NAMES, ClassifiedPoints, code_of, mark_standing, vote
from densegt.occupancy.grid import VoxelGrid

GRID = VoxelGrid("", "ego", (0.0, 0.0, 0.0), 0.5, (20, 10, 6))
CAR, ROAD, SIDEWALK = (NAMES.index(name) for name in ("car", "driveable_surface", "sidewalk"))


def points(rows: list[tuple[float, float, float, int, int]]) -> ClassifiedPoints:
    xyz = np.array([row[:3] for row in rows], np.float64)
    return ClassifiedPoints(xyz, np.array([r[3] for r in rows], np.uint8), np.array([r[4] for r in rows], np.int64))


def test_codes_are_those_of_the_public_layouts() -> None:
    assert NAMES[:5] == ("others", "barrier", "bicycle", "bus", "car")
    assert (NAMES[11], NAMES[16], len(NAMES)) == ("driveable_surface", "vegetation", 17)
    assert code_of("vehicle.car", {}) == CAR
    assert code_of("REGULAR_VEHICLE", {"REGULAR_VEHICLE": "car"}) == CAR
    assert code_of("animal", {"animal": None}) == 0


def test_a_box_gives_its_class_to_what_is_occupied_in_it_but_the_ground() -> None:
    T = se3.from_yaw(0.0, [5.0, 2.5, 0.75])
    track = Track("a", "vehicle.car", ObjectKind.RIGID_VEHICLE, np.array([4.0, 2.0, 1.5]), np.array([100]), T[None])
    occupied = np.ones(GRID.shape, np.bool_)
    occupied[10, 5, 1] = False
    code = np.zeros(GRID.shape, np.uint8)
    mark_standing(code, [(track, CAR)], np.eye(4), 150, occupied, GRID)
    assert (code[6:14, 3:7, 1:3][occupied[6:14, 3:7, 1:3]] == CAR).all()
    assert code[10, 5, 1] == 0
    assert not code[:, :, 0].any()
    assert (code == CAR).sum() == 8 * 4 * 2 - 1
    late = np.zeros(GRID.shape, np.uint8)
    mark_standing(late, [(track, CAR)], np.eye(4), 2_000_000, occupied, GRID)
    assert not late.any()


def test_most_points_of_a_voxel_decide_and_surface_near_by_follows() -> None:
    rows = [(0.2, 0.2, 0.2, ROAD, 0)] * 2 + [(0.3, 0.3, 0.3, SIDEWALK, 0), (99.0, 0, 0, SIDEWALK, 0)]
    occupied = np.zeros(GRID.shape, np.bool_)
    occupied[:10, 0, 0] = True
    code = vote(points(rows), GRID.T_voxel_grid, occupied)
    assert code[:, 0, 0].tolist() == [ROAD] * 3 + [0] * 17
    assert not code[:, 1:].any()
    assert not vote(points([(99.0, 0, 0, ROAD, 0)]), GRID.T_voxel_grid, occupied).any()
    assert not vote(points(rows), GRID.T_voxel_grid, np.zeros_like(occupied)).any()


def test_what_can_move_is_valid_at_its_own_time_alone() -> None:
    some = points([(0, 0, 0, CAR, 0), (0, 0, 0, CAR, 500_000), (0, 0, 0, ROAD, 0)])
    assert some.valid_at(500_000).code.tolist() == [CAR, ROAD]
