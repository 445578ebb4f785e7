"""`densegt occupancy`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from .accumulate_options import AccumulateOptions, accumulate_options, sanity_option
from .batch_options import BatchOptions, batch_options
from .option_group import option_group
from .recording_options import DatarootOptions, SelectionOptions, recording_options


@dataclass(frozen=True)
class VoxelOptions:
    """What is made of a recording.

    Attributes:
        grid: a key of `GRIDS` or a YAML file.
        semantics: auto, none or a folder of motion votes.
        exact: a simulated city's own voxels.
    """

    grid: str
    semantics: str
    exact: bool
    scenes: tuple[str, ...]


voxel_options = option_group(
    "voxels",
    VoxelOptions,
    click.option(
        "--grid", default="occ3d", show_default=True, metavar="occ3d|surroundocc|openoccupancy|FILE",
        help="That of a benchmark, or a YAML file with frame (ego or lidar), range_m and voxel_m.",
    ),
    click.option(
        "--semantics", default="auto", show_default=True, metavar="auto|none|DIR",
        help="auto: classes of boxes, and of nuScenes lidarseg where it is there. DIR: of boxes, and of what `densegt "
        "predict-motion` wrote there. none: no classes.",
    ),
    click.option(
        "--exact", is_flag=True, help="Of a simulated city: the exact voxels of its meshes, nothing of its sweeps."
    ),
    click.option(
        "--scene", "scenes", multiple=True, metavar="NAME", help="This scene only; may be repeated.  [default: all]"
    ),
)  # fmt: skip


@click.command("occupancy")
@recording_options()
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Occupancy store: one .h5 a scene goes there."
)
@voxel_options
@accumulate_options
@batch_options
@sanity_option
@click.pass_context
def command(
    ctx: click.Context,
    recording: DatarootOptions,
    out: Path,
    voxels: VoxelOptions,
    accumulation: AccumulateOptions,
    batch: BatchOptions,
    sanity: Literal["refuse", "warn", "off"],
) -> int:
    """Turn a recording into voxels of every keyframe: occupied, free, unobserved, what it is and how fast it moves.

    Dynamic objects are where they are at the keyframe's time, labelled or not. Scenes that are finished are skipped.

    \b
    densegt occupancy --dataroot /data/nuscenes --out occupancy
    densegt occupancy --dataroot /data/nuscenes --out occupancy --grid openoccupancy --scene scene-0061
    """
    from densegt.occupancy.config import OccupancyConfig
    from densegt.occupancy.grid import open_grid
    from densegt.occupancy.job import OccupancyJob

    from .batch_run import run_batch

    job_of = OccupancyJob
    if voxels.exact:
        from densegt.occupancy.exact_store import ExactOccupancyJob as job_of
    job = job_of(
        recording.strictly(accumulation.strict),
        out,
        open_grid(voxels.grid),
        accumulation.resolve_as(OccupancyConfig),
        voxels.semantics,
        batch.overwrite,
        sanity,
    )
    names = SelectionOptions(voxels.scenes, ()).scene_names(job.opened)
    return run_batch(ctx, job, names, batch, units=("keyframes", "voxels observed"))
