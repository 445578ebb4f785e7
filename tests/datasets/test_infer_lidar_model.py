"""Which way a lidar turns, how fast, where a turn begins, where in it the stamp lies, and what is compensated."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from densegt.datasets import open_recording
from densegt.datasets.infer_lidar_model import Sureness, infer_lidar_models
from densegt.datasets.infer_lidar_model.camera_phase import camera_phase
from densegt.datasets.infer_lidar_model.choose_sweeps import choose_sweeps
from densegt.datasets.infer_lidar_model.point_order import turn_from_order, turn_from_times
from densegt.datasets.infer_lidar_model.turn_period import turn_periods
from densegt.datasets.lidar_model import KITTI, NUSCENES, LidarModel
from densegt.datasets.scene import Points

from ..cases import mostly
from .streets import T_EGO_LIDAR, Street

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

SCAN_START_RAD = float(np.deg2rad(100.0))
RINGS, COLUMNS = 32, 1000


def evidence_of(street, given=None):
    scene = street.scene()
    (evidence,) = infer_lidar_models(scene, {} if given is None else {"LIDAR_TOP": given}, scene.read_points).values()
    return evidence


def wrong(model, truth):
    """Names of the values that are not the truth's."""
    turned = (model.scan_start_azimuth_rad - truth.scan_start_azimuth_rad + np.pi) % (2 * np.pi) - np.pi
    return {
        name
        for name, differs in {
            "direction": model.clockwise != truth.clockwise,
            "period": abs(model.period_s / truth.period_s - 1) > 0.02,
            # Compensation moves near points at the scan start, and so where they are seen from the lidar.
            "scan_start": abs(turned) > 0.25,
            "stamp": abs(model.stamp_fraction - truth.stamp_fraction) > 0.05,
            "compensated": model.compensated != truth.compensated,
        }.items()
        if differs
    }


def surely_wrong(evidence, truth):
    return {name for name in wrong(evidence.model, truth) if getattr(evidence, name).sureness == Sureness.SURE}


def clock(*, clockwise, compensated, stamp, period_s, **street):
    name = f"{'cw' if clockwise else 'ccw'}-{'comp' if compensated else 'raw'}-{stamp}-{period_s}"
    model = LidarModel(clockwise, period_s, SCAN_START_RAD, stamp, compensated)
    return pytest.param(model, *street.values(), id="-".join([*street.values(), name]))


def half(*factors):
    """Of all combinations of two values of each factor half, so that every three factors show all of theirs."""
    for chosen in product((0, 1), repeat=len(factors)):
        if sum(chosen) % 2 == 0:
            yield tuple(values[i] for values, i in zip(factors, chosen, strict=True))


BOTH = (True, False)
PERIODS_S = (0.1, 0.05)


def wrong_by_hand(model):
    """Each value in turn as somebody might give it wrongly, and the words that a warning has of the true one."""
    turn_ms = f"{1e3 * model.period_s:g} ms a turn"
    yield replace(model, clockwise=not model.clockwise), "clockwise" if model.clockwise else "counter-clockwise"
    yield replace(model, period_s=0.15 - model.period_s), turn_ms
    yield replace(model, scan_start_azimuth_rad=model.scan_start_azimuth_rad + np.pi), "begins at"
    yield replace(model, stamp_fraction=0.25), "stamp at"
    yield replace(model, compensated=not model.compensated), "compensated" if model.compensated else "not compensated"


# A dozen lidars, a second each.
@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    mostly(
        (
            clock(clockwise=a, compensated=b, stamp=stamp, period_s=c)
            for stamp, periods_s in ((0.0, PERIODS_S), (0.5, PERIODS_S[::-1]), (1.0, PERIODS_S))
            for a, b, c in half(BOTH, BOTH, periods_s)
        ),
        keep=5,
    ),
)
def test_every_clock_is_told_from_firing_order_cameras_and_agreement(model):
    evidence = evidence_of(Street(model))
    assert not wrong(evidence.model, model), evidence
    assert min(finding.sureness for _, finding in evidence.findings.values()) == Sureness.SURE
    assert not evidence.warnings()
    assert not replace(evidence, given=model).warnings()
    for given, says in wrong_by_hand(model):
        (warning,) = replace(evidence, given=given).warnings()
        assert "the lidar model given is contradicted" in warning
        assert says in warning


# Eight lidars, several seconds each: every scan start is tried.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "order"),
    mostly(
        (
            clock(clockwise=a, compensated=b, stamp=0.5, period_s=c, order=order)
            for a, b, c, order in half(BOTH, BOTH, PERIODS_S, ("rings", "none"))
        ),
        keep=3,
    ),
)
def test_without_order_and_cameras_nothing_is_wrong_and_sure(model, order):
    evidence = evidence_of(Street(model, order=order, cameras=False))
    assert not surely_wrong(evidence, model), evidence
    assert evidence.stamp.sureness == Sureness.ASSUMED
    assert "cannot be told" in evidence.warnings()[0]


@pytest.mark.parametrize(
    ("clockwise", "scan_start_azimuth_deg"), mostly([(True, 180), (False, 180), (True, 110)], keep=1)
)
def test_motion_alone_tells_the_direction_of_a_lidar_as_kittis_wherever_its_turn_begins(
    clockwise, scan_start_azimuth_deg
):
    model = replace(KITTI, clockwise=clockwise, scan_start_azimuth_rad=float(np.deg2rad(scan_start_azimuth_deg)))
    evidence = evidence_of(Street(model, order="rings", cameras=False))
    assert not wrong(evidence.model, model)
    assert evidence.direction.sureness == evidence.compensated.sureness == Sureness.SURE


@pytest.mark.parametrize("compensated", [True, False])
def test_times_of_points_tell_all_but_compensation(compensated):
    model = LidarModel(False, 0.08, SCAN_START_RAD, 0.25, compensated)
    evidence = evidence_of(Street(model, order="none", cameras=False, times=True))
    assert not wrong(evidence.model, model), evidence
    assert min(finding.sureness for _, finding in evidence.findings.values()) == Sureness.SURE


@pytest.mark.parametrize("compensated", [True, False])
def test_every_second_sweep_left_out(compensated):
    model = LidarModel(True, 0.05, SCAN_START_RAD, 1.0, compensated)
    evidence = evidence_of(Street(model, every=2))
    assert not wrong(evidence.model, model), evidence
    # Without cameras the period is the stamps'; what is compensated is told all the same.
    alone = evidence_of(Street(model, every=2, cameras=False))
    assert not surely_wrong(alone, model)
    assert (alone.model.compensated, alone.compensated.sureness) == (compensated, Sureness.SURE)


@pytest.mark.parametrize("period_s", [0.05, 0.1])
def test_an_ego_that_stands_tells_nothing_of_compensation_and_needs_it_not(period_s):
    model = LidarModel(True, period_s, SCAN_START_RAD, 1.0, True)
    evidence = evidence_of(Street(model, speed_mps=0.0, turn_rps=0.0, sweeps=12))
    assert evidence.compensated.source == "the ego stands still"
    assert not surely_wrong(evidence, model)
    assert not evidence.warnings()


def test_surfaces_on_one_side_alone_tell_nothing():
    street = Street(LidarModel(True, 0.1, SCAN_START_RAD, 0.5, False), sweeps=20)
    scene = street.scene()

    def ahead(sweep):
        points = street.points(sweep)
        return points.take(np.flatnonzero(points.xyz_lidar[:, 1] > 4 * np.abs(points.xyz_lidar[:, 0])))

    evidence = infer_lidar_models(scene, {}, ahead)["LIDAR_TOP"]
    assert evidence.compensated.sureness == Sureness.ASSUMED


def test_creeping_is_too_little():
    evidence = evidence_of(
        Street(LidarModel(True, 0.1, SCAN_START_RAD, 0.5, True), speed_mps=0.3, turn_rps=0.0, sweeps=12)
    )
    assert evidence.compensated.sureness < Sureness.SURE or evidence.model.compensated


def test_a_given_model_holds_and_is_warned_about_where_the_data_contradict_it():
    model = LidarModel(True, 0.1, SCAN_START_RAD, 0.5, True)
    right = evidence_of(Street(model), given=model)
    assert right.used is model
    assert not right.warnings()
    given = replace(model, clockwise=False, compensated=False)
    evidence = evidence_of(Street(model), given=given)
    assert evidence.used is given
    (warning,) = evidence.warnings()
    assert "clockwise (order of points)" in warning
    assert "compensated (sweeps agree" in warning
    assert "turn (" not in warning  # period and stamp are right


def test_a_lidar_whose_model_the_recording_tells_is_held_against_its_first_sweep_only():
    street = Street(LidarModel(True, 0.05, SCAN_START_RAD))
    scene = street.scene().with_lidar_models({"LIDAR_TOP": LidarModel(False, 0.05, SCAN_START_RAD)})
    read = []
    evidence = infer_lidar_models(scene, {}, lambda sweep: read.append(sweep) or street.points(sweep))["LIDAR_TOP"]
    assert len(read) == 1
    assert not evidence.used.clockwise
    assert "contradicted: clockwise (order of points)" in evidence.warnings()[0]


def test_each_lidar_of_a_scene_is_told_on_its_own():
    top, rear = (Street(LidarModel(way, 0.05, SCAN_START_RAD), sweeps=1, cameras=False) for way in (True, False))
    scene = top.scene()
    lidar = replace(scene.lidars[0], channel="LIDAR_REAR")
    behind = tuple(replace(sweep, lidar=lidar) for sweep in scene.sweeps)
    both = replace(scene, lidars=(*scene.lidars, lidar), sweeps=scene.sweeps + behind)
    found = infer_lidar_models(both, {}, lambda sweep: (rear if sweep.lidar is lidar else top).points(sweep))
    assert {channel: e.model.clockwise for channel, e in found.items()} == {"LIDAR_TOP": True, "LIDAR_REAR": False}


def test_evidence_as_json():
    written = evidence_of(Street(LidarModel(True, 0.05, SCAN_START_RAD), sweeps=1)).as_dict()
    assert (written["clockwise"], written["period_s"], written["given"]) == (True, 0.05, False)
    assert written["evidence"]["direction"] == {
        "value": "clockwise", "source": "order of points", "sureness": "sure"
    }  # fmt: skip


# --- each kind of evidence alone ---


def turn(scan_start_azimuth_deg, *, clockwise=True, stagger_deg=0.0, share=1.0, range_m=20.0):
    """Points in firing order, column by column; each ring may begin `stagger_deg` later than the one before."""
    way = -1 if clockwise else 1
    column, ring = (a.ravel() for a in np.meshgrid(np.arange(COLUMNS), np.arange(RINGS), indexing="ij"))
    azimuth = np.deg2rad(scan_start_azimuth_deg + way * (column * share * 360 / COLUMNS + ring * stagger_deg))
    xyz_from_lidar = np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros_like(azimuth)], axis=1) * range_m
    xyz_lidar = (xyz_from_lidar @ T_EGO_LIDAR[:3, :3]).astype(np.float32)
    return Points(xyz_lidar, np.zeros(len(ring), dtype=np.float32), ring.astype(np.uint16))


def ring_by_ring(points):
    return points.take(np.argsort(points.ring, kind="stable"))


def shuffled(points):
    return points.take(np.random.default_rng(0).permutation(len(points.ring)))


@pytest.mark.parametrize("clockwise", [True, False])
@pytest.mark.parametrize("scan_start_azimuth_deg", [110, 91, -170, 2])
def test_order_tells_direction_and_scan_start(scan_start_azimuth_deg, clockwise):
    told = turn_from_order(turn(scan_start_azimuth_deg, clockwise=clockwise), T_EGO_LIDAR)
    assert told.clockwise == clockwise
    assert np.rad2deg(told.scan_start_azimuth_rad) == pytest.approx(scan_start_azimuth_deg % 360, abs=0.01)


@pytest.mark.parametrize("clockwise", [True, False])
def test_rings_that_begin_one_after_the_other(clockwise):
    told = turn_from_order(turn(110, stagger_deg=0.1, clockwise=clockwise), T_EGO_LIDAR)
    # Between the first ring's start and the last one's, near the first.
    assert -0.01 <= (110 - np.rad2deg(told.scan_start_azimuth_rad)) * (1 if clockwise else -1) < 0.1 * RINGS / 2


def test_points_close_to_the_car_do_not_count():
    near, far = turn(20, range_m=2.0), turn(110)
    both = Points(
        *(np.concatenate([getattr(p, name) for p in (near, far)]) for name in ("xyz_lidar", "intensity", "ring"))
    )
    assert np.rad2deg(turn_from_order(both, T_EGO_LIDAR).scan_start_azimuth_rad) == pytest.approx(110, abs=0.01)


@pytest.mark.parametrize(
    "points",
    [
        shuffled(turn(91)),
        ring_by_ring(turn(91)),  # as KITTI's, which are sorted against the turn
        turn(91, share=0.5),
        Points(np.zeros((0, 3), np.float32), np.zeros(0, np.float32), np.zeros(0, np.uint16)),
    ],
    ids=["shuffled", "ring by ring", "half a turn", "no points"],
)
def test_order_that_tells_nothing(points):
    assert turn_from_order(points, T_EGO_LIDAR) is None


def test_times_that_tell_nothing():
    points = turn(91)
    times_s = np.random.default_rng(0).uniform(0, 0.1, len(points.ring)).astype(np.float32)
    assert turn_from_times(points, T_EGO_LIDAR) is None
    assert turn_from_times(replace(points, time_s=times_s), T_EGO_LIDAR) is None
    assert turn_from_times(replace(points, time_s=np.zeros_like(times_s)), T_EGO_LIDAR) is None


@pytest.mark.parametrize(
    ("gaps_ms", "period_ms"),
    [
        ([50] * 20, 50),
        ([103.2, 103.1, 103.15] * 5, 103.15),
        ([50, 100, 50, 50, 150, 50, 50, 100], 50),  # some are missing
        ([100, 100, 50, 100, 100, 50, 100], 50),  # most are missing
        ([50] * 30 + [3], 50),  # one stamp is wrong
    ],
)
def test_the_period_that_stamps_tell(gaps_ms, period_ms):
    stamps_us = np.cumsum([0, *gaps_ms]) * 1000
    assert turn_periods(stamps_us.astype(np.int64))[0] == pytest.approx(period_ms * 1e-3, rel=1e-6)


@pytest.mark.parametrize("stamps_ms", [[], [0], [0, 500, 1000], [5, 5]])
def test_stamps_that_tell_no_period(stamps_ms):
    assert turn_periods(np.array(stamps_ms, dtype=np.int64) * 1000) == []


@pytest.mark.parametrize("clockwise", [True, False])
@pytest.mark.parametrize("stamp", [0.0, 0.3, 0.97, 1.0, 1.02])
def test_cameras_tell_direction_period_and_stamp(clockwise, stamp):
    scene = Street(LidarModel(clockwise, 0.05, SCAN_START_RAD, stamp)).scene()
    phase = camera_phase(scene.sweeps, scene.cameras, clockwise=(True, False), periods_s=(0.1, 0.05))
    assert (phase.clockwise, phase.period_s) == (clockwise, 0.05)
    assert phase.stamp_fraction(SCAN_START_RAD) == pytest.approx(stamp, abs=1e-4)


def test_cameras_that_tell_nothing():
    scene = Street(LidarModel(True, 0.05, SCAN_START_RAD)).scene()
    at_once = [replace(camera, timestamp_us=scene.sweeps[0].timestamp_us) for camera in scene.cameras[:6]]
    ahead = [camera for camera in scene.cameras if camera.channel == "CAM0"]
    for cameras in ([], scene.cameras[:2], at_once, ahead):
        assert camera_phase(scene.sweeps, cameras, clockwise=(True, False), periods_s=(0.1, 0.05)) is None


def test_sweeps_to_compare_lie_apart_and_are_few():
    scene = Street(LidarModel(), speed_mps=10.0, sweeps=200).scene()
    groups = choose_sweeps(scene.sweeps)
    assert len({i for group in groups for i in group}) <= 12
    for group in groups:
        apart = np.diff(group)
        assert (apart >= 4).all()
        assert (apart <= 12).all()
    assert choose_sweeps(scene.sweeps[:1]) == []
    assert choose_sweeps(scene.sweeps[:3]) == [[0, 1, 2]]


# --- recordings ---


def test_the_simulated_lidar_is_recognised(tiny_dataset):
    recording = open_recording(tiny_dataset)
    scene = recording.scene(recording.scene_names[0])
    (evidence,) = infer_lidar_models(scene, {}, scene.read_points).values()
    model = evidence.model
    # Points are moved to the pose at the stamp, which turns near ones by a few degrees as seen from the lidar.
    assert np.rad2deg(model.scan_start_azimuth_rad) == pytest.approx(110, abs=5)
    assert model.stamp_fraction == pytest.approx(1, abs=0.02)
    assert (model.clockwise, model.period_s, model.compensated) == (True, 0.05, True)
    assert not evidence.warnings()


def test_real_lidars_are_recognised(recording):
    opened = open_recording(recording)
    scene = opened.scene(opened.scene_names[0])
    (evidence,) = infer_lidar_models(scene, {}, scene.read_points).values()
    if "kitti" in recording.name:
        assert evidence.model == KITTI
    else:
        assert np.rad2deg(evidence.model.scan_start_azimuth_rad) == pytest.approx(95, abs=10)
        assert evidence.model.stamp_fraction == pytest.approx(0.97, abs=0.03)
        assert (
            replace(evidence.model, scan_start_azimuth_rad=NUSCENES.scan_start_azimuth_rad, stamp_fraction=1.0)
            == NUSCENES
        )
