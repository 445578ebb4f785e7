"""Frames: a place that moves is asked about where it is when the beam passes over it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from densegt.accumulation.motion.free_space import beam_time, beam_times
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.autolabel.frames import MovingFrame
from densegt.geometry import se3

STAMP_US, PERIOD_S = 1_000_000, 0.05
SPEED_MPS = 12.0


def one_sweep() -> Any:
    """A lidar at the origin, 1.8 m up, that turns left from behind; its stamp is the middle of the turn."""
    images = SimpleNamespace(
        origin=np.array([[0.0, 0.0, 1.8]], np.float32), R_lidar_global=np.eye(3)[None], lidar=np.zeros(1, np.int64),
        clock=np.array([[1.0, -np.pi, 0.5, PERIOD_S]]), read=np.ones(1, np.bool_),
    )  # fmt: skip
    measured = SimpleNamespace(images=images, start_us=STAMP_US, middle_s=np.zeros(1), origin_global_m=np.zeros(3))
    return SimpleNamespace(measured=measured, scene=SimpleNamespace(sweeps=[SimpleNamespace(timestamp_us=STAMP_US)]))


def passing() -> ContinuousTrack:
    """It drives ahead along y = 8 and is at x = 0 at the stamp."""
    T = np.stack([se3.from_yaw(0.0, [SPEED_MPS * t, 8.0, 0.75]) for t in (-1.0, 0.0, 1.0)])
    knots_us = np.array([STAMP_US - 1_000_000, STAMP_US, STAMP_US + 1_000_000])
    return ContinuousTrack("a", "vehicle.car", np.array([4.5, 1.9, 1.5]), False, knots_us, T, 0.3, 1e3)


def test_beams_pass_ahead_at_the_stamp_and_sideways_a_quarter_turn_off() -> None:
    images = one_sweep().measured.images
    places = np.array([[5.0, 0.0, 0.0], [0.0, 5.0, 0.0], [0.0, -5.0, 0.0]])
    assert np.allclose(beam_times(images, 0, places), [0.0, PERIOD_S / 4, -PERIOD_S / 4])
    assert beam_time(images, 0, places[1]) == beam_times(images, 0, places[1:2])[0]


def test_a_moving_place_is_where_it_is_when_the_beam_passes_over_it() -> None:
    evidence = one_sweep()
    xyh = np.array([[0.0, 0.0, 0.5], [2.0, -0.9, 1.0], [-2.0, 0.9, 0.2]])
    xyz = MovingFrame(evidence, passing()).places_at(xyh, 0).astype(np.float64)
    then_s = beam_times(evidence.measured.images, 0, xyz)
    assert np.allclose(xyz, xyh + np.column_stack([SPEED_MPS * then_s, np.full(3, 8.0), np.zeros(3)]), atol=0.01)
    assert abs(xyz[0, 0] - SPEED_MPS * PERIOD_S / 4) < 0.02
