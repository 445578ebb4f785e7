"""The first sweeps of a recording as a data set of its own, each one a keyframe: to learn from, and test on the rest.

python -m benchmarks.accuracy.first_sweeps --dataroot kitti-street --count 20 --out first

Tables are rewritten, the files themselves are linked. It is for recordings whose cameras take an image at each sweep:
an image belongs to the sweep nearest in time. Annotations are left out, so that nothing but the recording is learned.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

Record = dict[str, Any]
LIDAR = "/LIDAR_TOP/"
EMPTY = ("sample_annotation", "instance")


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--dataroot", type=Path, required=True, metavar="DIR")
    out.add_argument("--count", type=int, required=True, metavar="N", help="sweeps to keep")
    out.add_argument("--out", type=Path, required=True, metavar="DIR")
    return out


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the folder."""
    options = parser().parse_args(arguments)
    (version,) = sorted(options.dataroot.glob("v1.0-*"))
    tables = {path.stem: json.loads(path.read_text()) for path in version.glob("*.json")}
    if len(tables["scene"]) != 1:
        parser().error(f"{options.dataroot}: {len(tables['scene'])} scenes; this is for one")
    folder = options.out / version.name
    folder.mkdir(parents=True)
    for name, records in first(tables, options.count).items():
        (folder / f"{name}.json").write_text(json.dumps(records))
    for name in ("samples", "sweeps", "maps"):
        if (options.dataroot / name).is_dir():
            (options.out / name).symlink_to((options.dataroot / name).resolve())


def first(tables: dict[str, list[Record]], count: int) -> dict[str, list[Record]]:
    """The tables with a sample for each of the first `count` sweeps."""
    data = sorted(tables["sample_data"], key=lambda record: record["timestamp"])
    sweeps = [record for record in data if LIDAR in record["filename"]]
    samples = [
        {"token": sweep["token"], "timestamp": sweep["timestamp"], "scene_token": tables["scene"][0]["token"]}
        for sweep in sweeps[:count]
    ]
    kept: dict[str, dict[str, Record]] = {}
    for record in data:
        nearest = min(sweeps, key=lambda sweep: abs(sweep["timestamp"] - record["timestamp"]))
        if nearest in sweeps[:count]:
            mine = kept.setdefault(record["calibrated_sensor_token"], {})
            # One image of each camera.
            mine.setdefault(nearest["token"], {**record, "sample_token": nearest["token"], "is_key_frame": True})
    datas = [list(mine.values()) for mine in kept.values()]
    for records in (samples, *datas):
        _chained(records)
    scene = {
        **tables["scene"][0], "nbr_samples": len(samples),
        "first_sample_token": samples[0]["token"], "last_sample_token": samples[-1]["token"],
    }  # fmt: skip
    changed = {"scene": [scene], "sample": samples, "sample_data": [record for mine in datas for record in mine]}
    return {**tables, **{name: [] for name in EMPTY}, **changed}


def _chained(records: list[Record]) -> None:
    """Each knows the one before and after."""
    records[0]["prev"] = records[-1]["next"] = ""
    for one, other in pairwise(records):
        one["next"], other["prev"] = other["token"], one["token"]


if __name__ == "__main__":
    main()
