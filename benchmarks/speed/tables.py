"""How long nuScenes tables of trainval's size take to open, and how much memory: nuscenes-devkit and densegt.

python -m benchmarks.speed.tables --markdown benchmarks/speed/tables.md

The tables are invented (see full_size_tables.py; 2.6 GB in a temporary folder) and every opening is a process of its
own. Imports are timed apart. The devkit at full size takes about 10 GB of memory; --scenes makes a smaller set.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.full_size_tables import SCENES, VERSION, write

FIFTH = 0.2
LATER_S, LATER_MB = 1.0, 300.0

PROCESS = """
import json, resource, sys, time
def peak_mb(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
wall, cpu = time.perf_counter(), time.process_time()
{imports}
imported = time.process_time() - cpu
before_mb = peak_mb()
wall, cpu = time.perf_counter(), time.process_time()
{work}
print(json.dumps(dict(import_s=imported, wall_s=time.perf_counter() - wall, cpu_s=time.process_time() - cpu,
                      imported_mb=before_mb, peak_mb=peak_mb())))
"""
DEVKIT = PROCESS.format(
    imports="from nuscenes.nuscenes import NuScenes",
    work="NuScenes(sys.argv[2], sys.argv[1], verbose=False)",
)
DENSEGT = PROCESS.format(
    imports="from pathlib import Path\nfrom densegt.datasets.nuscenes import NuScenes",
    work="dataset = NuScenes(Path(sys.argv[1]), sys.argv[2])\ndataset.scene(dataset.scene_names[0])",
)


@dataclass(frozen=True)
class Opening:
    """One process: seconds of its imports, then of opening, and its greatest memory before and after."""

    import_s: float
    wall_s: float
    cpu_s: float
    imported_mb: float
    peak_mb: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Write tables, open them, print."""
    options = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        dataroot = Path(folder) / "dataset"
        rows = write(dataroot, options.scenes)
        text = report(rows, dataroot, options.repeat)
    print(text)
    if options.markdown:
        options.markdown.write_text(text + "\n")


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--scenes", type=int, default=SCENES)
    out.add_argument("--folder", type=Path, help="where the temporary folder is made")
    out.add_argument("--repeat", type=int, default=5, help="how often to open again; the slowest counts")
    out.add_argument("--markdown", type=Path, metavar="FILE")
    return out


def report(rows: dict[str, int], dataroot: Path, repeat: int) -> str:
    """Open with both; the figures as Markdown."""
    json_mb = sum(path.stat().st_size for path in (dataroot / VERSION).glob("*.json")) / 1e6
    first = opened(DENSEGT, dataroot)
    later = [opened(DENSEGT, dataroot) for _ in range(repeat)]
    devkit = opened(DEVKIT, dataroot)
    (index,) = (dataroot / VERSION).glob("*.index")
    cpu, memory = first.cpu_s / devkit.cpu_s, first.peak_mb / devkit.peak_mb
    slowest_s, largest_mb = max(o.wall_s for o in later), max(o.peak_mb for o in later)
    counts = ", ".join(f"{rows[table]:,} {table}" for table in ("scene", "sample", "sample_data", "sample_annotation"))
    return "\n".join(
        [
            "# Opening the tables of a whole nuScenes",
            "",
            "Written by `python -m benchmarks.speed.tables --markdown benchmarks/speed/tables.md`. Each line is a",
            "process of its own on a shared machine, so seconds of processor time tell more than those of the clock.",
            "Its lines include one `Scene`, with its first sweep read and the headers of its images.",
            "",
            f"Tables: {counts}; {json_mb:,.0f} MB of JSON. Index: {index.stat().st_size / 1e6:,.0f} MB.",
            "",
            "| | import, s | open, processor s | open, clock s | peak memory, MB | of this after imports, MB |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
            line("nuscenes-devkit", devkit),
            line("densegt, first time (builds the index)", first),
            *(line(f"densegt, again ({number})", opening) for number, opening in enumerate(later, 1)),
            "",
            f"- first open, processor time: {cpu:.3f} of the devkit's; at most {FIFTH} {verdict(cpu <= FIFTH)}",
            f"- first open, memory: {memory:.3f} of the devkit's; at most {FIFTH} {verdict(memory <= FIFTH)}",
            f"- again, slowest: {slowest_s:.2f} s by the clock; under {LATER_S} s {verdict(slowest_s < LATER_S)}",
            f"- again, memory: {largest_mb:.0f} MB; under {LATER_MB:.0f} MB {verdict(largest_mb < LATER_MB)}",
        ]
    )


def line(name: str, opening: Opening) -> str:
    """A row of the table."""
    o = opening
    return (
        f"| {name} | {o.import_s:.2f} | {o.cpu_s:.2f} | {o.wall_s:.2f} | {o.peak_mb:,.0f} "
        f"| {o.peak_mb - o.imported_mb:,.0f} |"
    )


def verdict(met: bool) -> str:
    """In a word."""
    return "met" if met else "missed"


def opened(program: str, dataroot: Path) -> Opening:
    """Run one process."""
    # Only beside the tables: an index elsewhere would be found by the next run.
    environment = {name: value for name, value in os.environ.items() if name != "DENSEGT_INDEX_DIR"}
    command = [sys.executable, "-c", program, str(dataroot), VERSION]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return Opening(**json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
