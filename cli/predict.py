"""`densegt predict`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .recording_options import format_option

_PATH = click.Path(path_type=Path)
Progress = Callable[[int, int], None]


@click.command("predict")
@click.option("--checkpoint", type=_PATH, help="Detector of `densegt train-lss`, `train-pl` or `train-mono`.")
@click.option("--engine", type=_PATH, help="ONNX file of `densegt quantise`, instead; torch is not needed.")
@click.option("--dataroot", type=_PATH, required=True, help="Folder of the recording.")
@click.option("--out", type=_PATH, required=True, help="results.json, scores.json, depth/ and pictures/ go there.")
@format_option
@click.option("--version", help="Folder of nuScenes tables.  [default: the only v1.0-* there]")
@click.option(
    "--scene", "scenes", multiple=True, metavar="NAME", help="This scene only; may be repeated.  [default: all]"
)
@click.option("--truth", type=_PATH, help="Store of exact or accumulated depth to score depth against.")
@click.option(
    "--boxes-2d",
    "boxes_2d",
    type=_PATH,
    help="JSON of 2D boxes, for train-mono's detectors.  [default: exact masks where simulated, else labels projected]",
)
@click.option("--pictures", type=click.IntRange(0), default=12, show_default=True, help="How many pictures to draw.")
@click.option("--score/--no-score", default=True, show_default=True, help="Compare with the recording's boxes.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Threads of --engine.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
def command(
    dataroot: Path, out: Path, format_: str, version: str | None, scenes: tuple[str, ...], **given: Any
) -> None:
    """Find boxes, vehicles and depth in a recording with a trained detector.

    \b
    densegt predict --checkpoint trained/checkpoints/best.ckpt --dataroot /data/nuscenes --out found
    densegt evaluate --pred found/depth --truth depth
    densegt predict --engine trained.onnx --dataroot /data/nuscenes --out found

    results.json is in nuScenes' detection format; depth/ is a depth store like any other. Where the folder has boxes,
    scores.json has nuScenes' own scores, vehicles' IoU and depth errors, each beside that of the best constant answer.
    Of a detector on pseudo-LiDAR it has cars' AP as KITTI's users know it instead of IoU, and pictures/ shows where
    the detector pulls the depth. With --engine boxes alone are found, and a run that was interrupted
    goes on.
    """
    from densegt.datasets import RecordingPath

    from .progress import progress_on_stderr

    if (given["checkpoint"] is None) == (given["engine"] is None):
        raise click.UsageError("name either --checkpoint or --engine")
    place = {"recording": RecordingPath(dataroot, format_, version), "out": out, "scenes": scenes or None}
    with progress_on_stderr("predict") as progress:
        found = (_by_engine if given["engine"] else _by_checkpoint)(place, given, progress)
    depth_there = (out / "depth").is_dir()
    click.echo(f"{out / 'results.json'}: detections" + (f"; depth maps in {out / 'depth'}" if depth_there else ""))
    if found is not None:
        lines = {"cars": _of_points, "objects": _of_objects, "vehicles": _of_features}
        click.echo(next(line(found) for name, line in lines.items() if name in found))


def _by_checkpoint(place: dict[str, Any], given: dict[str, Any], progress: Progress) -> dict[str, Any] | None:
    from densegt.errors import InputError
    from densegt.install_hint import install_command

    try:
        from densegt.detection.predict import PredictJob, run
    except ImportError as error:
        raise InputError(f"predict: {error}; {install_command('train')}") from None
    others = ("engine", "threads")
    return run(PredictJob(**place, **{name: value for name, value in given.items() if name not in others}), progress)


def _by_engine(place: dict[str, Any], given: dict[str, Any], progress: Progress) -> dict[str, Any] | None:
    from densegt.quantisation.engine import cpu_flags, slow_here
    from densegt.quantisation.predict import EngineJob, run

    note = slow_here(cpu_flags())
    if note:
        click.echo(f"densegt: {note}", err=True)
    names = ("engine", "score", "threads", "overwrite")
    return run(EngineJob(**place, **{name: given[name] for name in names}), progress)


def _of_features(found: dict[str, Any]) -> str:
    vehicles, detection, depth = found["vehicles"], found["detection"], found["depth"]
    return (
        f"vehicle IoU {vehicles['IoU']:.3f} (best fixed map {vehicles['best fixed map']:.3f}), "
        f"mAP {detection['mean_ap']:.3f}, NDS {detection['nd_score']:.3f}, "
        f"depth MAE {depth['all']['MAE m']:.2f} m (best constant {depth['best constant']['MAE m']:.2f})"
    )


def _of_objects(found: dict[str, Any]) -> str:
    every, kitti = found["objects"]["all"], found["kitti"]
    return (
        f"{every['objects']:.0f} labelled objects: BEV IoU > 0.5 for {every['BEV > 0.5']:.0%}, "
        f"centre off by {every['centre m']:.2f} m, flips {every['flips']:.0%}; "
        f"BEV AP at IoU 0.5 {kitti['BEV AP at 0.5']:.3f}"
    )


def _of_points(found: dict[str, Any]) -> str:
    cars, detection, gradient = found["cars"], found["detection"], found.get("depth_gradient")
    line = (
        f"cars' BEV AP at IoU 0.5 {cars['BEV AP at 0.5']:.3f}, at 0.7 {cars['BEV AP at 0.7']:.3f}, "
        f"mAP {detection['mean_ap']:.3f}, NDS {detection['nd_score']:.3f}"
    )
    if gradient is None:
        return line
    on, points = gradient["share on objects"], gradient["share of points on objects"]
    return f"{line}; {on:.0%} of the depth gradient is on objects, which have {points:.0%} of the points"
