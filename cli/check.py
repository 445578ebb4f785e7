"""`densegt check`."""

from __future__ import annotations

from pathlib import Path

import click

from .progress import progress_on_stderr


@click.command("check")
@click.option("--dataroot", type=click.Path(path_type=Path), required=True, help="Folder that holds v1.0-*/.")
@click.option("--version", help="Folder of tables, e.g. v1.0-mini; by default the only one there.")
@click.option("--images", is_flag=True, help="Decode every image too (slow); otherwise only its two ends are read.")
def command(dataroot: Path, version: str | None, images: bool) -> int:
    """Is this folder whole and readable?

    \b
    densegt check --dataroot /data/nuscenes

    Prints one line for each thing that is wrong (`kind: file: what`) and a line with their number. Exit code 0:
    whole; 1: something is wrong; 2: not a dataset at all.
    """
    from densegt.datasets.nuscenes.check import check

    with progress_on_stderr("Checking") as progress:
        report = check(dataroot, version, decode_images=images, progress=progress)
    for finding in report.findings:
        click.echo(str(finding))
    click.echo(report.summary())
    return 1 if report.findings else 0
