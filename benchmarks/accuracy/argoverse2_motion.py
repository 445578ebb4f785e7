"""What moves in a real pair of Argoverse 2 sweeps, against its scene-flow labels, by a network that never saw one.

python -m benchmarks.accuracy.argoverse2_motion /data/argoverse2 --checkpoint trained/motion.safetensors
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import examine
from densegt.datasets import open_recording
from densegt.motion_net.checkpoint import read_network, shipped_weights
from densegt.motion_net.infer import of_sweeps, votes_of_scene, with_reach
from densegt.motion_net.scans import SceneScans, read_scans

NOTES = """\
Points of the first sweep within 35 m of the car that are no ground, as Argoverse 2's benchmark counts them; dynamic is
what goes farther than 5 cm in 0.1 s. All static has the flow of what stands still: its end-point error on dynamic
points is what a method of scene flow has to beat. The network says how fast, not which way, so it has none.
"""
CONFIG = AccumulateConfig(motion="free", refine_poses=False)
NEAR_M, DYNAMIC_M = 35.0, 0.05


def main(arguments: Sequence[str] | None = None) -> None:
    """Score votes, and that nothing moves."""
    options = parser().parse_args(arguments)
    recording = open_recording(options.log)
    scene = examine(recording.scene(recording.scene_names[0]), CONFIG.lidar, sane=False).scene
    scans = read_scans(scene, CONFIG)
    net = with_reach(read_network(options.checkpoint or shipped_weights()), NEAR_M)
    net.config = net.config.model_copy(update={"farthest_s": options.farthest})
    votes = votes_of_scene(net, scans, CONFIG.free_space)
    (labels,) = recording.root.rglob("flow_labels.feather")
    flow, dynamic, ground = read_labels(labels)
    xyz, moving = in_file_order(scans, votes_by_sweep(scans, votes), len(dynamic))
    known = np.isfinite(moving) & (np.linalg.norm(xyz[:, :2], axis=1) < NEAR_M) & ~ground
    said = moving > 0.5
    hit, wrong, missed = (int((known & a).sum()) for a in (said & dynamic, said & ~dynamic, ~said & dynamic))
    print(f"{labels.parent.name}: {known.sum()} points, {(known & dynamic).sum()} dynamic")
    print(f"network: dynamic IoU {100 * hit / max(hit + wrong + missed, 1):.1f}, precision "
          f"{100 * hit / max(hit + wrong, 1):.1f}, recall {100 * hit / max(hit + missed, 1):.1f} %")  # fmt: skip
    still = static_flow(scene, xyz)
    error_m = np.linalg.norm(flow - still, axis=1)
    print(f"all static: dynamic IoU 0, EPE {error_m[known & dynamic].mean():.3f} m on dynamic, "
          f"{error_m[known & ~dynamic].mean():.3f} m on other points")  # fmt: skip
    print(NOTES)


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__ + NOTES, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("log", type=Path, help="with flow_labels.feather, of the first sweep, beside its sensors/")
    out.add_argument("--checkpoint", type=Path, metavar="FILE", help="of train-motion; else what ships")
    out.add_argument("--farthest", type=float, default=0.2, metavar="S", help="the network's scans lie so far apart")
    return out


def read_labels(path: Path) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Flow (N,3) m in 0.1 s, whether it moves (N,), whether it is ground (N,)."""
    from pyarrow import feather

    table = feather.read_table(path)
    columns = {name: table[name].to_numpy() for name in table.column_names}
    flow = np.stack([columns[f"flow_t{axis}_m"] for axis in "xyz"], axis=1).astype(np.float64)
    return flow, columns["dynamic"], columns["is_ground_0"]


def votes_by_sweep(scans: SceneScans, votes):  # type: ignore[no-untyped-def]
    """Of each of the first scan's sweeps: points in ego, and votes, in the order of its part of the file."""
    first = set(np.flatnonzero(scans.moments.moment == 0).tolist())
    return {k: told.moving for k, told in enumerate(of_sweeps(votes, scans)) if k in first}


def in_file_order(
    scans: SceneScans, moving: dict[int, NDArray[np.float32]], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Points (N,3) in ego and votes (N,) in the order of the file that two lidars share."""
    from densegt.datasets.argoverse2.sweep_file import read_returns

    sweeps = [scans.sweeps[k] for k in moving]
    returns = read_returns(sweeps[0].path)
    out = np.full(count, np.nan, dtype=np.float32)
    # Half of the lasers are one lidar's; each lidar's points keep the order of the file.
    half = returns.laser < 32
    for sweep, said in zip(sweeps, moving.values(), strict=True):
        rows = np.flatnonzero(half if len(said) == half.sum() else ~half)
        if len(rows) != len(said):
            raise ValueError(f"{sweep.path}: {len(said)} points of {sweep.lidar.channel}, {len(rows)} in the file")
        out[rows] = said
    return returns.xyz_ego.astype(np.float64), out


def static_flow(scene, xyz_ego: NDArray[np.float64]) -> NDArray[np.float64]:  # type: ignore[no-untyped-def]
    """Where points (N,3) of what stands still go until the next sweep, m, in ego."""
    first = scene.sweeps[0]
    later = next(s for s in scene.sweeps if s.timestamp_us - first.timestamp_us > 50_000)
    T = np.linalg.inv(later.T_global_ego) @ first.T_global_ego
    out: NDArray[np.float64] = xyz_ego @ T[:3, :3].T + T[:3, 3] - xyz_ego
    return out


if __name__ == "__main__":
    main()
