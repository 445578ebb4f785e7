"""How many of each kind move and stand, by place, in worlds of the city.

python -m benchmarks.accuracy.street_motion [RANGES] --worlds N
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from densegt.simulate.config import SimulateConfig
from densegt.simulate.movers.traffic import draw_things, ego_motion
from densegt.simulate.ranges import read_ranges
from densegt.simulate.street.terrain import make_terrain

SECONDS = 4.0
# What is nearer to a kerb than this, on the road, is at the kerb.
KERB_M = 2.0


def counts(ranges_name: str, worlds: int) -> Counter[tuple[str, str, bool]]:
    """Things of `worlds` worlds without fixtures, by kind, place and whether they move."""
    ranges, out = read_ranges(ranges_name), Counter[tuple[str, str, bool]]()
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        speed = ranges.draw(rng, "ego_speed_mps")
        terrain = make_terrain(rng, ranges, 1.3 * speed * SECONDS + 20)
        ego = ego_motion(rng, terrain, speed, SECONDS)
        config = SimulateConfig(seconds=SECONDS, seed=seed, unlabelled=0)
        half = terrain.section.half_width
        for thing in draw_things(rng, ranges, terrain, ego, np.zeros((0, 3)), config):
            xy = thing.T_world_box(np.array([SECONDS / 2]))[:, :2, 3]
            d = abs(terrain.along(xy)[0, 1])
            place = "beside" if d > half else "kerb" if d > half - KERB_M else "lane"
            out[thing.category, place, thing.moving] += 1
    return out


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ranges", nargs="?", default="city", help="what cities are drawn from")
    parser.add_argument("--worlds", type=int, default=8, help="how many, seeds from 0")
    return parser


def main(ranges: str, worlds: int) -> None:
    """A line for each kind in each place."""
    found = counts(ranges, worlds)
    for category, place in sorted({(c, p) for c, p, _ in found}):
        print(f"{category:36} {place:7} {found[category, place, True]:4} move, {found[category, place, False]:4} stand")


if __name__ == "__main__":
    main(**vars(parser().parse_args()))
