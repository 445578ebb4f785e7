"""`densegt train-lss`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from .benchmark import Where, benchmark_options, compare
from .config_option import FROM_CONFIG, config_option
from .training_options import settings_given, shipped, train, training_options, training_sources, typed_command

_MODEL = ("bins", "sampling", "samples")


@click.command("train-lss")
@training_options
@click.option("--bins", type=click.Choice(["UD", "LID", "SID"]), show_default=FROM_CONFIG,
    help="Width of depth bins: uniform, growing linearly, or in proportion to depth.",
)  # fmt: skip
@click.option(
    "--sampling", type=click.Choice(["fixed", "pdf", "offset", "depth-offset", "pixel-offset"]),
    show_default=FROM_CONFIG,
    help="Where features are laid down: at the bins' centres, where depth is likely, or beside the centres.",
)  # fmt: skip
@click.option("--samples", type=click.IntRange(1), show_default=FROM_CONFIG, help="Of `--sampling pdf`, on each ray.")
@config_option("lss")
@click.option("--benchmark", is_flag=True, help="Compare supervision, bins and sampling: many trainings, one page.")
@click.option(
    "--design", type=click.Choice(["axes", "full"]), default="axes", show_default=True,
    help="Of the benchmark: vary one thing at a time from dense, UD and fixed, or take every combination.",
)  # fmt: skip
@benchmark_options
def command(out: Path, config: str | None, benchmark: bool, **given: Any) -> int:
    """Train a Lift-Splat detector, with or without depth to learn from.

    \b
    densegt simulate --out world --scenes 5 --seconds 4
    densegt accumulate --dataroot world --out depth
    densegt train-lss --dataroot world --depth depth --supervision dense --config miniature --out trained
    densegt predict --checkpoint trained/checkpoints/best.ckpt --dataroot world --out found

    It segments vehicles on the ground plane and finds nuScenes' ten classes. The last fifth of the scenes is held out
    and tells which weights are best (with `split: official` in the configuration those that the recording's own split
    holds out). Without --depth, `sparse` depth is projected from the lidar. Several data sets: name --dataroot and
    --depth several times, in the same order. Several GPUs: --devices 4, or torchrun with --nodes.

    \b
    densegt complete --dataroot world --depth depth --out completed
    densegt train-lss --dataroot world --depth completed --benchmark --config benchmark --out compared

    --benchmark trains with every supervision, with all bins and with all samplings, several seeds each, scores the last
    weights on the scenes held out, and writes compared/index.html. The same command goes on after an interruption.
    """
    from densegt.configuration import load_config, overridden
    from densegt.errors import InputError
    from densegt.install_hint import install_command

    try:
        from densegt.detection.bev.train_config import LssConfig
    except ImportError as error:
        raise InputError(f"train-lss: {error}; {install_command('train')}") from None
    given["out"] = out
    model = {name: given[name] for name in _MODEL if given[name] is not None}
    if "bins" in model:
        model["bins"] = {"kind": model["bins"]}
    settings = overridden(load_config(LssConfig, shipped("lss", config), settings_given(given)), {"model": model})
    if not benchmark:
        return train(given, settings)

    from densegt.experiments.experiment_config import ExperimentConfig
    from densegt.experiments.lss_run import run

    if any(given[name] for name in ("init", "resume", "supervision", "bins", "sampling")):
        raise click.UsageError(
            "--benchmark chooses supervision, bins and sampling itself, begins from nothing, and goes on by itself"
        )
    experiment = ExperimentConfig(
        training_sources(given), out, settings, given["seeds"], given["design"], command=typed_command()
    )
    where = Where(given["workers"], given["executor"], given["ray_address"])
    return compare("train-lss", out, partial(run, experiment), where)
