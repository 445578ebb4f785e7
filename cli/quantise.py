"""`densegt quantise`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .recording_options import format_option

_PATH = click.Path(path_type=Path)


@click.command("quantise")
@click.option("--checkpoint", type=_PATH, required=True, help="Of `densegt train-pl` or `train-lss`.")
@click.option(
    "--dataroot",
    "dataroots",
    type=_PATH,
    multiple=True,
    required=True,
    help="Recording to calibrate with; labels are not read.",
)
@click.option("--out", type=_PATH, required=True, help="ONNX file to write.")
@format_option
@click.option("--version", help="Folder of nuScenes tables.  [default: the only v1.0-* there]")
@click.option(
    "--target", type=click.Choice(["cpu", "tensorrt"]), default="cpu", show_default=True,
    help="cpu: unsigned activations; tensorrt: signed about zero, weights by channel.",
)  # fmt: skip
@click.option(
    "--method", type=click.Choice(["float", "max-min", "percentile", "grid", "rounding", "full"]), default="full",
    show_default=True, help="Each does what those before it do; float writes the file unquantised.",
)  # fmt: skip
@click.option(
    "--weight-bits", type=click.Choice(["7", "8"]), default="8", show_default=True,
    help="7: exact on processors without VNNI too, which clip what 8 may add up to.",
)  # fmt: skip
@click.option(
    "--keep-float",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="The worst layers, so many, stay as they are.",
)
@click.option("--frames", type=click.IntRange(1), default=32, show_default=True, help="Keyframes to calibrate with.")
@click.option("--steps", type=click.IntRange(1), default=600, show_default=True, help="Of learning.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of keyframes and their order.")
@click.option("--report", "folder", type=_PATH, help="Write every method's file there, its scores, and a page.")
@click.option(
    "--score-on", "scored", type=_PATH, multiple=True,
    help="Labelled recording for --report.  [default: what the training held out]",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
def command(
    checkpoint: Path,
    dataroots: tuple[Path, ...],
    out: Path,
    format_: str,
    version: str | None,
    folder: Path | None,
    scored: tuple[Path, ...],
    **given: Any,
) -> None:
    """Write a trained detector as an ONNX file that computes at eight bits.

    \b
    densegt quantise --checkpoint lidar/checkpoints/best.ckpt --dataroot world --out lidar.onnx
    densegt predict --engine lidar.onnx --dataroot world2 --out found
    densegt quantise --checkpoint lidar/checkpoints/best.ckpt --dataroot world --out s8.onnx --target tensorrt \\
        --report compared --score-on world2

    Batch norm is folded, ranges are told on keyframes of the training's own scenes (never of those that it held out),
    each is shrunk by what serves the layers that read it, and where weights are rounded to is learned from what the
    detector said before; no labels are needed. What is interrupted goes on. It needs the extras train and deploy.

    A Lift-Splat becomes two files, FILE.onnx and FILE.bev.onnx beside it. CenterPoint on sparse voxels becomes none,
    for ONNX has no sparse convolutions: python -m benchmarks.accuracy.quantised_voxels simulates it.
    """
    from densegt.datasets import RecordingPath
    from densegt.depth.partial_file import check_writable
    from densegt.errors import InputError
    from densegt.install_hint import install_command

    check_writable(out)
    try:
        from densegt.quantisation.compare import Comparison, run_compared
        from densegt.quantisation.config import QuantiseConfig
        from densegt.quantisation.engine import cpu_flags, slow_here
        from densegt.quantisation.quantise import QuantiseJob, run
    except ImportError as error:
        raise InputError(f"quantise: {error}; {install_command('train')}") from None
    from densegt.report.quantisation_page import write_quantisation_page

    from .progress import progress_on_stderr

    if scored and folder is None:
        raise click.UsageError("--score-on says what --report is of; name a folder for it")
    recordings, others = (tuple(RecordingPath(r, format_, version) for r in roots) for roots in (dataroots, scored))
    overwrite, given["weight_bits"] = given.pop("overwrite"), int(given["weight_bits"])
    job = QuantiseJob(checkpoint, recordings, out, QuantiseConfig(**given), overwrite)
    with progress_on_stderr("learn") as progress:
        if folder is None:
            run(job, _say, progress)
        else:
            summary = run_compared(job, Comparison(folder, others), _say, progress)
            write_quantisation_page(summary, folder / "index.html")
            click.echo(f"{folder / 'index.html'}: what every method is worth")
    note = slow_here(cpu_flags())
    if note:
        click.echo(f"densegt: {note}", err=True)
    size_mb = out.stat().st_size / 1e6
    click.echo(f"{out}: {size_mb:.2f} MB; densegt predict --engine {out}")


def _say(line: str) -> None:
    click.echo(line, err=True)
