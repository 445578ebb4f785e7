"""Voxels of densegt and of usual ways to make them, against exact ones.

    python -m benchmarks.accuracy.occupancy --worlds WORLD... [--json FILE]

Worlds are simulated cities (`densegt simulate --street city`). The other ways are written from their descriptions: ten
sweeps into voxels as they are; and boxes cut out and carried along, all else of the scene gathered (SurroundOcc's way,
without its Poisson surface). They know occupied voxels alone: all others count as free. So that all are scored on the
same voxels, the first table is of those that some beam of the scene reached, where what a method leaves unobserved
counts as not occupied and not free; the second is of what densegt itself calls observed. Classes are those of boxes and
of the keyframes' points, which have exact labels, as nuScenes' have by lidarseg.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.pipeline import build_cloud
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.datasets.scene import Scene, Sweep
from densegt.depth.store import SceneReader
from densegt.geometry import se3
from densegt.kernels.carve_beams import CarveRule, Passes
from densegt.motion_net.classes import class_of_simulated
from densegt.occupancy.beams import SceneBeams, where_measured
from densegt.occupancy.classes import ClassifiedPoints, SceneClasses, classes_at, code_of_index
from densegt.occupancy.config import OccupancyConfig
from densegt.occupancy.evaluate import Said, exact_keyframe, score_keyframe
from densegt.occupancy.exact import ExactScene
from densegt.occupancy.figures import OccupancyScores
from densegt.occupancy.grid import VoxelGrid, open_grid
from densegt.occupancy.job import object_classes
from densegt.occupancy.labels import labelled_points
from densegt.occupancy.pipeline import grid_frames, occupancy_at
from densegt.occupancy.voxels import GridFrame, Occupancy, State
from densegt.simulate.meshes.semantic import Semantic

SWEEPS = 10
Clouds = dict[str, Cloud]
MOTIONS: dict[str, Literal["auto", "boxes", "free"]] = {"all": "auto", "boxes": "boxes", "unlabelled": "free"}
METHODS = ("ten sweeps", "boxes, whole scene", "densegt", "densegt, no labels")
EVERYWHERE = CarveRule(0.0, 0.0, -10.0, 0.0, 0.0)


def filled(grid: VoxelGrid, places: list[np.ndarray]) -> np.ndarray:
    """States (X,Y,Z): occupied where a place (N,3) in voxels lies, free elsewhere."""
    state = np.full(grid.shape, State.FREE, np.uint8)
    for xyz in places:
        at = np.floor(xyz).astype(int)
        at = at[((at >= 0) & (at < grid.shape)).all(axis=1)]
        state[tuple(at.T)] = State.OCCUPIED
    return state


def ten_sweeps(cloud: Cloud, frame: GridFrame) -> tuple[np.ndarray, np.ndarray]:
    """The keyframe's sweep and those before it, as they are; nothing is known to move."""
    T, wanted = frame.T_voxel_local(cloud.origin_global_m), np.arange(frame.sweep - SWEEPS + 1, frame.sweep + 1)
    gathered = [cloud.static, cloud.transient, *(where_measured(cloud, t, s) for t, s in cloud.movers if len(s))]
    places = [se3.apply(T, surfels.xyz[np.isin(surfels.sweep, wanted)]) for surfels in gathered]
    return filled(frame.grid, places), np.zeros(frame.grid.shape, np.bool_)


def boxes_whole_scene(cloud: Cloud, frame: GridFrame) -> tuple[np.ndarray, np.ndarray]:
    """All sweeps; what lies in a moving box is carried along to where the box is at the keyframe.

    Args:
        cloud: made with boxes alone.
    """
    carried, now_us = [], np.array([frame.timestamp_us], np.float64)
    for track, surfels in cloud.movers:
        if track.known_at(now_us)[0]:
            carried.append(se3.apply(frame.T_voxel_global @ track.poses_at(now_us)[0], surfels.xyz))
    moves = filled(frame.grid, carried) == State.OCCUPIED
    standing = se3.apply(frame.T_voxel_local(cloud.origin_global_m), cloud.static.xyz)
    return filled(frame.grid, [standing, *carried]), moves


def reached(cloud: Cloud, beams: SceneBeams, frame: GridFrame) -> np.ndarray:
    """Voxels (X,Y,Z) that some beam of the scene came to."""
    passes = Passes(*(np.zeros(frame.grid.shape, np.uint16) for _ in Passes._fields))
    everyone = np.ones(len(cloud.sweep_times_s), np.bool_)
    beams.carve(everyone, frame.T_voxel_local(cloud.origin_global_m), EVERYWHERE, passes)
    return passes.beams > 0


def clouds(scene: Scene) -> Clouds:
    """A scene gathered with everything, with boxes alone, and without any label."""
    return {name: build_cloud(scene, OccupancyConfig(motion=motion)) for name, motion in MOTIONS.items()}


def labelled(folder: Path, scene: Scene) -> ClassifiedPoints:
    """The keyframes' points with their exact classes, as nuScenes has them by lidarseg."""
    code = np.array([code_of_index(class_of_simulated(s.name.lower())) for s in sorted(Semantic)], np.uint8)

    def labels(sweep: Sweep, count: int) -> np.ndarray:
        with np.load(folder / "exact" / "lidar" / scene.name / f"{sweep.timestamp_us}.npz") as exact:
            found: np.ndarray = code[exact["semantic"]]
        assert len(found) == count
        return found

    return labelled_points(scene, labels)


def said_of(voxels: Occupancy, classes: SceneClasses | None) -> Said:
    """What densegt says, to be scored everywhere."""
    everywhere = np.ones(voxels.grid.shape, np.bool_)
    code = None if classes is None else classes_at(voxels, classes)
    return Said(voxels.state, voxels.mover >= 0, everywhere, voxels.mask_camera, code, voxels.flow_mps)


def states(
    made: Clouds, scene: Scene, grid: VoxelGrid, classes: SceneClasses, every: int
) -> Iterator[tuple[GridFrame, dict[str, Said], np.ndarray]]:
    """Of each keyframe: what each method says; and which voxels (X,Y,Z) beams came to."""
    beams = {name: SceneBeams.of(cloud) for name, cloud in made.items()}
    for frame in grid_frames(made["all"], scene, grid)[every // 2 :: every]:
        ours, unlabelled = (
            occupancy_at(made[name], beams[name], frame, OccupancyConfig(motion=MOTIONS[name]))
            for name in ("all", "unlabelled")
        )
        everywhere = np.ones(grid.shape, np.bool_)
        yield (
            frame,
            {
                "ten sweeps": Said(*ten_sweeps(made["all"], frame), everywhere),
                "boxes, whole scene": Said(*boxes_whole_scene(made["boxes"], frame), everywhere),
                "densegt": said_of(ours, classes),
                "densegt, no labels": said_of(unlabelled, None),
            },
            reached(made["all"], beams["all"], frame),
        )


def score(worlds: list[Path], grid: VoxelGrid, every: int) -> dict[str, dict[str, OccupancyScores]]:
    """Scores by table and method."""
    tables = {name: {method: OccupancyScores() for method in METHODS} for name in ("reached", "observed")}
    for folder in worlds:
        recording = open_recording(folder)
        for name in recording.scene_names:
            scene, exact = read_scene(recording, name, AccumulateConfig()), ExactScene(folder, name)
            images = list(SceneReader(folder / "exact" / f"{name}.h5"))
            made, known = clouds(scene), object_classes(recording, name)
            classes = SceneClasses.of(made["all"], scene, known, labelled(folder, scene))
            for frame, methods, beams in states(made, scene, grid, classes, every):
                mine = [image for image in images if image.sample_token == frame.sample_token]
                truth = exact_keyframe(exact, grid, frame.timestamp_us, mine)
                observed = methods["densegt"].state != State.UNOBSERVED
                for method, said in methods.items():
                    score_keyframe(tables["reached"][method], replace(said, among=beams), truth)
                    score_keyframe(tables["observed"][method], replace(said, among=observed), truth)
    return tables


ROWS = {
    "occupied IoU": "occupied_iou",
    "free IoU": "free_iou",
    "occupied precision": "occupied_precision",
    "free precision": "free_precision",
    "movers: recall": "mover_recall",
    "movers: precision": "mover_precision",
    "a mover's wake occupied": "wake_occupied",
    "the same, apart from true surfaces": "trail_occupied",
    "flow of movers right within 0.5 m/s": "flow_right",
    "flow where nothing moves": "still_with_flow",
    "classes: mean IoU": "class_miou",
    "classes: mean IoU of things": "class_miou_things",
    "RayIoU": "ray_iou",
    "camera mask agrees with that of exact voxels": "mask_agreement",
    "camera mask agrees with exact depth": "mask_by_depth_agreement",
    "camera mask IoU": "mask_iou",
}


def as_table(scores: dict[str, OccupancyScores]) -> str:
    """Percentages by method, and recall by kind and IoU by range."""
    figures = {method: score.compute() for method, score in scores.items()}
    rows = {title: {m: f[key] for m, f in figures.items()} for title, key in ROWS.items()}
    for kind in figures["densegt"]["recall_by_kind"]:
        rows[f"recall of {kind}"] = {m: f["recall_by_kind"].get(kind) for m, f in figures.items()}
    for name in figures["densegt"]["class_iou"]:
        rows[f"IoU of {name.replace('_', ' ')}"] = {m: f["class_iou"].get(name) for m, f in figures.items()}
    for part in figures["densegt"]["by_range_m"]:
        rows[f"occupied IoU, {part} m"] = {m: f["by_range_m"][part]["occupied_iou"] for m, f in figures.items()}
    lines = [f"| % | {' | '.join(figures)} |", f"| --- |{' --- |' * len(figures)}"]
    for title, values in rows.items():
        said = ("-" if value is None else f"{value:.1f}" for value in values.values())
        lines.append(f"| {title} | {' | '.join(said)} |")
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--worlds", type=Path, nargs="+", required=True)
    out.add_argument("--grid", default="occ3d")
    out.add_argument(
        "--every", type=int, default=1, help="keyframes from one that is scored to the next; begins half as far in"
    )
    out.add_argument("--json", type=Path)
    return out


def main() -> None:
    arguments = parser().parse_args()
    tables = score(arguments.worlds, open_grid(arguments.grid), arguments.every)
    for name, scores in tables.items():
        print(f"\nVoxels {name}:\n\n{as_table(scores)}")
    if arguments.json:
        said = {name: {m: s.compute() for m, s in scores.items()} for name, scores in tables.items()}
        arguments.json.write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main()
