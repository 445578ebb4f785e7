"""Which scenes are finished: told by what their files say they were made from, never by their names alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from densegt.accumulate.job import ALGORITHM, Job
from densegt.datasets.recording import Recording
from densegt.depth.store import FORMAT_VERSION, read_header
from densegt.errors import InputError

_FIX = "--overwrite replaces it, another --out keeps it"


def finished_scenes(job: Job, recording: Recording, names: Sequence[str]) -> list[str]:
    """The scenes whose files are what this job would write.

    Raises:
        InputError: a file under a scene's name is something else; names the first and counts the others.
    """
    finished, others = [], []
    for name in names:
        try:
            if is_finished(job, recording, name):
                finished.append(name)
        except InputError as error:
            others.append(str(error))
    if others:
        more = f" ({len(others)} such files)" if len(others) > 1 else ""
        raise InputError(f"{others[0]}{more}")
    return finished


def is_finished(job: Job, recording: Recording, name: str) -> bool:
    """Whether a scene's file is there and is what this job would write; with `overwrite` none is.

    Raises:
        InputError: the file was made by another algorithm, with other options or from other input, or is no depth
            store at all.
    """
    path = job.path(name)
    if job.overwrite or not path.exists():
        return False
    try:
        header = read_header(path)
    except InputError as error:
        raise InputError(f"{error}; {_FIX}") from None
    if header.format_version != FORMAT_VERSION:
        raise InputError(f"{path}: format version {header.format_version}, now {FORMAT_VERSION}; {_FIX}")
    algorithm = header.config.get("algorithm", "not noted")
    if algorithm != ALGORITHM:
        raise InputError(f"{path}: made by another algorithm ({algorithm}, now {ALGORITHM}); {_FIX}")
    changed = [f"{key} was {was}, now {now}" for key, was, now in differences(header.config, job.saved())]
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise InputError(f"{path}: made with other options ({'; '.join(changed[:3])}{more}); {_FIX}")
    if header.input_digest is None:
        raise InputError(f"{path}: does not say what it was made from; {_FIX}")
    if header.input_digest != recording.fingerprint(name):
        raise InputError(f"{path}: made from other tables than those in {recording.source}; {_FIX}")
    return True


def differences(was: Any, now: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two configurations differ: dotted key, then both values."""
    if isinstance(was, dict) and isinstance(now, dict):
        for part in sorted({*was, *now}):
            yield from differences(was.get(part), now.get(part), f"{key}.{part}" if key else part)
    elif was != now:
        yield key.removeprefix("accumulate."), was, now
