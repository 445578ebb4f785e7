"""`densegt export`."""

from __future__ import annotations

from pathlib import Path

import click

from .progress import progress_on_stderr

EPILOG = """\b
Read back with:
  kitti-png     cv2.imread(path, cv2.IMREAD_ANYDEPTH) / 256     metres, 0 = none
  bevdepth-bin  numpy.fromfile(path, numpy.float32).reshape(-1, 3)     u, v, metres
  npz           numpy.load(path)["depth_m"]
For BEVDepth, --out is its data folder (data/nuScenes): files go to depth_gt/ in it."""


@click.command("export", epilog=EPILOG)
@click.option("--depth", "depth_dir", type=click.Path(path_type=Path), required=True, help="Depth store to read.")
@click.option(
    "--format", "form", type=click.Choice(["kitti-png", "bevdepth-bin", "npz"]), required=True, help="What to write."
)
@click.option("--out", "out_dir", type=click.Path(path_type=Path), required=True, help="Folder to write to.")
@click.option("--overwrite", "existing", flag_value="overwrite", help="Replace files that are there already.")
@click.option("--resume", "existing", flag_value="keep", help="Keep files that are there already, write the rest.")
def command(depth_dir: Path, form: str, out_dir: Path, existing: str | None) -> None:
    """Write a depth store in another tool's format.

    \b
    densegt export --depth depth --format bevdepth-bin --out data/nuScenes
    """
    from densegt.batch.scene_lock import locked_scenes
    from densegt.depth.export import Existing, export_store
    from densegt.errors import InputError

    busy = locked_scenes(depth_dir)
    if busy:
        note = f"{depth_dir}: {', '.join(busy[:3])}{', ...' if len(busy) > 3 else ''} is being written by another run"
        if not any(depth_dir.glob("[!.]*.h5")):
            raise InputError(f"{note}; no scene is finished yet")
        click.echo(f"densegt: {note}; only finished scenes are exported, --resume adds the others later", err=True)

    modes: dict[str | None, Existing] = {None: "error", "overwrite": "overwrite", "keep": "keep"}
    with progress_on_stderr("Exporting") as progress:
        written, kept = export_store(depth_dir, out_dir, form, existing=modes[existing], progress=progress)
    click.echo(f"{out_dir}: {written} {form} files written" + (f", {kept} kept" if kept else ""))
