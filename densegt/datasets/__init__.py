"""Recordings in every format that is read: `open_recording` is the only door; a format is one folder and one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from densegt.datasets.kitti_raw.layout import is_kitti_raw
from densegt.datasets.unread_layouts import unread_layout
from densegt.errors import InputError

if TYPE_CHECKING:
    from densegt.datasets.recording import Recording, RecordingOptions


class Format(NamedTuple):
    """How a format is recognised, and what reads and checks it, as `module:name`, imported only when asked for.

    Attributes:
        reader: a class; see `Recording`.
        check: a function of (folder, version) that takes the place of `check_recording` and its keyword arguments.
    """

    fits: Callable[[Path], bool]
    reader: str
    check: str | None = None


def _has_argoverse2_log(root: Path) -> bool:
    """Whether a folder is a log, a split of logs or what holds the splits."""
    return any(any(root.glob(level + "city_SE3_egovehicle.feather")) for level in ("", "*/", "*/*/"))


def _is_custom(root: Path) -> bool:
    """Whether a folder is a recording of one's own, or half of one."""
    return (root / "recording.yaml").exists() or any(root.glob("scenes/*/sweeps"))


FORMATS: dict[str, Format] = {
    "kitti-raw": Format(is_kitti_raw, "densegt.datasets.kitti_raw.reader:KittiRaw"),
    "kitti-360": Format(lambda root: (root / "data_3d_raw").is_dir(), "densegt.datasets.kitti360.reader:Kitti360"),
    "nuscenes": Format(
        lambda root: any(root.glob("v1.0-*")),
        "densegt.datasets.nuscenes.reader:NuScenes",
        "densegt.datasets.nuscenes.check:check",
    ),
    "argoverse2": Format(_has_argoverse2_log, "densegt.datasets.argoverse2.reader:Argoverse2"),
    "custom": Format(_is_custom, "densegt.datasets.custom.reader:CustomRecording"),
}


@dataclass(frozen=True)
class RecordingPath:
    """Where a recording lies and how it is to be read.

    Attributes:
        format: a key of `FORMATS`; auto recognises it by its files.
        version: of the formats that have several in one folder; None is the only one there.
        options: what the format leaves to its user; None: as it does by default.
    """

    root: Path
    format: str = "auto"
    version: str | None = None
    options: RecordingOptions | None = None

    @property
    def strict(self) -> bool:
        """Whether what is bad is refused and not set aside."""
        return self.options is not None and self.options.strict

    def open(self) -> Recording:
        """See `open_recording`."""
        return open_recording(self.root, format=self.format, version=self.version, options=self.options)


def open_recording(
    root: Path | str, *, format: str = "auto", version: str | None = None, options: RecordingOptions | None = None
) -> Recording:
    """Open a recording.

    Args:
        root: its folder.
        format: a key of `FORMATS`, or `module:Class` of a reader of one's own; auto recognises it by its files.
        version: of the formats that have several in one folder; None is the only one there.
        options: what the format leaves to its user; None: as it does by default.

    Raises:
        InputError: no such folder, no format that is read here, or it is damaged.
    """
    root = Path(root)
    recording: Recording = imported(format_of(root, format).reader)(root, version, options)
    return recording


def format_of(root: Path, name: str) -> Format:
    """The format of that name, or of a reader `module:Class`; auto recognises it by the folder's files.

    Raises:
        InputError: there is no such format, or the folder has the layout of a data set that is not read.
    """
    name = recognised(root) if name == "auto" else name
    if name not in FORMATS and ":" not in name:
        raise InputError(f"format {name!r}: neither one of {', '.join(FORMATS)}, nor module:Class")
    return FORMATS[name] if name in FORMATS else Format(Path.is_dir, name)


def imported(name: str) -> Any:
    """What `module:name` names.

    Raises:
        InputError: there is no such module, or no such name in it.
    """
    module, _, attribute = name.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"format {name!r}: {error}") from None


def recognised(root: Path) -> str:
    """The format of a folder; where nothing speaks for another it is nuScenes, whose reader says what is missing.

    Raises:
        InputError: it has the layout of a data set that is not read.
    """
    for name, format in FORMATS.items():
        if root.is_dir() and format.fits(root):
            return name
    layout = unread_layout(root)
    if layout:
        raise InputError(f"{root}: looks like {layout}; densegt reads {', '.join(FORMATS)}")
    # Tables may lie in folders of any name; the reader finds them.
    near = None if any(any(root.glob(name)) for name in ("scene.json", "*/scene.json")) else _recording_near(root)
    if near:
        raise InputError(f"{root}: no recording; did you mean {near}?")
    return "nuscenes"


def _recording_near(root: Path) -> Path | None:
    """A recording above a folder or in it."""
    inside = sorted(path for path in root.iterdir() if path.is_dir())[:100] if root.is_dir() else []
    above = list(root.resolve().parents)[:3] if root.is_dir() else []
    near = (folder for folder in (*inside, *above) if any(f.fits(folder) for f in FORMATS.values()))
    return next(near, None)
