"""`densegt predict-motion`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .batch_options import BatchOptions, batch_options
from .recording_options import DatarootOptions, SelectionOptions, recording_options, selection_options, strict_option

if TYPE_CHECKING:
    from densegt.batch.job import SceneResult
    from densegt.datasets import RecordingPath
    from densegt.motion_net.job import VotesJob

REACH_M = 48.0
_PATH = click.Path(path_type=Path)


@click.command("predict-motion")
@click.option("--checkpoint", type=_PATH, help="Weights of `densegt train-motion`.  [default: those that ship]")
@recording_options()
@click.option("--out", type=_PATH, required=True, help="Store of votes: one .h5 a scene goes there.")
@click.option(
    "--reach", "reach_m", type=click.FloatRange(4, 200), default=REACH_M, show_default=True, metavar="M",
    help="Votes are cast so far to each side.",
)  # fmt: skip
@strict_option
@selection_options()
@batch_options
@click.pass_context
def command(
    ctx: click.Context,
    checkpoint: Path | None,
    recording: DatarootOptions,
    out: Path,
    reach_m: float,
    strict: bool | None,
    selection: SelectionOptions,
    batch: BatchOptions,
) -> int:
    """Say of every lidar point whether it moves, and of what class it is.

    \b
    densegt predict-motion --checkpoint trained/motion.safetensors --dataroot /data/nuscenes --out votes
    densegt accumulate --dataroot /data/nuscenes --out depth --motion-votes votes

    Each scene's file has, for each lidar and sweep, one row a point: the probability that it moves, its class, its
    speed and the way to its object's middle. Scenes that are finished are skipped.
    """
    from densegt.depth.partial_file import check_writable

    from .batch_run import run_batch

    check_writable(out)
    job = votes_job(recording.strictly(strict), out, checkpoint, reach_m=reach_m, overwrite=batch.overwrite)
    return run_batch(
        ctx, job, selection.scene_names(job.opened), batch, details=moving_share, units=("sweeps", "points")
    )


def votes_job(
    recording: RecordingPath, out: Path, checkpoint: Path | None = None, *, reach_m: float = REACH_M, overwrite: bool
) -> VotesJob:
    """The job that votes on a recording's scenes; without a checkpoint by the network that ships.

    Raises:
        InputError: torch is not installed, or no network ships.
    """
    from densegt.errors import InputError

    try:
        from densegt.motion_net.checkpoint import shipped_weights
        from densegt.motion_net.job import VotesJob
    except ImportError as error:
        raise InputError(f'votes on what moves: {error}; pip install "densegt[train]"') from None
    return VotesJob(recording, out, checkpoint or shipped_weights(), reach_m, overwrite)


def moving_share(result: SceneResult) -> str:
    """Points that move."""
    moving, voted = result.counts["moving"], result.counts["voted"]
    return f" voted on, {100 * moving / max(voted, 1):.2f} % of these move"
