"""`densegt simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from densegt.shipped_configs import shipped_names

from .image_size import image_size
from .street_option import street_option


@click.command("simulate")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write; it appears when whole.")
@street_option
@click.option(
    "--ranges",
    default="city",
    show_default=True,
    metavar="NAME|FILE",
    help=f"What cities are drawn from: {', '.join(shipped_names('city'))}, or a YAML file.",
)
@click.option("--scenes", default=2, show_default=True, type=click.IntRange(1, 9999), help="How many scenes.")
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(0.5, 60), help="Length of a scene.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Other seeds, other worlds.")
@click.option("--image-size", default="800x450", show_default=True, metavar="WxH", callback=image_size, help="In px.")
@click.option(
    "--unlabelled", default=2, show_default=True, type=click.IntRange(0), help="Dynamic objects without boxes, a scene."
)
@click.option(
    "--box-noise", "box_noise_m", default=0.0, show_default=True, type=click.FloatRange(0), help="Error of boxes in m."
)
@click.option(
    "--pose-noise", "pose_noise_m", default=0.0, show_default=True, type=click.FloatRange(0),
    help="Error of ego poses in m.",
)  # fmt: skip
@click.option(
    "--late-boxes", default=0.0, show_default=True, type=click.FloatRange(0, 1),
    help="Share of things whose first boxes are missing.",
)  # fmt: skip
@click.option(
    "--missing-boxes", default=0.0, show_default=True, type=click.FloatRange(0, 1), help="Share of boxes left out.",
)  # fmt: skip
@click.option("--workers", type=click.IntRange(1), help="Scenes at once.  [default: as many as pay]")
@click.option("--overwrite", is_flag=True, help="Replace an earlier simulation in --out.")
def command(
    out: Path,
    street: str,
    ranges: str,
    image_size: tuple[int, int],
    workers: int | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Write a small driving world in nuScenes format with exact depth.

    \b
    Example:  densegt simulate --out world --scenes 2 --seconds 5
              densegt accumulate --dataroot world --out depth
              densegt evaluate --pred depth --truth world/exact
    """
    from densegt.simulate.city import CityStreet
    from densegt.simulate.config import SimulateConfig
    from densegt.simulate.run import simulate
    from densegt.simulate.simple.drive import SimpleStreet

    from .progress import progress_on_stderr

    width_px, height_px = image_size
    config = SimulateConfig(width_px=width_px, height_px=height_px, **options)
    kind = CityStreet(ranges) if street == "city" else SimpleStreet()
    with progress_on_stderr("sweeps") as progress:
        simulate(config, out, progress, street=kind, workers=workers, overwrite=overwrite)
    click.echo(f"{out}: {config.scenes} scenes, exact depth in {out / 'exact'}")
