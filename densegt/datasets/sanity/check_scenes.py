"""The sanity of a recording, told from some of its scenes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from densegt.datasets.recording import Recording
from densegt.datasets.sanity.check_scene import check_scene
from densegt.datasets.sanity.finding import in_lines
from densegt.errors import InputError

MOST_SCENES = 8


def check_scenes(recording: Recording, progress: Callable[[int, int], None] = lambda done, total: None) -> list[str]:
    """Contradictions in scenes spread over a recording, a line each; scenes that cannot be opened are left out.

    Args:
        progress: called with (scenes done, in all).
    """
    names = list(recording.scene_names)
    chosen = [names[i] for i in np.unique(np.linspace(0, len(names) - 1, MOST_SCENES).round().astype(int)).tolist()]
    lines: dict[str, str] = {}
    for done, name in enumerate(chosen):
        progress(done, len(chosen))
        try:
            findings = check_scene(recording.scene(name))
        except InputError:
            continue
        for line in in_lines(findings):
            # One mistake shows in every scene, with other numbers.
            lines.setdefault(line.rpartition("; ")[2], f"sanity: {name}: {line}")
    return list(lines.values())
