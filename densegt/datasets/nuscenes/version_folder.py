"""Where the tables of a nuScenes-format folder lie: v1.0-*, another folder in it, or the folder itself."""

from __future__ import annotations

from pathlib import Path

from densegt.errors import InputError
from densegt.suggestion import no_such_folder

# The name of the version whose tables lie in the dataset's folder itself.
ROOT = "."


def find_version(dataroot: Path, version: str | None) -> Path:
    """The folder of tables: `version`, or the only one there.

    Raises:
        InputError: no such folder, none, or several to choose from.
    """
    if not dataroot.is_dir():
        raise InputError(no_such_folder(dataroot))
    found = _versions(dataroot)
    if version is None:
        named = [name for name in found if name.startswith("v1.0-")] or found
        if len(named) != 1:
            several = f"several versions ({', '.join(named)}); choose one with --version"
            raise InputError(f"{dataroot}: {several if named else 'no v1.0-* in it, nor tables such as scene.json'}")
        version = named[0]
    if version not in found:
        raise InputError(f"{dataroot}: no version {version!r}; there is {', '.join(found) or 'none'}")
    return dataroot / version


def holds_tables(folder: Path) -> bool:
    """Whether a folder is one of tables."""
    return all((folder / f"{table}.json").is_file() for table in ("scene", "sample", "sample_data"))


def _versions(dataroot: Path) -> list[str]:
    """Names of the folders of tables: v1.0-* whatever is in it, others by their content."""
    folders = sorted(path for path in dataroot.iterdir() if path.is_dir())
    named = [path.name for path in folders if path.name.startswith("v1.0-") or holds_tables(path)]
    return named + [ROOT] * holds_tables(dataroot)
