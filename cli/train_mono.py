"""`densegt train-mono`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .training_options import settings_given, shipped, train, trainer_options

_PATH = click.Path(path_type=Path)


@click.command("train-mono")
@trainer_options(
    ["dense", "sparse", "mono", "autolabel", "exact"],
    "What 3D is learned from: a store's measured depth, the keyframe's own sweeps, estimated depth, "
    "autolabels beside a store's depth, labelled boxes.",
)
@click.option(
    "--boxes-2d", "boxes_2d", type=_PATH, multiple=True,
    help="JSON of a 2D detector's boxes, perhaps masks.  [default: exact masks where simulated, else projected labels]",
)  # fmt: skip
@click.option("--config", metavar="NAME|FILE", help="miniature, full or a YAML file.  [default: miniature]")
def command(out: Path, config: str | None, **given: Any) -> int:
    """Train a detector of 3D boxes in single images, without 3D labels.

    \b
    densegt simulate --street city --scenes 5 --seconds 2 --out world
    densegt accumulate --dataroot world --motion free --out depth
    densegt train-mono --dataroot world --depth depth --supervision dense --out trained
    densegt predict --checkpoint trained/checkpoints/best.ckpt --dataroot world --out found

    Of each 2D box it says depth, size, shape and yaw; with --config full it finds the boxes itself. It learns them from
    shapes of vehicles that must agree with the object's mask and with depth measured on it: with --supervision dense
    that of a depth store, with sparse the keyframe's own sweeps, with mono a store of estimated depth; with autolabel
    also boxes of the recording that densegt autolabel wrote. To compare, exact learns from labelled 3D boxes.
    The last fifth of the scenes is held out and tells which weights are best.
    """
    from densegt.configuration import load_config
    from densegt.errors import InputError
    from densegt.install_hint import install_command

    try:
        from densegt.detection.mono.config import MonoConfig
    except ImportError as error:
        raise InputError(f"train-mono: {error}; {install_command('train')}") from None
    given["out"] = out
    settings = load_config(MonoConfig, shipped("mono", config or "miniature"), settings_given(given))
    return train(given, settings)
