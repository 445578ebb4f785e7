"""What errors of boxes and ego poses cost, and what refinement takes back, on simulated worlds whose truth is known.

python -m benchmarks.accuracy.noise --seeds 11 12 303 --seconds 4 --cache /tmp/worlds
python -m benchmarks.accuracy.noise --worlds world-a --noise both --markdown noise.md

Noise is laid over a world that was recorded without any, so that exact depth, motions and poses are at hand:
boxes: each 0.1 m (z half of it), 1 degree of yaw, and each object's size 5 % off;
drift: poses 2 cm (z 5 cm) and 0.05 degree off, new every 1.5 s and smooth between; boxes were drawn through them;
jitter: each pose by itself 2 cm and 0.05 degree off, and z slowly by 5 cm; boxes were drawn through them.
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    # One core, so that seconds can be compared; read when numpy and numba start.
    os.environ.update(NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from benchmarks.accuracy.ablation import simulated
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.measurements import measure_scene
from densegt.accumulation.motion.track_refinement import refine_tracks
from densegt.accumulation.motion.tracks import moving_tracks
from densegt.accumulation.pipeline import accumulate_scene
from densegt.accumulation.poses.refinement import refine_poses
from densegt.accumulation.scene_input import read_scene
from densegt.accumulation.sweep_returns import read_returns
from densegt.datasets import open_recording
from densegt.datasets.scene import Scene
from densegt.depth.metrics import DepthMetrics
from densegt.depth.steps import decode_depth, encode_depth
from densegt.depth.store import SceneReader, scene_files
from densegt.geometry import se3

Float64 = NDArray[np.float64]

NOISE = {"none": (), "boxes": ("boxes",), "drift": ("drift",), "jitter": ("jitter",), "both": ("boxes", "drift")}
COLUMNS = ("right %", "outliers %", "on movers %", "track cm", "track deg", "pose cm", "pose z cm", "pose deg")


@dataclass(frozen=True)
class Row:
    """A kind of noise with or without refinement: `COLUMNS`, one line a world."""

    noise: str
    refined: bool
    figures: list[list[float]]

    def cells(self) -> list[str]:
        """In words: the mean over worlds."""
        return [f"{value:.2f}" for value in np.mean(self.figures, axis=0)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every noise with and without refinement on every world; print, and write what was asked for."""
    options = parser().parse_args(arguments)
    folders = options.worlds or [simulated(options.cache, seed, options.seconds) for seed in options.seeds]
    rows = []
    for noise in options.noise:
        for refined in (False, True):
            rows.append(Row(noise, refined, [figures(folder, noise, refined) for folder in folders]))
            print(noise, "refined" if refined else "as recorded", *rows[-1].cells(), file=sys.stderr)
    table = Table("noise", "refined", *COLUMNS)
    for row in rows:
        table.add_row(row.noise, "yes" if row.refined else "no", *row.cells(), end_section=row.refined)
    Console(width=140).print(table)
    if options.markdown:
        options.markdown.write_text(as_markdown(rows, folders))


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = out.add_mutually_exclusive_group(required=True)
    which.add_argument("--worlds", nargs="+", type=Path, metavar="DIR", help="recorded by `densegt simulate`, no noise")
    which.add_argument("--seeds", nargs="+", type=int, metavar="K", help="simulate these worlds, unless in --cache")
    out.add_argument("--seconds", type=float, default=4.0, help="length of a simulated world")
    out.add_argument("--cache", type=Path, default=Path("worlds"), help="where simulated worlds are kept")
    out.add_argument("--noise", nargs="+", choices=NOISE, default=list(NOISE), help="only these")
    out.add_argument("--markdown", type=Path, metavar="FILE")
    return out


def figures(folder: Path, noise: str, refined: bool) -> list[float]:
    """`COLUMNS` of one world."""
    dataset, metrics = open_recording(folder), DepthMetrics()
    off, tracks_off, poses_off = chosen(refined), [], []
    for file in scene_files(folder / "exact"):
        true, exact = read_scene(dataset, file.stem, AccumulateConfig()), SceneReader(file)
        noisy = spoilt(true, NOISE[noise], np.random.default_rng([len(NOISE[noise]), 77]))
        for camera, depth in accumulate_scene(noisy, off):
            truth = exact.read(camera.sample_token, camera.channel)
            metrics.update(decode_depth(encode_depth(depth.depth_m)), truth.depth_m, kind=truth.layers["kind"])
        path = refine_poses(noisy, read_returns(noisy, off), off)
        tracks_off.append(track_errors(path, true, off))
        poses_off.append(pose_errors(path, true))
    summary = metrics.compute()
    movers = summary.by_kind["labelled_mover"].outlier_percent if "labelled_mover" in summary.by_kind else None
    return [
        summary.all.right_percent,
        summary.all.outlier_percent,
        np.nan if movers is None else movers,
        *np.mean(tracks_off, axis=0),
        *np.mean(poses_off, axis=0),
    ]


def chosen(refined: bool) -> AccumulateConfig:
    """The configuration with both refinements or with neither."""
    return AccumulateConfig.model_validate({"refine_poses": refined, "tracks": {"refine": {"enabled": refined}}})


def spoilt(scene: Scene, what: Sequence[str], rng: np.random.Generator) -> Scene:
    """A scene recorded without noise, with noise."""
    if "boxes" in what:
        tracks = []
        for track in scene.tracks:
            T = np.stack([wrong(T, rng.normal(0, [0.1, 0.1, 0.05, 0, 0, np.deg2rad(1)])) for T in track.T_global_box])
            size = track.size_lwh_m * (1 + rng.normal(0, 0.05, 3))
            tracks.append(replace(track, T_global_box=T, size_lwh_m=size))
        scene = replace(scene, tracks=tuple(tracks))
    for kind in set(what) & {"drift", "jitter"}:
        scene = on_wrong_poses(scene, kind, rng)
    return scene


def on_wrong_poses(scene: Scene, kind: str, rng: np.random.Generator) -> Scene:
    """Sweeps and cameras with wrong poses, and boxes where one draws them who believes those of the sweeps."""
    stamps = np.array([s.timestamp_us for s in scene.sweeps])
    seconds = np.arange(-1.5, (stamps[-1] - stamps[0]) * 1e-6 + 3.0, 1.5)
    turn = np.deg2rad(0.05)
    slow = [0.02, 0.02, 0.05, turn, turn, turn] if kind == "drift" else [0, 0, 0.05, 0, 0, 0]
    fast = [0.0] * 6 if kind == "drift" else [0.02, 0.02, 0.02, turn, turn, turn]
    drift = CubicSpline(seconds, rng.normal(0, 1, (len(seconds), 6)) * slow, axis=0)

    def recorded(T: Float64, stamp_us: int) -> Float64:
        return wrong(T, drift((stamp_us - stamps[0]) * 1e-6) + rng.normal(0, 1, 6) * fast)

    sweeps = tuple(replace(s, T_global_ego=recorded(s.T_global_ego, s.timestamp_us)) for s in scene.sweeps)
    cameras = tuple(replace(c, T_global_ego=recorded(c.T_global_ego, c.timestamp_us)) for c in scene.cameras)
    tracks = []
    for track in scene.tracks:
        near = np.abs(stamps - track.timestamps_us[:, None]).argmin(axis=1)
        seen = [se3.inverse(scene.sweeps[s].T_global_ego) @ T for s, T in zip(near, track.T_global_box, strict=True)]
        drawn = np.stack([sweeps[s].T_global_ego @ T for s, T in zip(near, seen, strict=True)])
        tracks.append(replace(track, T_global_box=drawn))
    return replace(scene, sweeps=sweeps, cameras=cameras, tracks=tuple(tracks))


def wrong(T: Float64, error: Float64) -> Float64:
    """A pose (4,4) shifted by three metres and turned by a rotation vector of three rad."""
    out = T.copy()
    out[:3, :3] = Rotation.from_rotvec(error[3:]).as_matrix() @ T[:3, :3]
    out[:3, 3] += error[:3]
    return out


def track_errors(noisy: Scene, true: Scene, config: AccumulateConfig) -> tuple[float, float]:
    """RMS over moving objects and times: how far a track wanders from the truth as the ego sees it, cm; and turns, deg.

    What is common to all times does no harm, since an object's points are carried along the same track back and forth.
    """
    drawn = moving_tracks(noisy, config.tracks)
    truth = {track.token: track for track in moving_tracks(true, config.tracks)}
    measured = measure_scene(noisy, read_returns(noisy, config), config)
    off, turned = [], []
    for track in refine_tracks(drawn, measured, config.tracks):
        if track.token not in truth or len(track.knots_us) < 2:
            continue
        sweeps = [
            (a, b)
            for a, b in zip(noisy.sweeps, true.sweeps, strict=True)
            if track.knots_us[0] <= a.timestamp_us <= track.knots_us[-1]
        ]
        t_us = np.array([a.timestamp_us for a, _ in sweeps], dtype=np.float64)
        seen, exact = track.poses_at(t_us), truth[track.token].poses_at(t_us)
        seen = se3.inverse(np.stack([a.T_global_ego for a, _ in sweeps])) @ seen
        exact = se3.inverse(np.stack([b.T_global_ego for _, b in sweeps])) @ exact
        D = se3.inverse(exact) @ seen
        yaw = np.rad2deg(np.arctan2(D[:, 1, 0], D[:, 0, 0]))
        off.append(((D[:, :3, 3] - D[:, :3, 3].mean(axis=0)) ** 2).sum(axis=1).mean())
        turned.append(yaw.var())
    return 100 * float(np.sqrt(np.mean(off))), float(np.sqrt(np.mean(turned)))


def pose_errors(noisy: Scene, true: Scene) -> tuple[float, float, float]:
    """RMS over sweeps, less what is common to all: sideways and along, cm; in height, cm; turned, deg."""
    D = np.stack([se3.inverse(b.T_global_ego) @ a.T_global_ego for a, b in zip(noisy.sweeps, true.sweeps, strict=True)])
    turn = Rotation.from_matrix(D[:, :3, :3]).as_rotvec()
    place = D[:, :3, 3] - D[:, :3, 3].mean(axis=0)
    flat, up, turned = (
        np.sqrt((v**2).sum(axis=1).mean()) for v in (place[:, :2], place[:, 2:], turn - turn.mean(axis=0))
    )
    return 100 * float(flat), 100 * float(up), float(np.rad2deg(turned))


def as_markdown(rows: Sequence[Row], folders: Sequence[Path]) -> str:
    """The page that the docs quote."""
    lines = ["| " + " | ".join(("noise", "refined", *COLUMNS)) + " |", "| --- | --- |" + " ---: |" * len(COLUMNS)]
    lines += [f"| {r.noise} | {'yes' if r.refined else 'no'} | " + " | ".join(r.cells()) + " |" for r in rows]
    worlds = ", ".join(folder.name for folder in folders)
    return "\n".join(["# Noise of boxes and ego poses", "", f"Means over {worlds}.", "", *lines, "", __doc__ or ""])


if __name__ == "__main__":
    main()
