"""`densegt train-lss`."""

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
_MODEL = ("bins", "sampling", "samples")


@click.command("train-lss")
@click.option("--dataroot", "dataroots", type=_PATH, multiple=True, required=True, help="nuScenes-format folder.")
@click.option("--out", type=_PATH, required=True, help="Checkpoints, TensorBoard's log and about.json.")
@click.option("--depth", "depths", type=_PATH, multiple=True, help="Depth store of `densegt accumulate` or `complete`.")
@click.option(
    "--supervision", type=click.Choice(["none", "sparse", "dense", "completed"]),
    help="What depth is learned from: the keyframe's own sweep, all that was measured, also what was filled in.",
)  # fmt: skip
@click.option("--bins", type=click.Choice(["UD", "LID", "SID"]), help="Uniform, growing linearly, or with depth.")
@click.option(
    "--sampling", type=click.Choice(["fixed", "pdf", "offset", "depth-offset", "pixel-offset"]),
    help="Where features are laid down: at the bins' centres, where depth is likely, or beside the centres.",
)  # fmt: skip
@click.option("--samples", type=click.IntRange(1), help="Of `--sampling pdf`, on each ray.")
@click.option(
    "--config", metavar="NAME|FILE", help="miniature, full, bevdepth-r50, ea-lss, or a YAML file.  [default: full]"
)
@click.option("--version", help="Folder of tables.  [default: the only v1.0-* there]")
@click.option("--init", type=_PATH, help="Begin with this checkpoint's weights, not from nothing.")
@click.option("--resume", is_flag=True, help="Go on with the training in --out.")
@click.option("--seed", type=click.IntRange(0), help="Other seeds, other order, augmentation and first weights.")
@click.option("--epochs", type=click.IntRange(1), help="How often every keyframe is seen.")
@click.option("--precision", type=click.Choice(["32-true", "bf16-mixed", "16-mixed"]), help="Of the arithmetic.")
@click.option("--devices", default="auto", show_default=True, help="GPUs, or processes, of each node.")
@click.option("--nodes", type=click.IntRange(1), default=1, show_default=True, help="Machines.")
@click.option("--benchmark", is_flag=True, help="Compare supervision, bins and sampling: many trainings, one page.")
@click.option(
    "--design", type=click.Choice(["axes", "full"]), default="axes", show_default=True,
    help="Of the benchmark: vary one thing at a time from dense, UD and fixed, or take every combination.",
)  # fmt: skip
@benchmark_options
def command(
    dataroots: tuple[Path, ...],
    out: Path,
    depths: tuple[Path, ...],
    config: str | None,
    version: str | None,
    init: Path | None,
    resume: bool,
    devices: str,
    nodes: int,
    benchmark: bool,
    seeds: int,
    design: Literal["axes", "full"],
    workers: int | None,
    executor: str,
    ray_address: str | None,
    **given: Any,
) -> int:
    """Train a Lift-Splat detector, with or without depth to learn from.

    \b
    densegt simulate --out world --scenes 5 --seconds 4
    densegt accumulate --dataroot world --out depth
    densegt train-lss --dataroot world --depth depth --supervision dense --config miniature --out trained
    densegt predict --checkpoint trained/checkpoints/best.ckpt --dataroot world --out found

    It segments vehicles on the ground plane and finds nuScenes' ten classes. The last fifth of the scenes is held out
    and tells which weights are best (nuScenes' own validation scenes with `split: official` in the configuration).
    Without --depth, `sparse` depth is projected from the lidar. Several data sets: name --dataroot and --depth several
    times, in the same order. Several GPUs: --devices 4, or torchrun with --nodes.

    \b
    densegt complete --dataroot world --depth depth --out completed
    densegt train-lss --dataroot world --depth completed --benchmark --config benchmark --out compared

    --benchmark trains with every supervision, with all bins and with all samplings, several seeds each, scores the last
    weights on the scenes held out, and writes compared/index.html. The same command goes on after an interruption.
    """
    from densegt.configuration import load_config, overridden
    from densegt.errors import InputError

    try:
        from densegt.detection.train import Run, Sources, train
        from densegt.detection.train_config import LssConfig
    except ImportError as error:
        raise InputError(f'train-lss: {error}; pip install "densegt[train]"') from None
    if init is not None and resume:
        raise InputError("--init begins a training, --resume goes on with one; only one of them can be")
    if depths and len(depths) != len(dataroots):
        raise click.UsageError(f"--depth is given {len(depths)} times and --dataroot {len(dataroots)} times")
    options = {name: value for name, value in given.items() if value is not None}
    model = {name: options.pop(name) for name in _MODEL if name in options}
    if "bins" in model:
        model["bins"] = {"kind": model["bins"]}
    settings = overridden(load_config(LssConfig, _shipped(config or "full"), options), {"model": model})
    folders = tuple(
        Sources(dataroot, depth, version)
        for dataroot, depth in zip(dataroots, depths or [None] * len(dataroots), strict=True)
    )
    typed = shlex.join(["densegt", *sys.argv[1:]])
    if benchmark:
        from densegt.experiments.lss_run import Benchmark
        from densegt.experiments.lss_run import run as run_benchmark

        if init is not None or resume or any(given[name] for name in ("supervision", "bins", "sampling")):
            raise click.UsageError(
                "--benchmark chooses supervision, bins and sampling itself, begins from nothing, and goes on by itself"
            )
        asked = Benchmark(folders, out, settings, seeds, design, typed)
        where = Where(workers, executor, ray_address)
        return compare("train-lss", out, partial(run_benchmark, asked), where)
    run = Run(folders, out, settings, init, resume, devices, nodes, typed)
    best = train(run, lambda line: click.echo(line, err=True))
    if best is not None:
        click.echo(f"{best}: the best weights; densegt predict --checkpoint {best}")
    return 0


def _shipped(name: str) -> str:
    """`miniature` and `full` are this command's own; other trainings have theirs."""
    own = f"lss-{name}"
    return own if not Path(name).is_file() and (files("densegt.configs") / f"{own}.yaml").is_file() else name
