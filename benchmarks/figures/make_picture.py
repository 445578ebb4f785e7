"""Draw docs/picture.jpg from a demo's folder: image, one sweep, densegt's depth, its error.

densegt demo && python -m benchmarks.figures.make_picture densegt-demo docs/picture.jpg
"""

from __future__ import annotations

from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.datasets import open_recording
from densegt.datasets.scene import Camera, Points, Sweep
from densegt.depth.store import SceneReader, scene_files
from densegt.geometry import camera as pinhole
from densegt.geometry import se3
from densegt.report.draw import colour_depth, error_picture, overlay

TITLE_PX = 34
GAP_PX = 6
QUALITY = 80

Picture = NDArray[np.uint8]


@click.command()
@click.argument("demo", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--channel", default="CAM_FRONT", show_default=True)
@click.option("--keyframe", default=3, show_default=True, help="Which keyframe, counted from 0.")
def main(demo: Path, out: Path, channel: str, keyframe: int) -> None:
    """Draw one exposure of a demo in four panels."""
    reader, exact = (SceneReader(scene_files(folder)[0]) for folder in (demo / "depth", demo / "world" / "exact"))
    scene = open_recording(demo / "world").scene(reader.scene, cameras=[channel])
    exposure = scene.cameras[keyframe]
    sweep = next(s for s in scene.sweeps if s.is_keyframe and s.sample_token == exposure.sample_token)
    image = np.asarray(cv2.imread(str(exposure.image_path)), dtype=np.uint8)[..., ::-1]
    depth_m = reader.read(exposure.sample_token, channel).depth_m
    truth_m = exact.read(exposure.sample_token, channel).depth_m
    panels = [
        titled("camera image (simulated)", image),
        titled("one lidar sweep", draw_sweep(image, scene.read_points(sweep), sweep, exposure)),
        titled("densegt: depth from all sweeps", overlay(image, depth_m)),
        titled("error: green right, red too far, blue too near", error_picture(depth_m, truth_m)),
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out), grid(panels)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    click.echo(f"{out}: {out.stat().st_size / 1e3:.0f} kB")


def draw_sweep(image: Picture, points: Points, sweep: Sweep, exposure: Camera) -> Picture:
    """Each return as a dot in the colour of its depth, over the dimmed image; nothing hides anything."""
    T_cam_lidar = se3.inverse(exposure.T_global_cam) @ sweep.T_global_lidar
    uv, depth_m = pinhole.project(exposure.K, se3.apply(T_cam_lidar, points.xyz_lidar))
    picture = np.repeat((0.45 * image.mean(axis=-1, keepdims=True)).astype(np.uint8), 3, axis=-1)
    shown = (depth_m > 1) & (uv > -1).all(axis=1) & (uv < (exposure.width_px, exposure.height_px)).all(axis=1)
    for i in np.flatnonzero(shown)[np.argsort(-depth_m[shown])]:
        colour = colour_depth(np.array([[depth_m[i]]], dtype=np.float32))[0, 0]
        centre = (round(float(uv[i, 0])), round(float(uv[i, 1])))
        cv2.circle(picture, centre, 1, colour.tolist(), -1, cv2.LINE_AA)
    return picture


def titled(title: str, picture: Picture) -> Picture:
    """A picture under a line of text."""
    bar = np.full((TITLE_PX, picture.shape[1], 3), 255, dtype=np.uint8)
    cv2.putText(bar, title, (4, TITLE_PX - 11), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (30, 30, 30), 1, cv2.LINE_AA)
    return np.vstack([bar, picture])


def grid(panels: list[Picture]) -> Picture:
    """Four panels, two by two."""
    down = np.full((panels[0].shape[0], GAP_PX, 3), 255, dtype=np.uint8)
    rows = [np.hstack([left, down, right]) for left, right in (panels[:2], panels[2:])]
    return np.vstack(rows)


if __name__ == "__main__":
    main()
