"""A recording's statistics beside those of many worlds of the city: its median, and the worlds' 10, 50 and 90 %.

python -m benchmarks.accuracy.street_worlds DATAROOT city --worlds 14 --seed 100
python -m benchmarks.accuracy.street_worlds DATAROOT city-kitti --worlds 10 --seed 200
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.accuracy import street_statistics as of
from densegt.geometry.se3 import apply, inverse
from densegt.simulate.city import CityStreet
from densegt.simulate.config import SimulateConfig

STAMP_S = 1.0


def drawn(ranges: str, seeds: Iterable[int]) -> Iterator[of.Keyframe]:
    """One turn in each world, as it is recorded."""
    for seed in seeds:
        config = SimulateConfig(seconds=2.0, seed=seed)
        drive = CityStreet(ranges).drive(config, 0, np.random.default_rng([seed, 0, 0x516]))
        points = drive.spin(STAMP_S, np.random.default_rng(0)).points
        t = np.array([STAMP_S])
        T_ego_world = inverse(drive.ego.T_world_body(t)[0])
        boxes = [(b.category, T_ego_world @ b.T_world_box(t)[0], np.asarray(b.size_lwh_m)) for b in drive.things]
        size = (config.width_px, config.height_px)
        cameras = [(inverse(mount.T_ego_cam), mount.K, size) for mount in drive.rig.cameras]
        yield of.Keyframe(points, apply(drive.rig.T_ego_lidar, points[:, :3]), boxes, cameras)


def figures(frame: of.Keyframe) -> dict[str, float]:
    """Every statistic of one keyframe; NaN where there is nothing to measure."""
    out = {"beams without return %": 100 * of.lost_beams(frame)}
    for (low, high), share in zip(pairwise(of.RANGES_M), of.by_range(frame), strict=True):
        out[f"points at {low:g}-{high:g} m %"] = 100 * float(share)
    for name, values in of.intensities(frame).items():
        for q in (10, 50, 90):
            out[f"intensity of {name}, {q} %"] = float(np.percentile(values, q)) if len(values) > 10 else np.nan
    gaps = of.ring_gaps(frame)
    for q in (10, 50, 90):
        out[f"ring gap 5-15 m ahead, {q} %, m"] = float(np.percentile(gaps, q)) if len(gaps) else np.nan
    out["cells at depth edges %"] = 100 * of.edge_share(frame)
    for (low, high), counts in zip(pairwise(of.CARS_M), of.points_on_cars(frame), strict=True):
        out[f"points on a car at {low:g}-{high:g} m"] = float(np.median(counts)) if counts else np.nan
    return out


def parser() -> argparse.ArgumentParser:
    """The command line."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("root", type=Path, metavar="DATAROOT", help="folder in nuScenes format")
    out.add_argument("ranges", nargs="?", default="city", help="YAML file or preset")
    out.add_argument("--worlds", type=int, default=14)
    out.add_argument("--seed", type=int, default=0, help="of the first world")
    return out


def main(root: Path, ranges: str, worlds: int, seed: int) -> None:
    """A table; differences over twofold are marked."""
    recorded = [figures(frame) for frame in of.keyframes(root)]
    simulated = [figures(frame) for frame in drawn(ranges, range(seed, seed + worlds))]
    print(f"| | {root.name} | {ranges}, 10/50/90 % of {worlds} worlds |\n| --- | --- | --- |")
    for name in recorded[0]:
        real = np.array([row[name] for row in recorded])
        if np.isfinite(real).any():
            middle = float(np.nanmedian(real))
            low, half, high = np.nanpercentile([row[name] for row in simulated], [10, 50, 90])
            mark = "" if middle <= 2 * half and half <= 2 * middle else " *"
            print(f"| {name}{mark} | {middle:.3g} | {low:.3g}/{half:.3g}/{high:.3g} |")


if __name__ == "__main__":
    main(**vars(parser().parse_args()))
