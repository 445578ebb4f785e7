"""Finished scenes: recognised by what their files say they were made from, never by their names alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from densegt.batch.job import SceneJob, scene_path
from densegt.datasets.set_aside import mended
from densegt.depth.hdf5_file import FORMAT_VERSION, read_header
from densegt.errors import InputError

_FIX = "--overwrite replaces it, another --out keeps it"


def finished_scenes(job: SceneJob, names: Sequence[str]) -> list[str]:
    """The scenes whose files are what this job would write.

    Raises:
        InputError: a file under a scene's name is something else; names the first and counts the others.
    """
    finished, others = [], []
    for name in names:
        try:
            if is_finished(job, name):
                finished.append(name)
        except InputError as error:
            others.append(str(error))
    if others:
        more = f" ({len(others)} such files)" if len(others) > 1 else ""
        raise InputError(f"{others[0]}{more}")
    return finished


def is_finished(job: SceneJob, name: str) -> bool:
    """Whether a scene's file is there and is what this job would write; with `overwrite` none is.

    Raises:
        InputError: the file was made by another algorithm, with other options or from other input, or is no depth
            store at all.
    """
    path = scene_path(job, name)
    if job.overwrite or not path.exists():
        return False
    try:
        header = read_header(path)
    except InputError as error:
        raise InputError(f"{error}; {_FIX}") from None
    if header.format_version != FORMAT_VERSION:
        raise InputError(f"{path}: format version {header.format_version}, now {FORMAT_VERSION}; {_FIX}")
    wanted = job.saved_config(name)
    algorithms = tuple(config.get("algorithm", "not noted") for config in (header.config, wanted))
    if algorithms[0] != algorithms[1]:
        raise InputError(f"{path}: made by another algorithm ({algorithms[0]}, now {algorithms[1]}); {_FIX}")
    changed = [f"{key} was {was}, now {now}" for key, was, now in differences(header.config, wanted)]
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise InputError(f"{path}: made with other options ({'; '.join(changed[:3])}{more}); {_FIX}")
    if header.input_digest is None:
        raise InputError(f"{path}: does not say what it was made from; {_FIX}")
    if header.input_digest != job.input_digest(name):
        raise InputError(f"{path}: not made from {job.input_path(name)} as it is now; {_FIX}")
    if (came := mended(header.set_aside)) is not None:
        raise InputError(f"{path}: made without {came}, which has come or was mended since; {_FIX}")
    return True


def differences(was: Any, now: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two configurations differ: dotted key below the section of a stage, then both values."""
    if isinstance(was, dict) and isinstance(now, dict):
        for part in sorted({*was, *now}):
            yield from differences(was.get(part), now.get(part), f"{key}.{part}" if key else part)
    elif was != now:
        yield key.partition(".")[2] or key, was, now
