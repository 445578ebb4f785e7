"""`densegt train-motion`."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import click

from .config_option import FROM_CONFIG
from .option_group import option_group
from .recording_options import format_option

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class MotionOptions:
    """What overrides the configuration; None leaves it as it is."""

    labels: str | None
    scans: int | None
    fusion: str | None
    free_space: bool | None
    seed: int | None
    epochs: int | None


motion_options = option_group(
    "motion",
    MotionOptions,
    click.option(
        "--labels", type=click.Choice(["exact", "boxes", "lidarseg", "auto"]),
        help="What is learned from: the simulator's truth, annotated boxes, nuScenes lidarseg with boxes, or what "
        "densegt finds without any label.  [default: exact where it is, else boxes]",
    ),
    click.option("--scans", type=click.IntRange(1, 21), show_default=FROM_CONFIG,
        help="How many scans the network sees: the one it labels, and those before and after it."),
    click.option(
        "--fusion", type=click.Choice(["motion-aware", "stacked", "differences"]), show_default=FROM_CONFIG,
        help="How scans are compared; the last two are for comparison.",
    ),
    click.option(
        "--free-space/--no-free-space", default=None, show_default=FROM_CONFIG,
        help="Also give the network how many sweeps saw through each point and how many hit it.",
    ),
    click.option(
        "--seed", type=click.IntRange(0), show_default=FROM_CONFIG, help="Other seeds, other order and first weights."
    ),
    click.option(
        "--epochs", type=click.IntRange(1), show_default=FROM_CONFIG,
        help="Each shows the network a part of all scans; how large is in the configuration.",
    ),
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


@click.command("train-motion")
@click.option(
    "--dataroot",
    "dataroots",
    type=_PATH,
    multiple=True,
    required=True,
    help="Folder of the recording; may be repeated.",
)
@click.option("--out", type=_PATH, required=True, help="Checkpoints, TensorBoard's log and motion.safetensors.")
@format_option
@click.option("--version", help="Folder of nuScenes tables.  [default: the only v1.0-* there]")
@click.option(
    "--config",
    metavar="NAME|FILE",
    help="miniature, full, or a YAML file; miniature takes minutes without a GPU.  [default: full]",
)
@motion_options
@trainer_options
@click.option(
    "--votes", type=_PATH, multiple=True,
    help="Second round of --labels auto: votes of the first round's network, one store for each --dataroot.",
)  # fmt: skip
def command(
    dataroots: tuple[Path, ...],
    out: Path,
    format_: str,
    version: str | None,
    config: str | None,
    motion: MotionOptions,
    trainer: TrainerOptions,
    votes: tuple[Path, ...],
) -> None:
    """Train a network that tells from several lidar scans, past and future, what moves.

    \b
    densegt simulate --street city --out worlds --scenes 16 --seconds 2
    densegt train-motion --dataroot worlds --out trained
    densegt predict-motion --checkpoint trained/motion.safetensors --dataroot /data/nuscenes --out votes
    densegt accumulate --dataroot /data/nuscenes --out depth --motion-votes votes

    The last eighth of the scenes is held out and tells which weights are best.
    """
    from densegt.configuration import load_config, overridden
    from densegt.datasets import RecordingPath
    from densegt.errors import InputError
    from densegt.motion_net.config import MotionTrainConfig

    labels = motion.labels or ("exact" if (dataroots[0] / "exact" / "lidar").is_dir() else "boxes")
    given = {"labels": labels, "seed": motion.seed, "epochs": motion.epochs}
    settings = load_config(
        MotionTrainConfig, _shipped(config or "full"), {k: v for k, v in given.items() if v is not None}
    )
    net = {"scans": motion.scans, "fusion": motion.fusion, "free_space": motion.free_space}
    if any(value is not None for value in net.values()):
        settings = overridden(settings, {"net": {k: v for k, v in net.items() if v is not None}})
    if votes and (labels != "auto" or len(votes) != len(dataroots)):
        raise click.UsageError(f"--votes goes with --labels auto, once for each of {len(dataroots)} --dataroot")
    if trainer.init is not None and trainer.resume:
        raise InputError("--init begins a training, --resume goes on with one; only one of them can be")
    try:
        from densegt.motion_net.train import MotionRun, train
    except ImportError as error:
        raise InputError(f'train-motion: {error}; pip install "densegt[train]"') from None
    recordings = tuple(RecordingPath(root, format_, version) for root in dataroots)
    typed = shlex.join(["densegt", *sys.argv[1:]])
    run = MotionRun(
        recordings, out, settings, trainer.init, trainer.resume, trainer.devices, trainer.nodes, typed, votes
    )
    weights = train(run, lambda line: click.echo(line, err=True))
    if weights is not None:
        click.echo(f"{weights}: the best weights; densegt predict-motion --checkpoint {weights}")


def _shipped(name: str) -> str:
    """`miniature` and `full` are this command's own; other trainings have theirs."""
    own = f"motion-{name}"
    return own if not Path(name).is_file() and (files("densegt.configs") / f"{own}.yaml").is_file() else name
