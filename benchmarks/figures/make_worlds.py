"""Draws the front pictures of twelve cities as one sheet.

python -m benchmarks.figures.make_worlds docs/figures/worlds.jpg
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from densegt.simulate.city import CityStreet
from densegt.simulate.config import SimulateConfig
from densegt.simulate.sensors.camera import expose

WIDTH_PX, HEIGHT_PX = 400, 225


def front_picture(street: CityStreet, seed: int) -> np.ndarray:
    """The front camera's picture (H,W,3), blue green red, at the beginning of a world."""
    config = SimulateConfig(seconds=1.0, seed=seed, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    drive = street.drive(config, 0, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    size = {"width_px": WIDTH_PX, "height_px": HEIGHT_PX}
    return expose(drive.world, drive.rig.cameras[0], drive.films[0], 0.0, rng, **size).rgb[..., ::-1]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="JPEG to write")
    parser.add_argument("ranges", nargs="?", default="city-varied", help="what cities are drawn from")
    return parser


def main(out: Path, ranges: str) -> None:
    """Write the sheet: four columns, three rows, seeds 0 to 11."""
    street = CityStreet(ranges)
    pictures = []
    for seed in range(12):
        pictures.append(front_picture(street, seed))
        print(f"world {seed + 1} of 12", file=sys.stderr)
    rows = [np.hstack(pictures[4 * k : 4 * k + 4]) for k in range(3)]
    cv2.imwrite(str(out), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main(**vars(parser().parse_args()))
