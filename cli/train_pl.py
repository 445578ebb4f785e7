"""`densegt train-pl`."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import click

from .benchmark import Where, benchmark_options, compare

_PATH = click.Path(path_type=Path)
_MODEL = ("detector", "input")


@click.command("train-pl")
@click.option("--dataroot", "dataroots", type=_PATH, multiple=True, required=True, help="nuScenes-format folder.")
@click.option("--out", type=_PATH, required=True, help="Checkpoints, TensorBoard's log and about.json.")
@click.option("--depth", "depths", type=_PATH, multiple=True, help="Depth store of `densegt accumulate` or `complete`.")
@click.option(
    "--supervision", type=click.Choice(["none", "sparse", "dense", "completed"]),
    help="What depth is learned from: the keyframe's own sweep, all that was measured, also what was filled in.",
)  # fmt: skip
@click.option("--detector", type=click.Choice(["pixor", "pointrcnn"]), help="On voxels, or on points.")
@click.option(
    "--input", type=click.Choice(["pseudo", "lidar", "store"]),
    help="Where points come from: estimated depth, the real lidar, or the depth store.",
)  # fmt: skip
@click.option("--end-to-end", is_flag=True, help="The detector's gradient reaches the depth net.")
@click.option("--freeze-depth", is_flag=True, help="The depth net stays as it was in --init.")
@click.option("--config", metavar="NAME|FILE", help="miniature, full, or a YAML file.  [default: full]")
@click.option("--version", help="Folder of tables.  [default: the only v1.0-* there]")
@click.option(
    "--init", type=_PATH, multiple=True,
    help="Begin with this checkpoint's depth net and detector, where it has them; a later one outdoes an earlier one.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with the training in --out.")
@click.option("--seed", type=click.IntRange(0), help="Other seeds, other order, augmentation and first weights.")
@click.option("--epochs", type=click.IntRange(1), help="How often every keyframe is seen.")
@click.option("--precision", type=click.Choice(["32-true", "bf16-mixed", "16-mixed"]), help="Of the arithmetic.")
@click.option("--devices", default="auto", show_default=True, help="GPUs, or processes, of each node.")
@click.option("--nodes", type=click.IntRange(1), default=1, show_default=True, help="Machines.")
@click.option("--benchmark", is_flag=True, help="Compare detectors, points and supervision: many trainings, one page.")
@click.option(
    "--design", type=click.Choice(["axes", "full"]), default="axes", show_default=True,
    help="Of the benchmark: vary one thing at a time from end to end with dense depth, or take every combination.",
)  # fmt: skip
@benchmark_options
def command(
    dataroots: tuple[Path, ...],
    out: Path,
    depths: tuple[Path, ...],
    end_to_end: bool,
    freeze_depth: bool,
    config: str | None,
    version: str | None,
    init: tuple[Path, ...],
    resume: bool,
    devices: str,
    nodes: int,
    benchmark: bool,
    design: Literal["axes", "full"],
    seeds: int,
    workers: int | None,
    executor: str,
    ray_address: str | None,
    **given: Any,
) -> int:
    """Train a detector on pseudo-LiDAR: images to depth, depth to points, points to boxes.

    \b
    densegt simulate --out world --scenes 5 --seconds 4
    densegt accumulate --dataroot world --out depth
    densegt train-pl --dataroot world --depth depth --supervision dense --config miniature --out apart
    densegt train-pl --dataroot world --depth depth --supervision dense --config miniature --out together \\
        --end-to-end --init apart/checkpoints/last.ckpt
    densegt train-pl --dataroot world --input lidar --config miniature --out lidar

    By default depth net and detector learn apart: the one from depth, the other from boxes. With --end-to-end what the
    detector needs is felt by the depth net as well (arXiv 2004.03080). --input lidar trains the same detector on the
    real lidar, which is the most that can be hoped for. The last fifth of the scenes is held out and tells which
    weights are best. Without --depth, `sparse` depth is projected from the lidar.

    \b
    densegt train-pl --dataroot world --depth depth --benchmark --config miniature --out compared

    --benchmark trains both detectors (or the one that --detector names) on the lidar, and on estimated depth that is
    then frozen, learns on by itself, or end to end, several seeds each; it scores the last weights on the scenes held
    out, and writes compared/index.html. The same command goes on after an interruption.
    """
    from densegt.configuration import load_config, overridden
    from densegt.errors import InputError

    try:
        from densegt.detection.points.pseudo_lidar.config import PlConfig
        from densegt.detection.points.pseudo_lidar.train import Run, train
        from densegt.detection.train import Sources
    except ImportError as error:
        raise InputError(f'train-pl: {error}; pip install "densegt[train]"') from None
    if init and resume:
        raise InputError("--init begins a training, --resume goes on with one; only one of them can be")
    if end_to_end and freeze_depth:
        raise click.UsageError("--end-to-end trains the depth net, --freeze-depth does not; only one of them can be")
    if depths and len(depths) != len(dataroots):
        raise click.UsageError(f"--depth is given {len(depths)} times and --dataroot {len(dataroots)} times")
    options = {name: value for name, value in given.items() if value is not None}
    if end_to_end or freeze_depth:
        options["coupling"] = "end-to-end" if end_to_end else "frozen"
    model = {name: options.pop(name) for name in _MODEL if name in options}
    settings = overridden(load_config(PlConfig, _shipped(config or "full"), options), {"model": model})
    folders = tuple(
        Sources(dataroot, depth, version)
        for dataroot, depth in zip(dataroots, depths or [None] * len(dataroots), strict=True)
    )
    typed = shlex.join(["densegt", *sys.argv[1:]])
    if benchmark:
        from densegt.experiments.pl_run import PlBenchmark, run_pl
        from densegt.experiments.pl_variants import DETECTORS

        if init or resume or end_to_end or freeze_depth or given["supervision"] or given["input"]:
            raise click.UsageError(
                "--benchmark chooses points and supervision itself, begins from nothing, and goes on by itself"
            )
        detectors = tuple(name for name in DETECTORS if given["detector"] in (None, name))
        asked = PlBenchmark(folders, out, settings, detectors, seeds, design, typed)
        return compare("train-pl", out, partial(run_pl, asked), Where(workers, executor, ray_address))
    run = Run(folders, out, settings, init, resume, devices, nodes, typed)
    best = train(run, lambda line: click.echo(line, err=True))
    if best is not None:
        click.echo(f"{best}: the best weights")
    return 0


def _shipped(name: str) -> str:
    """`miniature` and `full` are this command's own; other trainings have theirs."""
    own = f"pl-{name}"
    return own if not Path(name).is_file() and (files("densegt.configs") / f"{own}.yaml").is_file() else name
