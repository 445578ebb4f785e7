"""`densegt train-pl`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from densegt.detection.registry import POINT_DETECTORS

from .benchmark import Where, benchmark_options, compare
from .config_option import FROM_CONFIG, config_option
from .training_options import settings_given, shipped, train, training_options, training_sources, typed_command

_MODEL = ("detector", "input")


@click.command("train-pl")
@training_options
@click.option(
    "--detector",
    type=click.Choice(POINT_DETECTORS),
    show_default=FROM_CONFIG,
    help="pixor: on voxels; centerpoint, centerpoint-voxel: on pillars or sparse voxels of several sweeps; "
    "pointrcnn: on points.",
)
@click.option(
    "--input", type=click.Choice(["pseudo", "lidar", "store"]), show_default=FROM_CONFIG,
    help="Where points come from: estimated depth, the real lidar, or the depth store.",
)  # fmt: skip
@click.option("--end-to-end", is_flag=True, help="The detector's gradient reaches the depth net.")
@click.option("--freeze-depth", is_flag=True, help="The depth net stays as it was in --init.")
@config_option("pl")
@click.option("--benchmark", is_flag=True, help="Compare detectors, points and supervision: many trainings, one page.")
@click.option(
    "--design", type=click.Choice(["axes", "full"]), default="axes", show_default=True,
    help="Of the benchmark: vary one thing at a time from end to end with dense depth, or take every combination.",
)  # fmt: skip
@benchmark_options
def command(out: Path, config: str | None, end_to_end: bool, freeze_depth: bool, benchmark: bool, **given: Any) -> int:
    """Train a detector on pseudo-LiDAR: images to depth, depth to points, points to boxes.

    \b
    densegt simulate --out world --scenes 5 --seconds 4
    densegt accumulate --dataroot world --out depth
    densegt train-pl --dataroot world --depth depth --supervision dense --config miniature --out apart
    densegt train-pl --dataroot world --depth depth --supervision dense --config miniature --out together \\
        --end-to-end --init apart/checkpoints/last.ckpt
    densegt train-pl --dataroot world --input lidar --config miniature --out lidar

    By default depth net and detector learn apart: the one from depth, the other from boxes. With --end-to-end what the
    detector needs is felt by the depth net as well (arXiv 2004.03080). --input lidar trains the same detector on the
    real lidar, which is the most that can be hoped for. The last fifth of the scenes is held out and tells which
    weights are best. Without --depth, `sparse` depth is projected from the lidar.

    \b
    densegt train-pl --dataroot world --depth depth --benchmark --config miniature --out compared

    --benchmark trains every detector (or the one that --detector names) on the lidar, and on estimated depth that is
    then frozen, learns on by itself, or end to end, several seeds each; it scores the last weights on the scenes held
    out, and writes compared/index.html. The same command goes on after an interruption.
    """
    from densegt.configuration import load_config, overridden
    from densegt.errors import InputError
    from densegt.install_hint import install_command

    try:
        from densegt.detection.points.pseudo_lidar.config import PlConfig
    except ImportError as error:
        raise InputError(f"train-pl: {error}; {install_command('train')}") from None
    if end_to_end and freeze_depth:
        raise click.UsageError("--end-to-end trains the depth net, --freeze-depth does not; only one of them can be")
    given["out"] = out
    if end_to_end or freeze_depth:
        given["coupling"] = "end-to-end" if end_to_end else "frozen"
    model = {name: given[name] for name in _MODEL if given[name] is not None}
    settings = overridden(load_config(PlConfig, shipped("pl", config), settings_given(given)), {"model": model})
    if not benchmark:
        return train(given, settings)

    from densegt.experiments.experiment_config import ExperimentConfig
    from densegt.experiments.pl_run import run_pl

    if any(given.get(name) for name in ("init", "resume", "coupling", "supervision", "input")):
        raise click.UsageError(
            "--benchmark chooses points and supervision itself, begins from nothing, and goes on by itself"
        )
    detectors = tuple(name for name in POINT_DETECTORS if given["detector"] in (None, name))
    experiment = ExperimentConfig(
        training_sources(given), out, settings, given["seeds"], given["design"], detectors, typed_command()
    )
    where = Where(given["workers"], given["executor"], given["ray_address"])
    return compare("train-pl", out, partial(run_pl, experiment), where)
