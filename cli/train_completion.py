"""`densegt train-completion`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import click

_PATH = click.Path(path_type=Path)


@click.command("train-completion")
@click.option("--dataroot", "dataroots", type=_PATH, multiple=True, required=True, help="Where the images lie.")
@click.option(
    "--depth", "depths", type=_PATH, multiple=True, required=True, help="Depth store of `densegt accumulate`: target."
)
@click.option("--out", type=_PATH, required=True, help="Checkpoints, TensorBoard's log and network.safetensors.")
@click.option("--input", "inputs", type=_PATH, multiple=True, help="Depth store to complete as well: single sweeps.")
@click.option("--truth", "truths", type=_PATH, multiple=True, help="Store of exact depth, the target instead.")
@click.option("--config", metavar="NAME|FILE", help="miniature, full, or a YAML file.  [default: full]")
@click.option("--init", type=_PATH, help="Begin with these weights, not from nothing.")
@click.option("--resume", is_flag=True, help="Go on with the training in --out.")
@click.option("--seed", type=click.IntRange(0), help="Other seeds, other crops and first weights.")
@click.option("--epochs", type=click.IntRange(1), help="How often every image is drawn from.")
@click.option("--precision", type=click.Choice(["32-true", "bf16-mixed", "16-mixed"]), help="Of the arithmetic.")
@click.option("--devices", default="auto", show_default=True, help="GPUs, or processes, of each node.")
@click.option("--nodes", type=click.IntRange(1), default=1, show_default=True, help="Machines.")
def command(
    dataroots: tuple[Path, ...],
    depths: tuple[Path, ...],
    out: Path,
    inputs: tuple[Path, ...],
    truths: tuple[Path, ...],
    config: str | None,
    init: Path | None,
    resume: bool,
    devices: str,
    nodes: int,
    **given: Any,
) -> None:
    """Train the completion network on any depth store.

    \b
    densegt accumulate --dataroot /data/nuscenes --out sweeps --window 0 --no-surface
    densegt train-completion --dataroot /data/nuscenes --depth depth --input sweeps --out trained
    densegt complete --dataroot /data/nuscenes --depth depth --out completed --method network \\
        --checkpoint trained/network.safetensors

    The target is the accumulated depth, weighted by its confidence; what is given is that with less of it known, and
    the store named by --input. The last fifth of the scenes is held out and tells which weights are best. Several data
    sets: name --dataroot, --depth, --input and --truth several times, in the same order. Several GPUs: --devices 4, or
    torchrun with --nodes.
    """
    from densegt.completion.train_config import TrainConfig
    from densegt.configuration import load_config
    from densegt.errors import InputError

    options = {name: value for name, value in given.items() if value is not None}
    settings = load_config(TrainConfig, _shipped(config or "full"), options)
    if init is not None and resume:
        raise InputError("--init begins a training, --resume goes on with one; only one of them can be")
    try:
        from densegt.completion.examples import Sources
        from densegt.completion.train import Run, train
    except ImportError as error:
        raise InputError(f'train-completion: {error}; pip install "densegt[train]"') from None
    folders = tuple(
        Sources(*parts)
        for parts in zip(
            dataroots, _as_many(dataroots, depths, "--depth"), _as_many(dataroots, inputs, "--input"),
            _as_many(dataroots, truths, "--truth"), strict=True,
        )
    )  # fmt: skip
    run = Run(folders, out, settings, init, resume, devices, nodes, _typed())
    weights = train(run, lambda line: click.echo(line, err=True))
    if weights is not None:
        click.echo(f"{weights}: the best weights; densegt complete --method network --checkpoint {weights}")


def _shipped(name: str) -> str:
    """`miniature` is this command's own; other trainings have theirs."""
    own = f"completion-{name}"
    return own if not Path(name).is_file() and (files("densegt.configs") / f"{own}.yaml").is_file() else name


def _as_many(dataroots: tuple[Path, ...], paths: tuple[Path, ...], option: str) -> tuple[Any, ...]:
    """One for each dataroot; None for each where the option is not used."""
    if paths and len(paths) != len(dataroots):
        raise click.UsageError(f"{option} is given {len(paths)} times and --dataroot {len(dataroots)} times")
    return paths or (None,) * len(dataroots)


def _typed() -> str:
    import shlex
    import sys

    return shlex.join(["densegt", *sys.argv[1:]])
