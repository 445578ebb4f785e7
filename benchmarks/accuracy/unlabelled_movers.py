"""What moves, found without any label: whose each point is, against the simulator's truth.

python -m benchmarks.accuracy.unlabelled_movers --seeds 21 22 --seconds 4 --unlabelled 4 --cache /tmp/worlds
python -m benchmarks.accuracy.unlabelled_movers --worlds world-a --json movers.json
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    # One core, so that seconds can be compared; read when numpy and numba start.
    os.environ.update(NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.measurements import Measurements, measure_scene
from densegt.accumulation.motion.point_assignment import PointAssignment, assign_points
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.scene_input import read_scene
from densegt.accumulation.sweep_returns import not_own, read_returns
from densegt.datasets import open_recording
from densegt.datasets.scene import Scene
from densegt.depth.store import SceneReader
from densegt.simulate.config import SimulateConfig
from densegt.simulate.run import simulate
from densegt.simulate.simple.lidar import spin
from densegt.simulate.simple.rig import make_rig
from densegt.simulate.simple.things import Thing
from densegt.simulate.simple.world import World, make_world

FREE = AccumulateConfig(motion="free")

MIN_SPEED_MPS, MAX_RANGE_M, MIN_POINTS = 1.0, 50.0, 20

NOTES = f"""\
Recall: of the points on objects that move faster than {MIN_SPEED_MPS:g} m/s, within {MAX_RANGE_M:g} m, with at least
{MIN_POINTS} points in the sweep, the share that a found track holds. Points between two surfaces, which are nobody's,
and those less than {FREE.tracks.ground_clearance_m:g} m above the ground, which may be the road's, are not counted.
Precision: of the points within {MAX_RANGE_M:g} m that found tracks hold, the share that is on things that move.
Drift: how far a found box strays in the frame of the true one from where it is on average (a box as large as what was
seen need not have the true one's middle), root mean square; speed: error of the velocity, root mean square.
"""


@dataclass(frozen=True)
class Figures:
    """One world's figures; `seconds` of processor time for sharing out the points, transients included."""

    world: str
    recall: float
    precision: float
    points: int
    objects: int
    objects_found: int
    tracks: int
    false_tracks: int
    drift_m: float
    speed_error_mps: float
    seconds: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Find movers in every world; print, and write what was asked for."""
    options = parser().parse_args(arguments)
    folders = options.worlds or [
        simulated(options.cache, seed, options.seconds, options.unlabelled) for seed in options.seeds
    ]
    results = [measure_world(folder, details=options.details) for folder in folders]
    table = Table(*Figures.__dataclass_fields__)
    for result in results:
        table.add_row(*[f"{v:.3f}" if isinstance(v, float) else str(v) for v in asdict(result).values()])
    Console(width=180).print(table)
    print(NOTES)
    if options.json:
        options.json.write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = out.add_mutually_exclusive_group(required=True)
    which.add_argument("--worlds", nargs="+", type=Path, metavar="DIR", help="folders written by `densegt simulate`")
    which.add_argument("--seeds", nargs="+", type=int, metavar="K", help="simulate these worlds, unless in --cache")
    out.add_argument("--seconds", type=float, default=4.0, help="length of a simulated world")
    out.add_argument("--unlabelled", type=int, default=4, help="movers without a label in a simulated world")
    out.add_argument("--cache", type=Path, default=Path("worlds"), help="where simulated worlds are kept")
    out.add_argument("--details", action="store_true", help="print every object and every track")
    out.add_argument("--json", type=Path, metavar="FILE")
    return out


def simulated(cache: Path, seed: int, seconds: float, unlabelled: int) -> Path:
    """A world of one scene, simulated unless it is there already."""
    folder = cache / f"movers-{seed}-{seconds:g}s-{unlabelled}"
    if not folder.is_dir():
        simulate(SimulateConfig(scenes=1, seconds=seconds, seed=seed, unlabelled=unlabelled), folder)
    return folder


@dataclass(frozen=True)
class Truth:
    """What the simulator knows.

    Attributes:
        thing: (N,) of each measured point, an index into `world.things`, -1 for none.
        low: (N,), too near to the bottom of the thing's box to be told from the road.
    """

    world: World
    thing: NDArray[np.int64]
    low: NDArray[np.bool_]


def measure_world(folder: Path, *, details: bool) -> Figures:
    """Find what moves in a world's one scene, and score it."""
    dataset = open_recording(folder)
    (name,) = dataset.scene_names
    scene = read_scene(dataset, name, FREE)
    measured = measure_scene(scene, read_returns(scene, FREE), FREE)
    assign_points(measured, [], FREE)  # compile
    start = time.process_time()
    owners = assign_points(measured, [], FREE)
    seconds = time.process_time() - start
    config = SimulateConfig(**SceneReader(folder / "exact" / f"{name}.h5").config["simulate"])
    return score(folder.name, scene, measured, owners, know(config, scene, measured), seconds, details=details)


def know(config: SimulateConfig, scene: Scene, measured: Measurements) -> Truth:
    """Turn the lidar again, as it was turned for the recording, and ask what each beam met."""
    world = make_world(config, 0)
    rng = np.random.default_rng([config.seed, 0, 0x516])
    rng.integers(1_000_000)  # the recording's start comes first
    rig = make_rig(rng, width_px=config.width_px, height_px=config.height_px)
    things = []
    for k, sweep in enumerate(scene.sweeps):
        at_s = (sweep.timestamp_us - scene.sweeps[0].timestamp_us) * 1e-6
        turn = spin(world, rig, at_s, np.random.default_rng([config.seed, 0, 0x11DA, k]))
        points = scene.read_points(sweep)
        if not np.array_equal(points.xyz_lidar, turn.xyz_lidar):
            raise ValueError(f"{sweep.path}: not what this version of densegt simulates; simulate it anew")
        thing = np.where(turn.part >= 0, world.part_object[np.maximum(turn.part, 0)].astype(np.int64), 0) - 1
        things.append(thing[not_own(points.xyz_lidar, sweep, FREE.ego)])
    thing = np.concatenate(things)
    low = np.zeros(len(thing), dtype=np.bool_)
    for index in np.unique(thing[thing >= 0]):
        rows = np.flatnonzero(thing == index)
        up = in_box(world, world.things[index], measured, rows)[:, 2]
        low[rows] = up < FREE.tracks.ground_clearance_m - world.things[index].body.size_lwh_m[2] / 2
    return Truth(world, thing, low)


def box_poses(
    world: World, thing: Thing, t_s: NDArray[np.floating], origin: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Poses (N,4,4) of a thing's true box in global minus origin."""
    T: NDArray[np.float64] = world.T_global_world @ thing.T_world_box(np.asarray(t_s, dtype=np.float64))
    T[:, :3, 3] -= origin
    return T


def in_box(world: World, thing: Thing, measured: Measurements, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Measured points in the frame of the thing's true box at their own times."""
    T = box_poses(world, thing, measured.surfels.time_s[rows], measured.origin_global_m)
    return np.einsum("nji,nj->ni", T[:, :3, :3], measured.surfels.xyz[rows] - T[:, :3, 3])


def score(
    name: str,
    scene: Scene,
    measured: Measurements,
    owners: PointAssignment,
    truth: Truth,
    seconds: float,
    *,
    details: bool,
) -> Figures:
    """Recall, precision and the error of the motion."""
    surfels, world = measured.surfels, truth.world
    away = np.linalg.norm(surfels.xyz - measured.images.origin[surfels.sweep], axis=1)
    near, held = away <= MAX_RANGE_M, owners.owner >= 0
    moving = np.array([thing.moving for thing in world.things])
    on_mover = np.where(truth.thing >= 0, moving[truth.thing], False)
    wanted = near & on_mover & ~measured.mixed & ~truth.low
    asked = np.zeros(len(wanted), dtype=np.bool_)
    objects = 0
    for index in np.flatnonzero(moving):
        rows = np.flatnonzero((truth.thing == index) & wanted)
        count = np.bincount(surfels.sweep[rows], minlength=len(scene.sweeps))
        speed = speeds(world.things[index], measured.middle_s)
        counts = (count >= MIN_POINTS) & (speed > MIN_SPEED_MPS)
        rows = rows[counts[surfels.sweep[rows]]]
        asked[rows] = True
        objects += len(rows) > 0
        if details and len(rows):
            thing = world.things[index]
            label = "" if thing.labelled else " unlabelled"
            print(f"  {index} {thing.body.category}{label}: {len(rows)} points, recall {held[rows].mean():.3f}")
    errors, found_things, false = [], set(), 0
    for k, (track, _) in enumerate(owners.movers):
        rows = np.flatnonzero((owners.owner == k) & near)
        if not len(rows):
            continue
        right = on_mover[rows].mean()
        most = int(np.bincount(truth.thing[rows] + 1).argmax()) - 1
        if most >= 0 and moving[most]:
            found_things.add(most)
            errors.append(motion_errors(track, world, world.things[most], measured))
        else:
            false += 1
        if details:
            error = f"drift {errors[-1][0]:.2f} m, speed {errors[-1][1]:.2f} m/s" if most >= 0 and moving[most] else ""
            print(f"  {track.token} {track.category} {np.round(track.size_lwh_m, 1)}: {len(rows)} points, "
                  f"{right:.3f} right, mostly {most}, {error}")  # fmt: skip
    drift, speed_error = np.sqrt(np.mean(np.square(errors), axis=0)) if errors else (np.nan, np.nan)
    return Figures(
        world=name,
        recall=float(held[asked].mean()) if asked.any() else float("nan"),
        precision=float(on_mover[held & near].mean()) if (held & near).any() else float("nan"),
        points=int(asked.sum()),
        objects=objects,
        objects_found=len(found_things),
        tracks=len(owners.movers),
        false_tracks=false,
        drift_m=float(drift),
        speed_error_mps=float(speed_error),
        seconds=seconds,
    )


def speeds(thing: Thing, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Speed (N,) m/s at times (N,)."""
    step = thing.motion.state(t_s + 0.01)[:, :2] - thing.motion.state(t_s - 0.01)[:, :2]
    return np.asarray(np.linalg.norm(step, axis=1) / 0.02)


def motion_errors(track: ContinuousTrack, world: World, thing: Thing, measured: Measurements) -> tuple[float, float]:
    """Drift (m) of a found box in the true one's frame, and error of its velocity (m/s), root mean square."""
    t_s = (np.linspace(track.knots_us[0], track.knots_us[-1], 60) - measured.start_us) * 1e-6
    T = box_poses(world, thing, t_s, measured.origin_global_m)
    xyz = track.poses_at(measured.start_us + t_s * 1e6)[:, :3, 3] - measured.origin_global_m
    here = np.einsum("nji,nj->ni", T[:, :3, :3], xyz - T[:, :3, 3])
    drift = np.linalg.norm((here - here.mean(axis=0))[:, :2], axis=1)
    step_s = t_s[1] - t_s[0]
    velocity = np.gradient(xyz[:, :2] - T[:, :2, 3], step_s, axis=0)
    return float(np.sqrt(np.mean(drift**2))), float(np.sqrt(np.mean((velocity**2).sum(axis=1))))


if __name__ == "__main__":
    main()
