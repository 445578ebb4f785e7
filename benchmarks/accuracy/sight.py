"""How often what leave-one-out calls surely seen is seen, on simulated streets whose exact depth is known.

    python -m benchmarks.accuracy.sight DATAROOT... [--every N]

A held-out point is not seen if it lies behind the exact surface by more than max(0.5 m, 5 %), in the 3x3 pixels around
it. Points whose pixel shows glass are told apart: beams go through panes. A world of two seconds takes half a minute.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.leave_one_out.scene import held_out_depth, held_out_keyframes, in_memory
from densegt.accumulation.leave_one_out.sight import Sight, Sights
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.datasets.scene import Scene
from densegt.depth.kind import Kind
from densegt.depth.matching import best_match
from densegt.depth.store import SceneReader

MAX_DEPTH_M = 60.0


def main() -> None:
    """Print a line a world and sight."""
    options = parser().parse_args()
    config = AccumulateConfig()
    for root in options.dataroots:
        recording = open_recording(root)
        table = sum(
            counts(in_memory(read_scene(recording, name, config)), root, config, options.every)
            for name in recording.scene_names
        )
        for sight in Sight:
            points, unseen, solid, solid_unseen = table[sight]
            share = f"{100 * points / table[:, 0].sum():.1f} % of {table[:, 0].sum()} points"
            rest = f"{100 * solid_unseen / max(solid, 1):.2f} %"
            print(f"{root.name}: {sight.name.lower()}: {share}, unseen {100 * unseen / max(points, 1):.2f} %, "
                  f"without glass {rest}", flush=True)  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("dataroots", nargs="+", type=Path, metavar="DATAROOT")
    out.add_argument("--every", type=int, default=1, metavar="N", help="only every n-th keyframe")
    return out


def counts(scene: Scene, root: Path, config: AccumulateConfig, every: int) -> np.ndarray:
    """(3,4): of each sight the points, those not seen, and both without pixels of glass."""
    exact, sights = SceneReader(root / "exact" / f"{scene.name}.h5"), Sights.of(scene, config)
    out = np.zeros((len(Sight), 4), dtype=np.int64)
    for keyframe in held_out_keyframes(scene)[::every]:
        for camera, truth in zip(keyframe.cameras, held_out_depth(scene, keyframe, config), strict=True):
            record = exact.read(camera.sample_token, camera.channel)
            points = (truth.depth_m > 0) & (truth.depth_m < MAX_DEPTH_M)
            sight = sights.of_points(truth.depth_m, camera, keyframe.sweeps)[points]
            unseen = best_match(truth.depth_m, record.depth_m, points) > 1
            solid = record.layers["kind"][points] != Kind.GLASS
            groups = (slice(None), unseen, solid, solid & unseen)
            out += np.stack([np.bincount(sight[group], minlength=len(Sight)) for group in groups], axis=1)
    return out


if __name__ == "__main__":
    main()
