"""Options that trainings of detectors share, and what they mean."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .config_option import FROM_CONFIG
from .recording_options import format_option

if TYPE_CHECKING:
    from densegt.detection.fit import TrainingRun, TrainingSource
    from densegt.detection.train_config import DetectorConfig

_PATH = click.Path(path_type=Path)
# Those before and after --supervision, of which each command has its own.
_FIRST = (
    click.option(
        "--dataroot", "dataroots", type=_PATH, multiple=True, required=True,
        help="Folder of the recording; may be repeated.",
    ),
    click.option("--out", type=_PATH, required=True, help="Checkpoints, TensorBoard's log and about.json."),
    click.option(
        "--depth", "depths", type=_PATH, multiple=True,
        help="Depth store of `densegt accumulate` or `complete`; once for each --dataroot, or never.",
    ),
    format_option,
    click.option("--version", help="Folder of nuScenes tables.  [default: the only v1.0-* there]"),
)  # fmt: skip
_LAST = (
    click.option(
        "--init", type=_PATH, multiple=True,
        help="Begin with this checkpoint's weights, not from random ones; of several, a later one wins.",
    ),
    click.option("--resume", is_flag=True, help="Go on with the training in --out."),
    click.option(
        "--seed", type=click.IntRange(0), show_default=FROM_CONFIG,
        help="Other seeds, other order, augmentation and first weights.",
    ),
    click.option(
        "--epochs", type=click.IntRange(1), show_default=FROM_CONFIG, help="How often every keyframe is seen."
    ),
    click.option(
        "--precision", type=click.Choice(["32-true", "bf16-mixed", "16-mixed"]), show_default=FROM_CONFIG,
        help="Of the arithmetic.",
    ),
    click.option("--devices", default="auto", show_default=True, help="GPUs, or processes, of each node."),
    click.option("--nodes", type=click.IntRange(1), default=1, show_default=True, help="Machines."),
)  # fmt: skip
# Those of them, and of a command's own, that are values of the configuration.
_SETTINGS = ("supervision", "seed", "epochs", "precision", "coupling")


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def trainer_options(supervisions: Sequence[str], help: str) -> Decorator:
    """Adds the options to a command, in the order above.

    Args:
        supervisions: choices of --supervision, explained by `help`.
    """
    own = click.option("--supervision", type=click.Choice(supervisions), show_default=FROM_CONFIG, help=help)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed((*_FIRST, own, *_LAST)):
            command = option(command)
        return command

    return decorate


training_options = trainer_options(
    ["none", "sparse", "dense", "completed"],
    "What depth is learned from: the keyframe's own sweep, all that was measured, also what was filled in.",
)


def training_sources(given: dict[str, Any]) -> tuple[TrainingSource, ...]:
    """The recordings, each with its store.

    Raises:
        UsageError: another number of stores than of recordings.
    """
    from densegt.datasets import RecordingPath
    from densegt.detection.fit import TrainingSource

    roots = given["dataroots"]
    beside = {name: given.get(name) or [None] * len(roots) for name in ("depths", "boxes_2d")}
    for name, option in (("depths", "--depth"), ("boxes_2d", "--boxes-2d")):
        if len(beside[name]) != len(roots):
            raise click.UsageError(f"{option} is given {len(beside[name])} times and --dataroot {len(roots)} times")
    return tuple(
        TrainingSource(RecordingPath(root, given["format_"], given["version"]), depth, boxes_2d)
        for root, depth, boxes_2d in zip(roots, beside["depths"], beside["boxes_2d"], strict=True)
    )


def training_run(given: dict[str, Any], settings: DetectorConfig) -> TrainingRun:
    """One training."""
    from densegt.detection.fit import TrainingRun

    return TrainingRun(
        training_sources(given), given["out"], settings, given["init"], given["resume"], given["devices"],
        given["nodes"], typed_command(),
    )  # fmt: skip


def train(given: dict[str, Any], settings: DetectorConfig) -> int:
    """Train, and say where the best weights are; the exit code."""
    from densegt.detection.fit import fit
    from densegt.errors import InputError

    if given["init"] and given["resume"]:
        raise InputError("--init begins a training, --resume goes on with one; only one of them can be")
    try:
        best = fit(training_run(given, settings), lambda line: click.echo(line, err=True))
    except OSError as error:
        click.echo(f"densegt: {error.filename or given['out']}: {error.strerror or error}; --resume goes on", err=True)
        return 1
    if best is not None:
        click.echo(f"{best}: the best weights; densegt predict --checkpoint {best}")
    return 0


def settings_given(given: dict[str, Any]) -> dict[str, Any]:
    """Values of the configuration that options give."""
    return {name: given[name] for name in _SETTINGS if given.get(name) is not None}


def shipped(prefix: str, name: str | None) -> str:
    """A configuration's name: `miniature` and `full`, which is the default, are a command's own."""
    own = f"{prefix}-{name or 'full'}"
    there = (files("densegt.configs") / f"{own}.yaml").is_file()
    return own if name is None or (not Path(name).is_file() and there) else name


def typed_command() -> str:
    """What was typed."""
    return shlex.join(["densegt", *sys.argv[1:]])
