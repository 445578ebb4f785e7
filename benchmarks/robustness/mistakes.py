"""Makes every mistake of tests/datasets/sanity/mistakes.py to a good recording, and prints what is said of each.

python -m benchmarks.robustness.mistakes --dataroot WORLD

Needs a simulated world of one scene, 2 s, 480x270 or larger; writes nothing that stays; takes two minutes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from densegt.datasets import open_recording
from densegt.datasets.sanity.check_scene import check_scene
from densegt.datasets.sanity.finding import in_lines
from densegt.errors import InputError
from tests.datasets.sanity.mistakes import MISTAKES, Copy


def main() -> None:
    options = parser().parse_args()
    table = Table("mistake", "said")
    told = 0
    for name, make in MISTAKES.items():
        with tempfile.TemporaryDirectory() as folder:
            spoilt = Copy(options.dataroot, Path(folder) / "spoilt")
            make(spoilt)
            spoilt.write()
            lines = said(Path(folder) / "spoilt")
        told += bool(lines)
        table.add_row(name.replace("_", " "), lines[0] if lines else "-")
    console = Console(width=200)
    console.print(table)
    console.print(f"{told} of {len(MISTAKES)} are told; of the recording itself: {said(options.dataroot) or 'nothing'}")


def said(root: Path) -> list[str]:
    """What is warned about, or why it is refused."""
    try:
        recording = open_recording(root)
        return in_lines(check_scene(recording.scene(recording.scene_names[0])))
    except InputError as error:
        return [str(error)]


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataroot", type=Path, required=True, help="a simulated world")
    return parser


if __name__ == "__main__":
    main()
