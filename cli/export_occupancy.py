"""`densegt export` of an occupancy store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from .option_group import option_group

FORMATS = ("occ3d", "surroundocc", "openoccupancy")


@dataclass(frozen=True)
class OccupancyExport:
    """An occupancy store to export.

    Attributes:
        store: None where it is depth that is exported.
        unknown: class to write where none is known.
        dataroot: of the recording, for its scenes' tokens.
    """

    store: Path | None
    unknown: int
    dataroot: Path | None


occupancy_export_options = option_group(
    "voxels",
    OccupancyExport,
    click.option("--occupancy", "store", type=click.Path(path_type=Path), help="Occupancy store to read, instead."),
    click.option(
        "--unknown-class", "unknown", type=click.IntRange(0, 16), default=0, show_default=True,
        help="Class to write for occupied voxels of which none is known; loaders of SurroundOcc and OpenOccupancy "
        "ignore 0.",
    ),
    click.option(
        "--dataroot", type=click.Path(path_type=Path),
        help="The recording: OpenOccupancy's folders are named after its scenes' tokens.  [default: their names]",
    ),
)  # fmt: skip


def export(options: OccupancyExport, form: str, out: Path, *, overwrite: bool) -> None:
    """Write the store in a benchmark's layout, and say so."""
    from densegt.occupancy.formats import export_occupancy

    assert options.store is not None
    written = export_occupancy(
        options.store, out, form, unknown=options.unknown, dataroot=options.dataroot, overwrite=overwrite
    )
    click.echo(f"{out}: {written} {form} files written")
