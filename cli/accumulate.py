"""`densegt accumulate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from .accumulate_options import AccumulateOptions, accumulate_options, sanity_option
from .batch_options import BatchOptions, batch_options
from .option_group import option_group
from .recording_options import DatarootOptions, SelectionOptions, recording_options, selection_options

if TYPE_CHECKING:
    from densegt.accumulation.job import AccumulateJob
    from densegt.datasets import RecordingPath


def _size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Bytes, from a number with or without a unit."""
    from pydantic import ByteSize, TypeAdapter, ValidationError

    if value is None:
        return None
    try:
        return int(TypeAdapter(ByteSize).validate_python(value))
    except ValidationError:
        raise click.BadParameter(f"{value!r} is no size such as 16GB or 900MiB", ctx, param) from None


AUTO = "auto"
# Folder in --out of the votes that `auto` makes.
VOTES_FOLDER = "motion-votes"


@dataclass(frozen=True)
class RunOptions:
    """How a run goes about it.

    Attributes:
        threads: at work on each scene.
        memory: bytes that scenes at work at the same time may take together.
        sanity: what comes of a scene that contradicts itself.
        estimate: only tell what it would take.
        votes: store of votes on what moves, AUTO for those of the network that ships; None for no votes.
        labels: folder of `densegt autolabel`.
    """

    threads: int
    memory: int | None
    sanity: Literal["refuse", "warn", "off"]
    estimate: bool
    votes: str | None
    labels: Path | None


run_options = option_group(
    "run",
    RunOptions,
    click.option(
        "--threads", type=click.IntRange(1, 64), default=1, show_default=True,
        help="At work on each scene, beside --workers: for few scenes and many cores. The files are the same.",
    ),
    click.option(
        "--memory", metavar="SIZE", callback=_size,
        help="Such as 16GB. Without --workers as many scenes at the same time as fit into it and there are cores; "
        "with it no more than fit. With ray: what each scene may take is asked of Ray.",
    ),
    sanity_option,
    click.option("--estimate", is_flag=True, help="Only say what time, disk and memory it would take."),
    click.option(
        "--motion-votes", "votes", metavar="DIR|auto",
        help="Votes of `densegt predict-motion` on what moves, weighed with free space. auto: those of the network "
        "that ships, made first; they stay in --out/motion-votes. It needs torch.",
    ),
    click.option(
        "--labels", type=click.Path(path_type=Path), metavar="DIR", show_default="the recording's boxes",
        help="Verified labels of `densegt autolabel` in place of the recording's boxes; their shapes fill what no beam "
        "reached (source 6). It needs torch.",
    ),
)  # fmt: skip


@click.command("accumulate")
@recording_options()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Depth store: one .h5 a scene goes there.")
@selection_options()
@accumulate_options
@batch_options
@run_options
def command(
    recording: DatarootOptions,
    out: Path,
    selection: SelectionOptions,
    accumulation: AccumulateOptions,
    batch: BatchOptions,
    run: RunOptions,
) -> int:
    """Turn a recording into dense depth maps of every camera keyframe.

    Scenes that are finished are skipped, so after an interruption the same command goes on where it was.

    \b
    densegt accumulate --dataroot /data/nuscenes --out depth
    densegt accumulate --dataroot /data/nuscenes --out depth --scene scene-0061 --camera CAM_FRONT --window 2
    densegt accumulate --dataroot /data/nuscenes --out depth --motion-votes auto
    """
    from densegt.accumulation.estimate import estimate_run
    from densegt.batch.memory import largest_bytes

    from .batch_run import run_batch

    config = accumulation.resolve()
    if run.votes is not None and config.motion not in ("auto", "free"):
        raise click.UsageError(f"--motion-votes goes with --motion auto or free, not {config.motion}")
    recording_path = recording.strictly(accumulation.strict)
    if run.labels is not None and config.motion not in ("auto", "boxes"):
        raise click.UsageError(f"--labels are boxes: they go with --motion auto or boxes, not {config.motion}")
    job = _job(run.labels)(
        recording_path,
        out,
        config,
        selection.cameras,
        batch.overwrite,
        run.sanity,
        run.threads,
        _votes_folder(run.votes, out),
    )
    ctx, names = click.get_current_context(), selection.scene_names(job.opened)
    if run.estimate:
        for line in estimate_run(job.opened, names, selection.cameras, out).lines(batch.workers or 1):
            click.echo(line)
        return 0
    task_bytes = None
    if run.memory is not None:
        task_bytes, batch = _within(run.memory, largest_bytes(job.opened, names), batch)
    if run.votes == AUTO:
        stopped = _vote(ctx, recording_path, out / VOTES_FOLDER, names, batch)
        if stopped:
            return stopped
    return run_batch(ctx, job, names, batch, task_bytes=task_bytes)


def _job(labels: Path | None) -> Callable[..., AccumulateJob]:
    """The job that a run is."""
    from densegt.accumulation.job import AccumulateJob
    from densegt.errors import InputError
    from densegt.install_hint import install_command

    if labels is None:
        return AccumulateJob
    try:
        from densegt.autolabel.labelled_depth import LabelledDepthJob
    except ImportError as error:
        raise InputError(f"--labels: {error}; {install_command('train')}") from None
    return partial(LabelledDepthJob, labels=labels)


def _votes_folder(given: str | None, out: Path) -> Path | None:
    """The store that votes are read from."""
    if given == AUTO:
        return out / VOTES_FOLDER
    return None if given is None else Path(given)


def _within(memory: int, largest: tuple[int, str], batch: BatchOptions) -> tuple[int, BatchOptions]:
    """Bytes of the largest scene, and as many workers as fit."""
    from densegt.batch.executor.threads import cores
    from densegt.batch.memory import workers_within

    return largest[0], replace(batch, workers=workers_within(memory, largest, batch.workers or cores()))


def _vote(ctx: click.Context, recording: RecordingPath, folder: Path, names: Sequence[str], batch: BatchOptions) -> int:
    """Let the network that ships vote on the scenes; the exit code where nothing can follow.

    Of a scene that fails, what follows tells so: it has no votes.
    """
    from densegt.depth.partial_file import check_writable

    from .batch_run import run_batch
    from .predict_motion import moving_share, votes_job

    check_writable(folder)
    job = votes_job(recording, folder, overwrite=batch.overwrite)
    code = run_batch(ctx, job, names, batch, details=moving_share, units=("sweeps", "points"))
    return code if code > 1 else 0
