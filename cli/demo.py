"""`densegt demo`."""

from __future__ import annotations

import shutil
import time
from importlib import import_module
from pathlib import Path

import click

from densegt.errors import InputError

from .street_option import street_option

MARKER = ".densegt-demo"
_AT_THE_END = """
Done in {seconds:.0f} s. Above: A is measured depth, B the same completed. Open in a browser:
  {view}     to look around in
  {page}   figures and pictures
All figures are in {figures}, the places that completion changes most in {compared}.

On your own recording:
  densegt check --dataroot /data/nuscenes
  densegt accumulate --dataroot /data/nuscenes --out depth --estimate"""


@click.command("demo")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("densegt-demo"), show_default=True,
    help="Folder for everything; an earlier demo in it is replaced.",
)  # fmt: skip
@click.option("--seconds", type=click.FloatRange(0.5, 60), default=2.0, show_default=True, help="Length of the drive.")
@street_option
@click.option("--image-size", default="640x360", show_default=True, metavar="WxH", help="Size of the images in px.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Other seeds, other worlds.")
@click.pass_context
def command(ctx: click.Context, out: Path, seconds: float, street: str, image_size: str, seed: int) -> int:
    """Simulate a drive, build dense depth from its lidar, fill its gaps, score both, and draw pages to look around in.

    \b
    densegt demo
    densegt demo --out another --seconds 5 --seed 3

    Needs nothing but the installed package; takes about three minutes of one core. Without open3d the street is simple.
    """
    prepare(out)
    world, depth, completed = out / "world", out / "depth", out / "completed"
    page, view, figures = out / "report.html", out / "view.html", out / "figures.json"
    size: list[object] = ["--scenes", 1, "--seconds", seconds, "--image-size", image_size, "--seed", seed]
    began = time.monotonic()
    steps: list[list[object]] = [
        ["simulate", "--street", street, "--out", world, *size],
        ["accumulate", "--dataroot", world, "--out", depth],
        ["complete", "--dataroot", world, "--depth", depth, "--out", completed],
        ["compare", depth, completed, "--truth", world / "exact", "--dataroot", world, "--out", out / "compare.html"],
        ["evaluate", "--pred", completed, "--truth", world / "exact", "--json", figures],
        ["view", "--depth", completed, "--dataroot", world, "--out", view],
        ["report", "--depth", completed, "--dataroot", world, "--truth", world / "exact", "--out", page],
    ]
    for arguments in steps:
        code = run(ctx, [str(argument) for argument in arguments])
        if code:
            return code
    click.echo(_AT_THE_END.format(
        seconds=time.monotonic() - began, view=view.resolve(), page=page.resolve(), compared=out / "compare.html",
        figures=figures,
    ))  # fmt: skip
    return 0


def prepare(out: Path) -> None:
    """Make an empty folder with the demo's marker; only a folder that carries it already is emptied.

    Raises:
        InputError: there is something else in the folder, or nothing can be written there.
    """
    from densegt.depth.partial_file import check_writable

    check_writable(out)
    if out.is_dir() and any(out.iterdir()):
        if not (out / MARKER).is_file():
            raise InputError(f"{out}: holds something that is not a demo; name another folder with --out")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARKER).write_text("Made by `densegt demo`, which replaces this folder when it runs again.\n")


def run(ctx: click.Context, arguments: list[str]) -> int:
    """Run another command as if typed, after showing it."""
    click.echo(f"\n$ densegt {' '.join(arguments)}")
    name, *rest = arguments
    command: click.Command = import_module(f".{name}", __package__).command
    code = command.main(rest, prog_name=f"densegt {name}", standalone_mode=False, parent=ctx)
    return code if isinstance(code, int) else 0
