"""Options that decide an accumulation, of `accumulate` and `evaluate --leave-one-out`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from .config_option import shared_names
from .option_group import option_group
from .recording_options import strict_option

if TYPE_CHECKING:
    from densegt.accumulation.config import AccumulateConfig

Config = TypeVar("Config", bound="AccumulateConfig")


@dataclass(frozen=True)
class AccumulateOptions:
    """What overrides the configuration; None leaves it as it is.

    Attributes:
        window: seconds before and after a keyframe, or "scene".
        glass: what is answered where a lidar looks through a pane.
        config: YAML file, or the name of one that ships with densegt.
        strict: refuse a scene in which anything is bad; see `DatarootOptions.strictly`.
    """

    motion: str | None
    surface: bool | None
    window: float | str | None
    refine_poses: bool | None
    glass: str | None
    config: str | None
    strict: bool | None

    @property
    def any_given(self) -> bool:
        """Whether one of the options was typed."""
        return any(value is not None for value in asdict(self).values())

    def resolve(self) -> AccumulateConfig:
        """The configuration with the options in it.

        Raises:
            InputError: there is no such configuration, or it is wrong.
        """
        from densegt.accumulation.config import AccumulateConfig

        return self.resolve_as(AccumulateConfig)

    def resolve_as(self, model: type[Config]) -> Config:
        """A configuration that holds an accumulation's, with the options in it.

        Raises:
            InputError: there is no such configuration, or it is wrong.
        """
        from densegt.configuration import load_config, overridden

        options = {
            "motion": self.motion,
            "surface": self.surface,
            "window_s": self.window,
            "refine_poses": self.refine_poses,
        }
        given = {key: None if value == "scene" else value for key, value in options.items() if value is not None}
        config = load_config(model, self.config, given)
        return overridden(config, {"glass": {"show": self.glass}}) if self.glass else config


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


accumulate_options = option_group(
    "accumulation",
    AccumulateOptions,
    click.option(
        "--motion",
        type=click.Choice(["auto", "boxes", "free", "none"]),
        help="auto: objects with boxes are motion-compensated along their tracks, and what other sweeps saw "
        "through is shown at its own time only. boxes: only the first. free: only the second, no label read. "
        "none: all stands still.  [default: auto]",
    ),
    click.option(
        "--surface/--no-surface", default=None, help="Fill between measured points of one surface.  [default: surface]"
    ),
    click.option(
        "--window",
        metavar="SECONDS|scene",
        callback=_window,
        help="Depth is of sweeps this far before and after; 0: the keyframe's own; scene: all. What "
        "moves and where the car was is still told from all; --motion none --no-refine-poses does "
        "without.  [default: scene]",
    ),
    click.option(
        "--refine-poses/--no-refine-poses",
        default=None,
        help="Adjust the recorded ego poses to what the sweeps saw, where they clearly agree better for it.  "
        "[default: refine-poses]",
    ),
    click.option(
        "--glass",
        type=click.Choice(["surface", "through", "unknown"]),
        help="Where the lidar looks through a pane in a plane frame: the pane's surface, what lies "
        "behind it, or nothing.  [default: surface]",
    ),
    click.option(
        "--config",
        metavar="NAME|FILE",
        help=f"{' or '.join(shared_names())}, which ship, or a YAML file.  [default: the built-in values]",
    ),
    strict_option,
)

sanity_option = click.option(
    "--sanity", type=click.Choice(["refuse", "warn", "off"]), default="refuse", show_default=True,
    help="Where poses, calibration, units or clocks contradict the points so that the result would be rubbish: leave "
    "the scene out, or go on and say so; off does not look.",
)  # fmt: skip
