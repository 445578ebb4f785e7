"""`densegt autolabel`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .batch_options import BatchOptions, batch_options
from .option_group import option_group
from .recording_options import DatarootOptions, recording_options, strict_option

if TYPE_CHECKING:
    from densegt.batch.job import SceneResult

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class AutolabelOptions:
    """How labels are made, and which are published; see `AutolabelConfig`."""

    verify: bool
    prior: Path | None
    boxes_2d: Path | None
    meshes: bool
    config: str | None
    strict: bool | None


autolabel_options = option_group(
    "options",
    AutolabelOptions,
    click.option(
        "--verify/--no-verify", default=True, show_default=True,
        help="Publish only labels that passed verification, or all, each with its probability.",
    ),
    click.option(
        "--prior", type=_PATH,
        help="Other shapes: an npz of `python -m densegt.shapes.train`.  [default: those that ship]"
    ),
    click.option(
        "--boxes-2d", type=_PATH, metavar="FILE",
        help="Boxes or masks of objects in the images: JSON in COCO's form, nuScenes' own or train-mono's.",
    ),
    click.option(
        "--meshes/--no-meshes", default=False, show_default=True, help="Also write each shape as PLY and as GLB."
    ),
    click.option("--config", metavar="FILE", help="YAML with what differs.  [default: the built-in values]"),
    strict_option,
)  # fmt: skip


@click.command("autolabel")
@recording_options()
@click.option(
    "--out", type=_PATH, required=True, help="One .h5 a scene, results.json, tracks.json and recording/ go there."
)
@click.option(
    "--scene", "scenes", multiple=True, metavar="NAME", help="This scene only; may be repeated.  [default: all]"
)
@autolabel_options
@batch_options
@click.pass_context
def command(
    ctx: click.Context,
    recording: DatarootOptions,
    out: Path,
    scenes: tuple[str, ...],
    options: AutolabelOptions,
    batch: BatchOptions,
) -> int:
    """Boxes and shapes of vehicles, parked and moving, in a recording that nobody labelled.

    \b
    densegt autolabel --dataroot /data/nuscenes --out labels
    densegt accumulate --dataroot labels/recording --out depth

    The recording's own boxes are never looked at. Scenes that are finished are skipped.
    """
    from densegt.configuration import load_config
    from densegt.errors import InputError
    from densegt.install_hint import install_command

    from .batch_run import run_batch
    from .recording_options import SelectionOptions

    try:
        from densegt.autolabel.config import AutolabelConfig
        from densegt.autolabel.job import AutolabelJob, knowledge
        from densegt.autolabel.publication import publish, write_meshes
    except ImportError as error:
        raise InputError(f"autolabel: {error}; {install_command('train')}") from None
    settings = load_config(AutolabelConfig, options.config, {})
    job = AutolabelJob(
        recording.strictly(options.strict), out, settings, options.prior, options.boxes_2d, batch.overwrite
    )
    names = SelectionOptions(scenes, ()).scene_names(job.opened)
    code = run_batch(ctx, job, names, batch, details=_found, units=("keyframes", "labels verified"))
    if code < 2:
        for line in publish(job.opened, out, names, verified_only=options.verify):
            click.echo(line)
        if options.meshes:
            count = write_meshes(out, names, knowledge(options.prior).prior, verified_only=options.verify)
            click.echo(f"{out / 'meshes'}: {count} shapes as PLY and GLB")
    return code


def _found(result: SceneResult) -> str:
    """How much was found."""
    return f", {result.counts['verified']} of {result.counts['labels']}"
