"""`densegt export`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .export_occupancy import FORMATS, OccupancyExport, export, occupancy_export_options
from .image_size import image_size
from .option_group import option_group
from .progress import progress_on_stderr
from .recording_options import SelectionOptions, selection_options

if TYPE_CHECKING:
    from densegt.depth.export import Existing

DEPTH_FORMATS = ("kitti-png", "bevdepth-bin", "npz")
EPILOG = """\b
Read back with:
  kitti-png     cv2.imread(path, cv2.IMREAD_ANYDEPTH) / 256     metres, 0 = none
  bevdepth-bin  numpy.fromfile(path, numpy.float32).reshape(-1, 3)     u, v, metres
  npz           numpy.load(path)["depth_m"]
For BEVDepth, --out is its data folder (data/nuScenes): files go to depth_gt/ in it."""


@dataclass(frozen=True)
class ExportOptions:
    """What comes of files that are there, the size of the depth maps, and whether only to tell what it would take."""

    existing: str | None
    size: tuple[int, int] | None
    estimate: bool

    @property
    def mode(self) -> Existing:
        """As `export_store` calls it."""
        modes: dict[str | None, Existing] = {None: "error", "overwrite": "overwrite", "keep": "keep"}
        return modes[self.existing]


export_options = option_group(
    "options",
    ExportOptions,
    click.option("--overwrite", "existing", flag_value="overwrite", help="Replace files that are there already."),
    click.option("--resume", "existing", flag_value="keep", help="Keep files that are there already, write the rest."),
    click.option(
        "--image-size", "size", metavar="WxH", callback=image_size,
        help="Smaller depth maps, each pixel the nearest of those it stands for, K to match. bevdepth-bin keeps as "
        "many points, and counts columns and rows of the full image, which BEVDepth's loader scales itself.  "
        "[default: the store's size]",
    ),
    click.option("--estimate", is_flag=True, help="Only say how much disk it would take."),
)  # fmt: skip


@click.command("export", epilog=EPILOG)
@click.option("--depth", "depth_dir", type=click.Path(path_type=Path), help="Depth store to read.")
@occupancy_export_options
@click.option(
    "--format", "form", type=click.Choice([*DEPTH_FORMATS, *FORMATS]), required=True,
    help="What to write; the last three of an occupancy store.",
)  # fmt: skip
@click.option("--out", "out_dir", type=click.Path(path_type=Path), required=True, help="Folder to write to.")
@selection_options()
@export_options
def command(
    depth_dir: Path | None,
    voxels: OccupancyExport,
    form: str,
    out_dir: Path,
    selection: SelectionOptions,
    options: ExportOptions,
) -> None:
    """Write a depth store, or one of occupancy, in another tool's format.

    \b
    densegt export --depth depth --format bevdepth-bin --out data/nuScenes
    densegt export --occupancy occupancy --format occ3d --out data/occ3d
    densegt export --depth depth --format npz --out front --camera CAM_FRONT --image-size 704x396

    What it will take is told from some images before the first is written; it does not begin where the disk has less.
    """
    if (depth_dir is None) == (voxels.store is None):
        raise click.UsageError("give --depth or --occupancy, one of them")
    if (form in FORMATS) != (voxels.store is not None):
        raise click.UsageError(f"{', '.join(FORMATS)} go with --occupancy, the other formats with --depth")
    if voxels.store is not None:
        export(voxels, form, out_dir, overwrite=options.existing == "overwrite")
        return
    assert depth_dir is not None
    from densegt.batch.scene_lock import locked_scenes
    from densegt.depth.export import ExportChoice, estimate_export, export_store
    from densegt.errors import InputError

    busy = locked_scenes(depth_dir)
    if busy:
        note = f"{depth_dir}: {', '.join(busy[:3])}{', ...' if len(busy) > 3 else ''} is being written by another run"
        if not any(depth_dir.glob("[!.]*.h5")):
            raise InputError(f"{note}; no scene is finished yet")
        click.echo(f"densegt: {note}; only finished scenes are exported, --resume adds the others later", err=True)

    choice = ExportChoice(selection.scenes, selection.cameras, options.size)
    told = estimate_export(depth_dir, out_dir, form, choice)
    words = f"{told.images} images, about {_in_words(told.bytes)}; {_in_words(told.free_bytes)} are free"
    if options.estimate:
        click.echo(f"{out_dir}: {words}")
        return
    # What is there already is not written again, or in its own place.
    if told.bytes > told.free_bytes and options.mode == "error":
        raise InputError(f"{out_dir}: {words}; --image-size, --camera and --scene make it less")
    if told.bytes > 1e9:
        click.echo(f"densegt: {out_dir}: {words}", err=True)
    with progress_on_stderr("Exporting") as progress:
        written, kept = export_store(depth_dir, out_dir, form, choice, existing=options.mode, progress=progress)
    click.echo(f"{out_dir}: {written} {form} files written" + (f", {kept} kept" if kept else ""))


def _in_words(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
