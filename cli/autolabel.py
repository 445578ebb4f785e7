"""`densegt autolabel`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .batch_options import BatchOptions, batch_options
from .recording_options import DatarootOptions, recording_options, strict_option

if TYPE_CHECKING:
    from densegt.batch.job import SceneResult

_PATH = click.Path(path_type=Path)


@click.command("autolabel")
@recording_options()
@click.option(
    "--out", type=_PATH, required=True, help="Labels: one .h5 a scene, results.json, tracks.json, recording/."
)
@click.option(
    "--scene", "scenes", multiple=True, metavar="NAME", help="This scene only; may be repeated.  [default: all]"
)
@click.option(
    "--verify/--no-verify", default=True, show_default=True,
    help="Publish only labels that passed verification, or all, each with its probability.",
)  # fmt: skip
@click.option("--prior", type=_PATH, help="Shapes other than those that ship: an npz of `densegt.shapes.train`.")
@click.option(
    "--meshes/--no-meshes", default=False, show_default=True, help="Also write each shape as a PLY, to look at."
)
@click.option("--config", metavar="FILE", help="YAML; a file, or the name of one that ships.")
@strict_option
@batch_options
@click.pass_context
def command(
    ctx: click.Context,
    recording: DatarootOptions,
    out: Path,
    scenes: tuple[str, ...],
    verify: bool,
    prior: Path | None,
    meshes: bool,
    config: str | None,
    strict: bool | None,
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
    settings = load_config(AutolabelConfig, config, {})
    job = AutolabelJob(recording.strictly(strict), out, settings, prior, batch.overwrite)
    names = SelectionOptions(scenes, ()).scene_names(job.opened)
    code = run_batch(ctx, job, names, batch, details=_found, units=("keyframes", "labels verified"))
    if code < 2:
        for line in publish(job.opened, out, names, verified_only=verify):
            click.echo(line)
        if meshes:
            count = write_meshes(out, names, knowledge(prior).prior, verified_only=verify)
            click.echo(f"{out / 'meshes'}: {count} shapes as PLY")
    return code


def _found(result: SceneResult) -> str:
    """How much was found."""
    return f", {result.counts['verified']} of {result.counts['labels']}"
