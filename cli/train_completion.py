"""`densegt train-completion`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from .config_option import FROM_CONFIG, config_option
from .option_group import option_group

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class TrainingDataOptions:
    """Folders that belong together, in the same order; those not named are empty."""

    dataroots: tuple[Path, ...]
    depths: tuple[Path, ...]
    inputs: tuple[Path, ...]
    truths: tuple[Path, ...]

    def aligned(self) -> list[tuple[Path, Path, Path | None, Path | None]]:
        """(dataroot, depth, input, truth) of each data set.

        Raises:
            click.UsageError: an option is given another number of times than --dataroot.
        """
        count, columns = len(self.dataroots), []
        for option, paths in (("--depth", self.depths), ("--input", self.inputs), ("--truth", self.truths)):
            if paths and len(paths) != count:
                raise click.UsageError(f"{option} is given {len(paths)} times and --dataroot {count} times")
            columns.append(paths or (None,) * count)
        return list(zip(self.dataroots, *columns, strict=True))


training_data_options = option_group(
    "data",
    TrainingDataOptions,
    click.option("--dataroot", "dataroots", type=_PATH, multiple=True, required=True, help="Where the images lie."),
    click.option(
        "--depth", "depths", type=_PATH, multiple=True, required=True,
        help="Depth store of `densegt accumulate`: target.",
    ),
    click.option("--input", "inputs", type=_PATH, multiple=True, help="Another store to complete: single sweeps."),
    click.option("--truth", "truths", type=_PATH, multiple=True, help="Store of exact depth, the target instead."),
)  # fmt: skip


@dataclass(frozen=True)
class TrainerOptions:
    """Where a training begins and on how many processes it runs."""

    init: Path | None
    resume: bool
    devices: str
    nodes: int


trainer_options = option_group(
    "trainer",
    TrainerOptions,
    click.option("--init", type=_PATH, help="Begin with these weights, not from random ones."),
    click.option("--resume", is_flag=True, help="Go on with the training in --out."),
    click.option("--devices", default="auto", show_default=True, help="GPUs, or processes, of each node."),
    click.option("--nodes", type=click.IntRange(1), default=1, show_default=True, help="Machines."),
)


@click.command("train-completion")
@training_data_options
@click.option("--out", type=_PATH, required=True, help="Checkpoints, TensorBoard's log and network.safetensors.")
@config_option("completion")
@click.option(
    "--seed", type=click.IntRange(0), show_default=FROM_CONFIG, help="Other seeds, other crops and first weights."
)
@click.option("--epochs", type=click.IntRange(1), show_default=FROM_CONFIG, help="How often every image is drawn from.")
@click.option(
    "--precision",
    type=click.Choice(["32-true", "bf16-mixed", "16-mixed"]),
    show_default=FROM_CONFIG,
    help="Of the arithmetic.",
)
@trainer_options
def command(
    data: TrainingDataOptions, out: Path, config: str | None, trainer: TrainerOptions, **settings_given: Any
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
    from densegt.install_hint import install_command

    options = {name: value for name, value in settings_given.items() if value is not None}
    settings = load_config(TrainConfig, _shipped(config or "full"), options)
    if trainer.init is not None and trainer.resume:
        raise InputError("--init begins a training, --resume goes on with one; only one of them can be")
    try:
        from densegt.completion.examples import Sources
        from densegt.completion.train import Run, train
    except ImportError as error:
        raise InputError(f"train-completion: {error}; {install_command('train')}") from None
    folders = tuple(Sources(*paths) for paths in data.aligned())
    run = Run(folders, out, settings, trainer.init, trainer.resume, trainer.devices, trainer.nodes, _typed())
    weights = train(run, lambda line: click.echo(line, err=True))
    if weights is not None:
        click.echo(f"{weights}: the best weights; densegt complete --method network --checkpoint {weights}")


def _shipped(name: str) -> str:
    """`miniature` is this command's own; other trainings have theirs."""
    own = f"completion-{name}"
    return own if not Path(name).is_file() and (files("densegt.configs") / f"{own}.yaml").is_file() else name


def _typed() -> str:
    import shlex
    import sys

    return shlex.join(["densegt", *sys.argv[1:]])
