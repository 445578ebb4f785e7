"""Writing an engine: one file, or two of a detector that is two graphs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from densegt.depth.partial_file import write_whole
from densegt.quantisation.lift_engine import second_of
from densegt.quantisation.qdq import write_metadata

if TYPE_CHECKING:
    from onnx import ModelProto


def write_engine(out: Path, models: Sequence[ModelProto], facts: Mapping[str, Any]) -> None:
    """Write the files; the first knows the second by its content and is written last, so that it is never without."""
    first, *others = models
    entries = dict(facts)
    for other in others:
        write_metadata(other, facts)
        content = other.SerializeToString()
        write_whole(second_of(out), content)
        entries["second"] = hashlib.sha256(content).hexdigest()
    write_metadata(first, entries)
    write_whole(out, first.SerializeToString())


def copy_engine(path: Path, out: Path) -> None:
    """The same under another name."""
    if second_of(path).is_file():
        write_whole(second_of(out), second_of(path).read_bytes())
    write_whole(out, path.read_bytes())


def megabytes(path: Path) -> float:
    """Of all its files."""
    return sum(each.stat().st_size for each in (path, second_of(path)) if each.is_file()) / 1e6
