"""Seconds of one core that a city takes: its world, a turn of the lidar, a keyframe, and rays a second.

python -m benchmarks.speed.city 1
python -m benchmarks.speed.city 3 city-varied
"""

from __future__ import annotations

import os

os.environ["NUMBA_NUM_THREADS"] = "1"

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from densegt.geometry.camera import rays
from densegt.simulate.city import CityStreet
from densegt.simulate.config import SimulateConfig
from densegt.simulate.sensors.beams import cast_rays
from densegt.simulate.sensors.bundles import Rays
from densegt.simulate.sensors.casting import Caster

Answer = TypeVar("Answer")


def seconds(what: Callable[[], Answer]) -> tuple[float, Answer]:
    """Processor time of a call, and its answer."""
    began = time.process_time()
    answer = what()
    return time.process_time() - began, answer


def main(seed: int, ranges: str) -> None:
    """Print a line for each."""
    config = SimulateConfig(seconds=2.0, seed=seed)
    world_s, drive = seconds(lambda: CityStreet(ranges).drive(config, 0, np.random.default_rng(0)))
    triangles, objects = len(drive.world.look.material), len(drive.things)
    print(f"world            {world_s:6.2f} s, {triangles} triangles, {objects} objects")
    drive.spin(0.0, np.random.default_rng(0))
    turns = [seconds(lambda k=k: drive.spin(0.05 * k, np.random.default_rng(k)))[0] for k in range(10)]
    shots_s, _ = seconds(lambda: drive.expose(0.5))
    print(f"turn             {np.mean(turns):6.2f} s; six cameras of 800x450 {shots_s:.2f} s")
    print(f"keyframe         {sum(turns) + shots_s:6.2f} s for ten turns and six pictures")
    mount = drive.rig.cameras[0]
    way = rays(mount.K, 800, 450).reshape(-1, 3)
    T = drive.ego.T_world_body(np.zeros(1))[0] @ mount.T_ego_cam
    way = ((way / np.linalg.norm(way, axis=1, keepdims=True)) @ T[:3, :3].T).astype(np.float32)
    origin = np.broadcast_to(T[:3, 3].astype(np.float32), way.shape)
    caster: Caster = drive.world.standing
    embree_s = min(seconds(lambda: caster.cast(origin, way))[0] for _ in range(5))
    moments = np.zeros(len(way), dtype=np.int64)
    all_s = min(seconds(lambda: cast_rays(drive.world, Rays(origin, way, moments, np.zeros(1))))[0] for _ in range(5))
    embree, both = (len(way) / s / 1e6 for s in (embree_s, all_s))
    print(f"rays a second    {embree:6.2f} M at what stands, {both:.2f} M with movers")


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("seed", nargs="?", type=int, default=1)
    out.add_argument("ranges", nargs="?", default="city", help="YAML file or preset")
    return out


if __name__ == "__main__":
    options = parser().parse_args()
    main(options.seed, options.ranges)
