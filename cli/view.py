"""`densegt view`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .option_group import option_group
from .progress import progress_on_stderr
from .recording_options import DatarootOptions, SelectionOptions, recording_options, selection_options

if TYPE_CHECKING:
    from densegt.view.page import Export

_PATH = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True)
class PageOptions:
    """How much of a store the page holds.

    Attributes:
        every: every n-th keyframe.
        downscale: factor by which images are made smaller.
        points: of the static cloud, at most.
        occupancy_dir: store of voxels that it holds too.
        labels_dir: of `densegt autolabel`.
        votes_dir: of `densegt predict-motion`.
    """

    every: int
    downscale: int
    points: int
    no_cloud: bool
    occupancy_dir: Path | None
    labels_dir: Path | None
    votes_dir: Path | None


page_options = option_group(
    "page",
    PageOptions,
    click.option("--every", type=click.IntRange(min=1), default=1, show_default=True, help="Every n-th keyframe only."),
    click.option(
        "--downscale", type=click.IntRange(min=1), default=1, show_default=True, help="Smaller by this factor."
    ),
    click.option(
        "--points", type=click.IntRange(min=0), default=120_000, show_default=True, help="Of the static cloud, at most."
    ),
    click.option(
        "--no-cloud", is_flag=True, help="Without the cloud in 3D, which takes as long as reading all sweeps."
    ),
    click.option(
        "--occupancy",
        "occupancy_dir",
        type=_PATH,
        help="Store of voxels to show too, in the cloud's place and in Rerun.",
    ),
    click.option(
        "--labels",
        "labels_dir",
        type=_PATH,
        metavar="DIR",
        show_default="none",
        help="Verified labels of `densegt autolabel`: shapes and boxes in the cloud, boxes over the images.",
    ),
    click.option(
        "--motion-votes",
        "votes_dir",
        type=_PATH,
        metavar="DIR",
        show_default="none",
        help="Store of `densegt predict-motion`: the keyframes' points coloured by how likely they move.",
    ),
)


@dataclass(frozen=True)
class ExportOptions:
    """Folders for further files of each scene's cloud."""

    ply_dir: Path | None
    rerun_dir: Path | None


export_options = option_group(
    "exports",
    ExportOptions,
    click.option("--ply", "ply_dir", type=_PATH, help="Also write the whole cloud as <scene>.ply in this folder."),
    click.option(
        "--rerun", "rerun_dir", type=_PATH, help="Also write <scene>.rrd for the Rerun viewer in this folder."
    ),
)


@click.command("view")
@recording_options()
@click.option("--depth", "depth_dir", type=_PATH, required=True, help="Depth store to show; best a completed one.")
@click.option("--out", type=_FILE, required=True, help="HTML file to write.")
@click.option("--truth", "truth_dir", type=_PATH, help="Store of exact depth.  [default: DATAROOT/exact if there]")
@selection_options(default="the first")
@page_options
@export_options
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser when it is written.")
def command(
    recording: DatarootOptions,
    depth_dir: Path,
    out: Path,
    truth_dir: Path | None,
    selection: SelectionOptions,
    page: PageOptions,
    exports: ExportOptions,
    open_it: bool,
) -> None:
    """Write one HTML page to look around in: every pixel's metres, and the cloud they come from.

    \b
    densegt view --depth completed --dataroot /data/nuscenes --out view.html
    densegt view --depth completed --dataroot /data/nuscenes --out view.html --scene scene-0061 --camera CAM_FRONT

    The page needs nothing but itself and a browser. A scene of 5 s with six cameras at 800x450 is about 30 MB; for
    larger images use --downscale 2, for longer scenes --every.
    """
    from densegt.view.page import Choice, write_view

    if page.no_cloud and (exports.ply_dir or exports.rerun_dir):
        raise click.UsageError("--ply and --rerun write the cloud; leave --no-cloud out")
    if page.no_cloud and page.occupancy_dir:
        raise click.UsageError("--occupancy shows voxels in the cloud's place; leave --no-cloud out")
    if page.no_cloud and page.votes_dir:
        raise click.UsageError("--motion-votes shows votes in the cloud; leave --no-cloud out")
    writers = _writers(exports, recording, page.occupancy_dir)
    points = 0 if page.no_cloud else page.points
    choice = Choice(
        selection.scenes, selection.cameras, page.every, page.downscale, points, page.labels_dir, page.votes_dir
    )
    with progress_on_stderr("Drawing") as progress:
        shown = write_view(
            depth_dir,
            recording.path,
            out,
            choice,
            truth_dir=truth_dir,
            occupancy_dir=page.occupancy_dir,
            exports=writers,
            progress=progress,
        )
    rest = f"; {shown.other_scenes} other scenes are not in it, see --scene" if shown.other_scenes else ""
    click.echo(f"{out}: {shown.images} images of {', '.join(shown.scenes)}, {shown.bytes / 1e6:.1f} MB{rest}")
    if open_it:
        click.launch(str(out))


def _writers(exports: ExportOptions, recording: DatarootOptions, occupancy_dir: Path | None) -> list[Export]:
    """What writes the further files."""
    writers: list[Export] = []
    if exports.ply_dir:
        from densegt.view.ply import ply_writer

        writers.append(ply_writer(exports.ply_dir))
    if exports.rerun_dir:
        from densegt.view.to_rerun import rerun_writer

        writers.append(rerun_writer(exports.rerun_dir, recording.image_root, occupancy_dir))
    return writers
