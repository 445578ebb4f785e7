"""Options that name a recording, and scenes and cameras in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from densegt.datasets import FORMATS, RecordingPath

from .option_group import Decorator, option_group

if TYPE_CHECKING:
    from densegt.datasets.recording import Recording


class FormatName(click.ParamType[str]):
    """A key of `FORMATS`, or `module:Class` of a reader of one's own."""

    name = "format"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Shown in the help."""
        return f"[{'|'.join(['auto', *FORMATS])}|MODULE:CLASS]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as it is."""
        if value not in ("auto", *FORMATS) and ":" not in value:
            self.fail(f"{value!r} is none of auto, {', '.join(FORMATS)}, nor MODULE:CLASS", param, ctx)
        return value


format_option = click.option(
    "--format", "format_", type=FormatName(), default="auto", show_default=True,
    help="Of the recording; auto recognises it by its files.",
)  # fmt: skip


@dataclass(frozen=True)
class DatarootOptions:
    """Where a recording lies and how it is read; see `RecordingPath` and `RecordingOptions`.

    Attributes:
        dataroot: None only where a command can do without.
    """

    dataroot: Path | None
    format_: str
    version: str | None
    keyframe_rate_hz: float | None
    keyframe_every: int | None

    @property
    def path(self) -> RecordingPath:
        """The recording.

        Raises:
            click.UsageError: none was named.
        """
        if self.dataroot is None:
            raise click.UsageError("Missing option '--dataroot'.")
        if self.keyframe_rate_hz is None and self.keyframe_every is None:
            return RecordingPath(self.dataroot, self.format_, self.version)
        from densegt.datasets.recording import RecordingOptions

        rate_hz = self.keyframe_rate_hz or RecordingOptions.keyframe_rate_hz
        return RecordingPath(self.dataroot, self.format_, self.version, RecordingOptions(rate_hz, self.keyframe_every))

    def strictly(self, strict: bool | None) -> RecordingPath:
        """The recording, what is bad in it refused or set aside; see `path`."""
        if not strict:
            return self.path
        from densegt.datasets.recording import RecordingOptions

        return replace(self.path, options=replace(self.path.options or RecordingOptions(), strict=True))

    @property
    def image_root(self) -> Path:
        """Folder that image file names in a depth store are relative to; the recording's other files need not be there.

        Raises:
            InputError: a format was named, and the folder is none of that.
        """
        return self.path.root if self.format_ == "auto" else self.path.open().root


strict_option = click.option(
    "--strict", is_flag=True, default=None,
    help="Refuse a scene in which a sweep, an image, a box or a table of labels is missing or bad; otherwise that is "
    "left out, and named at the end.",
)  # fmt: skip


def recording_options(*, required: bool = True, help: str = "Folder of the recording.") -> Decorator:
    """Adds --dataroot, --format and what a format leaves to its user; given to the command as `recording`."""
    return option_group(
        "recording",
        DatarootOptions,
        click.option("--dataroot", type=click.Path(path_type=Path), required=required, help=help),
        format_option,
        click.option("--version", help="Version of the tables in nuScenes format.  [default: the only v1.0-* there]"),
        click.option(
            "--keyframe-rate", "keyframe_rate_hz", type=click.FloatRange(0, min_open=True), metavar="HZ",
            help="About as many keyframes a second, in formats that mark none.  [default: 2]",
        ),
        click.option(
            "--keyframe-every", type=click.IntRange(1), metavar="N",
            help="Every N-th sweep is a keyframe, in formats that mark none.",
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class SelectionOptions:
    """Names of scenes and cameras; all where empty."""

    scenes: tuple[str, ...]
    cameras: tuple[str, ...]

    def scene_names(self, recording: Recording) -> list[str]:
        """The scenes asked for, each once.

        Raises:
            InputError: there is no scene of that name, or none with these cameras.
        """
        from densegt.datasets.recording import check_cameras, unknown_scene

        known = list(recording.scene_names)
        for name in self.scenes:
            if name not in known:
                raise unknown_scene(recording.source, name, known)
        names = list(dict.fromkeys(self.scenes)) or known
        check_cameras(recording, names, self.cameras)
        return names


def selection_options(default: str = "all") -> Decorator:
    """Adds --scene and --camera; given to the command as `selection`."""
    return option_group(
        "selection",
        SelectionOptions,
        click.option(
            "--scene", "scenes", multiple=True, metavar="NAME",
            help=f"This scene only; may be repeated.  [default: {default}]",
        ),
        click.option(
            "--camera", "cameras", multiple=True, metavar="CHANNEL",
            help="This camera only; may be repeated.  [default: all]",
        ),
    )  # fmt: skip
