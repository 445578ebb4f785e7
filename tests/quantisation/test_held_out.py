"""Scenes that a training held out, by what it wrote: recordings of names of their own, and of one and the same."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from densegt.quantisation.calibration import _as_recorded


def recording(root: str):
    return SimpleNamespace(root=Path(root), open=lambda: SimpleNamespace(scene_names=["a", "b"]))


@pytest.mark.parametrize(
    ("given", "held_out"),
    [
        (["x/recording", "y/recording", "z/other"], [(), ("a",), ("b",)]),
        # One of those of a name, and nothing says which: none of theirs that may have been held out.
        (["y/recording"], [("a",)]),
        (["z/other"], [("b",)]),
        (["never-seen"], [()]),
    ],
)
def test_by_name_and_order(tmp_path, given, held_out):
    data = [("recording", []), ("recording", ["a"]), ("other", ["b"])]
    about = tmp_path / "about.json"
    about.write_text(json.dumps({"data": [{"dataroot": name, "held_out": scenes} for name, scenes in data]}))
    parts = _as_recorded(about, [recording(root) for root in given])
    assert [part.held_out for part in parts] == held_out
    assert all(set(part.learned) | set(part.held_out) == {"a", "b"} for part in parts)
