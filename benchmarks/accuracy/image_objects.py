"""2D boxes of simulated worlds as a detector might give them, in COCO's form: some missed, borders a little off.

python -m benchmarks.accuracy.image_objects --world city-17 --out city-17-boxes.json
densegt autolabel --dataroot city-17 --out labels --boxes-2d city-17-boxes.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from densegt.autolabel.boxes_2d import VEHICLE_KINDS, kind_of
from densegt.depth.store import SceneReader

MISSED, JITTER, LEAST_PX = 0.1, 0.04, 60
KINDS = (*VEHICLE_KINDS, "person", "bicycle")


def coco(world: Path, *, seed: int = 0) -> dict[str, Any]:
    """Boxes around what can be seen of each object, in COCO's form."""
    rng = np.random.default_rng(seed)
    images: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for path in sorted((world / "exact").glob("*.h5")):
        reader = SceneReader(path)
        categories = {int(one["id"]): str(one["category"]) for one in reader.config["objects"]}
        for record in reader:
            image = len(images) + 1
            height, width = record.depth_m.shape
            images.append({"id": image, "file_name": record.filename, "width": width, "height": height})
            for number, bounds in _visible(record.layers["object_id"]):
                kind = kind_of(categories[number])
                if kind is not None and rng.random() > MISSED:
                    x0, y0, x1, y1 = bounds + rng.normal(0, JITTER, 4) * np.tile(bounds[2:] - bounds[:2], 2)
                    of = KINDS.index("bicycle" if kind == "two-wheeler" else kind) + 1
                    bbox = np.round([x0, y0, max(x1 - x0, 1), max(y1 - y0, 1)], 1).tolist()
                    rows.append({"id": len(rows) + 1, "image_id": image, "category_id": of, "bbox": bbox})
    names = [{"id": k + 1, "name": name} for k, name in enumerate(KINDS)]
    return {"images": images, "annotations": rows, "categories": names}


def _visible(object_id: Any) -> Iterator[tuple[int, Any]]:
    """Each object's number, and x0, y0, x1, y1 px of what can be seen of it."""
    for number in np.unique(object_id[object_id > 0]).tolist():
        v, u = np.nonzero(object_id == number)
        if len(u) >= LEAST_PX:
            yield number, np.array([u.min(), v.min(), u.max() + 1, v.max() + 1], dtype=np.float64)


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--world", type=Path, required=True, metavar="DIR", help="of `densegt simulate`, one scene")
    out.add_argument("--out", type=Path, required=True, metavar="FILE")
    out.add_argument("--seed", type=int, default=0)
    return out


def main() -> None:
    """Write the file."""
    options = parser().parse_args()
    said = coco(options.world, seed=options.seed)
    options.out.write_text(json.dumps(said) + "\n")
    print(f"{options.out}: {len(said['annotations'])} boxes in {len(said['images'])} images")


if __name__ == "__main__":
    main()
