"""What lies in a dataset and in a store."""

from __future__ import annotations

import re
from pathlib import Path

from ..datasets.copies import rows_of


def left_in(folder: Path) -> list[str]:
    """Everything there, hidden files too, but the summary of runs and the tracks."""
    names = sorted(p.name for p in folder.rglob("*") if "tracks" not in p.parts) if folder.exists() else []
    return [name for name in names if name != "run-summary.jsonl"]


def without_remarks(stderr: str) -> list[str]:
    """Lines of stderr but what is said of how a lidar turns, and progress, which runs show that take long."""
    remark = re.compile(r": LIDAR_TOP: |^densegt: \d+/\d+ scenes, ")
    return [line for line in stderr.splitlines() if not remark.search(line)]


def sweep_of(root: Path, scene: str) -> Path:
    """A lidar file of a scene."""
    samples = {row["token"] for row in rows_of(root, "sample") if row["scene_token"] == scene}
    rows = [r for r in rows_of(root, "sample_data") if r["sample_token"] in samples and "LIDAR" in r["filename"]]
    return root / rows[-1]["filename"]
