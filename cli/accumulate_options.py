"""Options that `accumulate` shares with `evaluate --leave-one-out`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from densegt.datasets import FORMATS

if TYPE_CHECKING:
    from densegt.accumulate.config import AccumulateConfig
    from densegt.datasets.recording import Recording


def _window(ctx: click.Context, param: click.Parameter, value: str | None) -> float | str | None:
    """Seconds as a number; `scene` stays a word."""
    if value is None or value == "scene":
        return value
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise click.BadParameter(f"{value!r} is neither a number of seconds nor 'scene'", ctx, param)
    return seconds


format_option = click.option(
    "--format", "format_", type=click.Choice(["auto", *FORMATS]), default="auto", show_default=True,
    help="Of the recording; auto recognises it by its files.",
)  # fmt: skip

_OPTIONS = (
    format_option,
    click.option("--version", help="Folder of nuScenes tables; the only v1.0-* there if not given."),
    click.option("--scene", "scenes", multiple=True, metavar="NAME", help="This scene only; may be repeated."),
    click.option("--camera", "cameras", multiple=True, metavar="CHANNEL", help="This camera only; may be repeated."),
    click.option(
        "--motion",
        type=click.Choice(["auto", "boxes", "free", "none"]),
        help="auto (default): objects with boxes are carried along their tracks, and what other sweeps saw through is "
        "shown at its own time only. boxes: only the first. free: only the second, no label read. "
        "none: all stands still.",
    ),
    click.option("--surface/--no-surface", default=None, help="Fill between measured points of one surface (default)."),
    click.option(
        "--window",
        metavar="SECONDS|scene",
        callback=_window,
        help="Sweeps this far before and after; 0: the keyframe's own sweep; scene: all (default).",
    ),
    click.option(
        "--refine-poses/--no-refine-poses",
        default=None,
        help="Adjust the recorded ego poses to what the sweeps saw, where they clearly agree better for it (default).",
    ),
    click.option("--config", metavar="FILE", help="YAML file, or the name of one that ships with densegt."),
)


def accumulate_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, in the order above."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def resolve(
    motion: str | None,
    surface: bool | None,
    window: float | str | None,
    refine_poses: bool | None,
    config: str | None,
) -> AccumulateConfig:
    """The configuration that the options make."""
    from densegt.accumulate.config import AccumulateConfig
    from densegt.configuration import load_config

    options = {"motion": motion, "surface": surface, "window_s": window, "refine_poses": refine_poses}
    given = {key: None if value == "scene" else value for key, value in options.items() if value is not None}
    return load_config(AccumulateConfig, config, given)


def chosen(recording: Recording, scenes: tuple[str, ...]) -> list[str]:
    """The scenes asked for, each once; all where none is named.

    Raises:
        InputError: there is no scene of that name.
    """
    from densegt.datasets.recording import some
    from densegt.errors import InputError

    names = list(recording.scene_names)
    for name in scenes:
        if name not in names:
            raise InputError(f"{recording.source}: no scene {name!r}; there is {some(names)}")
    return list(dict.fromkeys(scenes)) or names
