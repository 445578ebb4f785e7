"""`densegt occupancy`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from .accumulate_options import AccumulateOptions, accumulate_options, sanity_option
from .batch_options import BatchOptions, batch_options
from .recording_options import DatarootOptions, recording_options


@click.command("occupancy")
@recording_options()
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Occupancy store: one .h5 a scene goes there."
)
@click.option(
    "--grid",
    default="occ3d",
    show_default=True,
    metavar="occ3d|surroundocc|openoccupancy|FILE",
    help="That of a benchmark, or a YAML file with frame (ego or lidar), range_m and voxel_m.",
)
@click.option("--scene", "scenes", multiple=True, metavar="NAME", help="This scene only; may be repeated.")
@accumulate_options
@batch_options
@sanity_option
@click.pass_context
def command(
    ctx: click.Context,
    recording: DatarootOptions,
    out: Path,
    grid: str,
    scenes: tuple[str, ...],
    accumulation: AccumulateOptions,
    batch: BatchOptions,
    sanity: Literal["refuse", "warn", "off"],
) -> int:
    """Turn a recording into voxels of every keyframe: occupied, free, unobserved, and how fast what moves moves.

    Movers are where they are at the keyframe's time, labelled or not. Scenes that are finished are skipped.

    \b
    densegt occupancy --dataroot /data/nuscenes --out occupancy
    densegt occupancy --dataroot /data/nuscenes --out occupancy --grid openoccupancy --scene scene-0061
    """
    from densegt.occupancy.config import OccupancyConfig
    from densegt.occupancy.grid import open_grid
    from densegt.occupancy.job import OccupancyJob

    from .batch_run import run_batch
    from .recording_options import SelectionOptions

    job = OccupancyJob(
        recording.strictly(accumulation.strict),
        out,
        open_grid(grid),
        accumulation.resolve_as(OccupancyConfig),
        batch.overwrite,
        sanity,
    )
    names = SelectionOptions(scenes, ()).scene_names(job.opened)
    return run_batch(ctx, job, names, batch, units=("keyframes", "voxels observed"))
