"""Makes every mistake of tests/datasets/sanity/mistakes.py to a good recording, and prints what is said of each.

python -m benchmarks.robustness.mistakes --dataroot WORLD [--markdown docs/mistakes.md]

Needs a simulated world of one scene, 2 s, 480x270 or larger; writes the page if asked; takes two minutes.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from densegt.datasets import open_recording
from densegt.datasets.sanity.check_scene import check_scene
from densegt.datasets.sanity.finding import in_lines
from densegt.datasets.set_aside import in_one_line
from densegt.errors import InputError
from tests.datasets.sanity.mistakes import MISTAKES, Copy


def main() -> None:
    options = parser().parse_args()
    rows = []
    for name, make in MISTAKES.items():
        with tempfile.TemporaryDirectory() as folder:
            spoilt = Copy(options.dataroot, Path(folder) / "spoilt")
            make(spoilt)
            spoilt.write()
            rows.append((name.replace("_", " "), said(Path(folder) / "spoilt")))
    told = sum(bool(lines) for _, lines in rows)
    of_itself = " | ".join(said(options.dataroot)) or "nothing"
    summary = f"{told} of {len(rows)} mistakes are told; of the recording without any: {of_itself}."
    table = Table("mistake", "said")
    for name, lines in rows:
        table.add_row(name, lines[0] if lines else "-")
    console = Console(width=200)
    console.print(table)
    console.print(summary)
    if options.markdown:
        options.markdown.write_text(page(rows, summary))


def page(rows: list[tuple[str, list[str]]], summary: str) -> str:
    """The table for the documentation."""
    lines = [
        "# Mistakes in a recording, and what is said of them",
        "",
        "Each mistake is made to a simulated recording in nuScenes format. `densegt check` prints these lines;",
        "`densegt accumulate` refuses what would be rubbish, and warns of the rest, goes on without it or mends it.",
        "Written by",
        "`python -m benchmarks.robustness.mistakes --dataroot WORLD --markdown docs/mistakes.md`.",
        "",
        summary,
        "",
        "| mistake | said |",
        "| --- | --- |",
    ]
    for name, said_of_it in rows:
        first = said_of_it[0].replace("|", "/") if said_of_it else "nothing"
        # Folders and tokens are others each time.
        first = re.sub(r"\b[0-9a-f]{32}\b", "...", re.sub(r"/[^ ]*spoilt", "RECORDING", first))
        lines.append(f"| {name} | {first} |")
    return "\n".join(lines) + "\n"


def said(root: Path) -> list[str]:
    """What is warned about, set aside or mended, or why it is refused."""
    try:
        recording = open_recording(root)
        scene = recording.scene(recording.scene_names[0])
        return [*in_lines(check_scene(scene)), *in_one_line(scene.set_aside), *scene.notes]
    except InputError as error:
        return [str(error)]


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataroot", type=Path, required=True, help="a simulated world")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table as a page")
    return parser


if __name__ == "__main__":
    main()
