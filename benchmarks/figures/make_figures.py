"""Draw the figures of the documentation from a demo's folder: how depth comes about, and where it fails.

densegt demo --street simple --image-size 800x450 --seed 21 --seconds 5
python -m benchmarks.figures.make_figures densegt-demo docs/figures
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.figures.make_picture import draw_sweep
from densegt.accumulation.cloud import Cloud
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.pipeline import build_cloud
from densegt.accumulation.scene_input import read_scene
from densegt.accumulation.z_buffer_baseline import global_returns, z_buffer_baseline
from densegt.datasets import open_recording
from densegt.datasets.scene import Camera, Scene
from densegt.depth.edges import near_edges
from densegt.depth.kind import Kind
from densegt.depth.matching import best_match, known
from densegt.depth.store import ImageRecord, SceneReader, scene_files
from densegt.report.draw import error_picture, overlay, source_picture
from densegt.view.cloud import scene_cloud
from densegt.view.legend import legend
from densegt.view.pixels import age_classes

Picture = NDArray[np.uint8]
CROP_PX = (240, 135)


@click.command()
@click.argument("demo", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--channel", default="CAM_FRONT", show_default=True)
@click.option("--keyframe", default=3, show_default=True, help="Which keyframe, counted from 0.")
def main(demo: Path, out: Path, channel: str, keyframe: int) -> None:
    """Draw every figure of the documentation."""
    out.mkdir(parents=True, exist_ok=True)
    reader, completed, exact = (
        SceneReader(scene_files(demo / folder)[0]) for folder in ("depth", "completed", "world/exact")
    )
    scene = read_scene(open_recording(demo / "world"), reader.scene, AccumulateConfig())
    exposure = [camera for camera in scene.cameras if camera.channel == channel][keyframe]
    key = (exposure.sample_token, channel)
    draw_clouds(scene, build_cloud(scene, AccumulateConfig()), exposure, out / "clouds.png")
    draw_methods(scene, exposure, reader.read(*key), exact.read(*key), out / "methods.jpg")
    draw_layers(reader.read(*key), completed.read(*key), image_of(exposure), out / "layers.jpg")
    draw_failures(demo / "world", reader, exact, out / "failures.jpg")
    for path in sorted(out.iterdir()):
        click.echo(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


def draw_clouds(scene: Scene, cloud: Cloud, exposure: Camera, path: Path) -> None:
    """From above: where points were seen, and where they belong at one exposure."""
    few = scene_cloud(cloud, np.array([exposure.timestamp_us]), max_points=60_000)
    middle = exposure.T_global_cam[:3, 3] - few.origin_global_m
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    for axes, title, compensated in zip(
        figure.subplots(1, 2),
        ("as the sweeps saw them", "motion-compensated along their tracks"),
        (False, True),
        strict=True,
    ):
        axes.scatter(*few.static[:, :2].T, s=0.35, color="#7c8796", linewidths=0)
        for mover in few.movers:
            T = mover.T_origin_box[0]
            if not np.isnan(T).any():
                xyz = mover.xyz_box @ T[:3, :3].T + T[:3, 3] if compensated else mover.xyz_seen
                axes.scatter(*xyz[:, :2].T, s=0.6, color="#e5484d" if mover.labelled else "#f59e0b", linewidths=0)
        axes.set(xlim=middle[0] + np.array([-40, 40]), ylim=middle[1] + np.array([-32, 32]), aspect="equal")
        axes.set(title=f"Moving objects {title}", xlabel="x m", ylabel="y m")
    figure.savefig(path, dpi=95)


def draw_methods(scene: Scene, exposure: Camera, depth: ImageRecord, exact: ImageRecord, path: Path) -> None:
    """One exposure, three ways to its depth, and how right each is."""
    image = image_of(exposure)
    sweep = next(s for s in scene.sweeps if s.is_keyframe and s.sample_token == exposure.sample_token)
    pooled = z_buffer_baseline(
        global_returns(scene, AccumulateConfig()), exposure, np.ones(len(scene.sweeps), dtype=bool), max_depth_m=100
    )
    rows = [
        ("one sweep", draw_sweep(image, scene.read_points(sweep), sweep, exposure), None),
        ("all sweeps, z-buffer", overlay(image, pooled), pooled),
        ("densegt", overlay(image, depth.depth_m), depth.depth_m),
    ]
    titles, pictures = [], []
    for title, picture, depth_m in rows:
        titles.append(title)
        pictures.append(picture)
        if depth_m is not None:
            titles.append(f"{title}: error")
            pictures.append(error_picture(depth_m, exact.depth_m))
    titles.insert(1, "exact depth")
    pictures.insert(1, overlay(image, exact.depth_m))
    panels(titles, pictures, 2, path)


def draw_layers(depth: ImageRecord, completed: ImageRecord, image: Picture, path: Path) -> None:
    """What a store says of one image."""
    colours = legend()
    age = np.vstack([[colours["nothing"]], colours["age"]["colours"]]).astype(np.uint8)
    sure = np.array(colours["confidence"]["colours"], dtype=np.uint8)
    has = known(depth.depth_m)
    confidence = np.where(has[..., None], sure[depth.layers["confidence"]], colours["nothing"]).astype(np.uint8)
    pictures = [
        overlay(image, depth.depth_m),
        source_picture(completed.source),
        age[age_classes(depth.layers["age"], has)],
        confidence,
    ]
    panels(["depth", "source, after completion", "age: blue before, red after", "confidence"], pictures, 2, path)


def draw_failures(world: Path, depth: SceneReader, exact: SceneReader, path: Path) -> None:
    """For each cause the place with the most wrong pixels of it, found by looking at all images."""
    titles, pictures = [], []
    for cause, of_cause in CAUSES.items():
        worst: tuple[int, Any] = (0, None)
        for key in depth.keys:
            record, truth = depth.read(*key), exact.read(*key)
            wrong = wrong_pixels(record, truth) & of_cause(truth)
            count = cv2.boxFilter(wrong.astype(np.float32), -1, CROP_PX, normalize=False)
            if count.max() > worst[0]:
                row, col = np.unravel_index(int(count.argmax()), count.shape)
                worst = (int(count.max()), (record, truth, int(row), int(col)))
        if worst[1] is None:
            continue
        record, truth, row, col = worst[1]
        image = np.asarray(cv2.imread(str(world / record.filename)))[..., ::-1]
        cut = crop_at(record.depth_m.shape, row, col)
        titles += [f"{cause}", "densegt", "exact", "error"]
        pictures += [
            picture[cut]
            for picture in (
                image,
                overlay(image, record.depth_m),
                overlay(image, truth.depth_m),
                error_picture(record.depth_m, truth.depth_m),
            )
        ]
    panels(titles, pictures, 4, path)


CAUSES = {
    "beside depth discontinuities": lambda truth: near_edges(truth.depth_m),
    "on structures": lambda truth: (truth.layers["kind"] == Kind.STRUCTURE) & ~near_edges(truth.depth_m),
    "on dynamic objects": lambda truth: np.isin(truth.layers["kind"], (Kind.LABELLED_MOVER, Kind.UNLABELLED_MOVER)),
}


def wrong_pixels(record: ImageRecord, truth: ImageRecord) -> NDArray[np.bool_]:
    """Where a depth (H,W) is an outlier."""
    has = known(record.depth_m)
    wrong = np.zeros(has.shape, dtype=bool)
    wrong[has] = np.abs(best_match(record.depth_m, truth.depth_m, has)) > 1
    return wrong


def crop_at(shape: tuple[int, ...], row: int, col: int) -> tuple[slice, slice]:
    """A crop of CROP_PX about a pixel, inside the image."""
    width, height = min(CROP_PX[0], shape[1]), min(CROP_PX[1], shape[0])
    top = min(max(row - height // 2, 0), shape[0] - height)
    left = min(max(col - width // 2, 0), shape[1] - width)
    return slice(top, top + height), slice(left, left + width)


def image_of(exposure: Camera) -> Picture:
    """RGB (H,W,3)."""
    return np.asarray(cv2.imread(str(exposure.image_path)), dtype=np.uint8)[..., ::-1]


def panels(titles: list[str], pictures: list[Picture], columns: int, path: Path) -> None:
    """Pictures with titles, row by row."""
    rows = -(-len(pictures) // columns)
    height, width = pictures[0].shape[:2]
    figure = Figure(figsize=(11, rows * (11 / columns * height / width + 0.28)), layout="constrained")
    for axes, title, picture in zip(figure.subplots(rows, columns).flat, titles, pictures, strict=False):
        axes.imshow(picture, interpolation="nearest")
        axes.set_title(title, fontsize=9)
        axes.axis("off")
    figure.savefig(path, dpi=100, pil_kwargs={"quality": 82} if path.suffix == ".jpg" else None)


if __name__ == "__main__":
    main()
