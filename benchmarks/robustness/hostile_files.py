"""Small files that ask for much: what each command says, how long it takes and how much memory.

python -m benchmarks.robustness.hostile_files

Stores, images, tables, sweeps, configurations and checkpoints that claim or inflate to gigabytes, never end, or are
pipes. Each is given to a command in a process of its own; all should be refused in one line, within 10 s of computing
and 1 GB.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.robustness.hostile_inputs import CHECKPOINTS, CONFIGS, IMAGES, STORES, SWEEPS, TABLES

SECONDS, GIGABYTES = 10.0, 1.0
COMMAND = "from densegt.cli.main import main; main()"
LIMIT_S = 300
# A process's peak memory begins with that of the one that started it, which is to be small.
LAUNCH = """
import os, resource, signal, subprocess, sys
child = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL, start_new_session=True)
try:
    code = child.wait(float(sys.argv[1]))
except subprocess.TimeoutExpired:
    os.killpg(child.pid, signal.SIGKILL)
    code = child.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
Words = list[str | Path]


@dataclass(frozen=True)
class Given:
    """Sound input, copied for each case: recordings in three formats and a store of the first."""

    world: Path
    custom: Path
    argoverse2: Path
    depth: Path


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name has this in it")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each case; 1 where one is beyond the bounds, or not refused in one line."""
    options = parser().parse_args(arguments)
    print("| file | command | s | GB | says |\n| --- | --- | ---: | ---: | --- |", flush=True)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        sound = make_sound(Path(folder) / "sound")
        for name, words in cases(sound, Path(folder)):
            if options.only in name:
                seconds, gigabytes, code, said = measure(words)
                line = said[-1].removeprefix("densegt: ") if said else ""
                good = code == 2 and seconds <= SECONDS and gigabytes <= GIGABYTES and "Traceback" not in "".join(said)
                failures += not good
                line = line.replace(folder, "")[:150]
                print(f"| {name} | {words[0]} | {seconds:.1f} | {gigabytes:.2f} | {line} |", end="", flush=True)
                print("" if good else f" <- exit code {code}", flush=True)
    print(f"{failures} beyond {SECONDS:.0f} s or {GIGABYTES:.0f} GB, or not refused in one line")
    return 1 if failures else 0


def measure(words: Words) -> tuple[float, float, int, list[str]]:
    """Seconds of computing, peak memory in GB, exit code and lines on stderr of a command."""
    command = [sys.executable, "-c", COMMAND, *map(str, words)]
    done = subprocess.run([sys.executable, "-c", LAUNCH, str(LIMIT_S), *command], capture_output=True, text=True)
    code, seconds, kilobytes = done.stdout.split()[-3:]
    return float(seconds), float(kilobytes) * 1024 / 1e9, int(code), done.stderr.splitlines()


def cases(sound: Given, folder: Path) -> Iterator[tuple[str, Words]]:
    """Each file's name and the command that is given it."""
    count = iter(range(1000))

    def fresh(source: Path) -> Path:
        return Path(shutil.copytree(source, folder / f"case{next(count)}"))

    export: Words = ["export", "--format", "npz", "--out", folder / "out", "--depth"]
    for name, write in STORES.items():
        yield f"store: {name}", [*export, write(folder / f"store{next(count)}")]
    for name, change in IMAGES.items():
        root = fresh(sound.world)
        image = min(root.glob("samples/CAM_FRONT/*.jpg"))
        image.write_bytes(change(image.read_bytes()))
        yield (
            f"image: {name}",
            ["complete", "--strict", "--dataroot", root, "--depth", sound.depth, "--out", root / "out"],
        )
    for name, write_table in TABLES.items():
        for table in ("sample_data", "sensor"):
            root = fresh(sound.world)
            write_table(root / "v1.0-mini" / f"{table}.json")
            yield f"{table}: {name}", ["accumulate", "--dataroot", root, "--out", root / "out"]
    for name, write_config in CONFIGS.items():
        write_config(folder / "config.yaml")
        yield f"configuration: {name}", ["accumulate", "--dataroot", sound.world, "--out", folder / "out", "--config",
                                         folder / "config.yaml"]  # fmt: skip
        (folder / "config.yaml").unlink()
    for suffix, writes in SWEEPS.items():
        for name, write_sweep in writes.items():
            root = fresh(sound.argoverse2 if suffix == "feather" else sound.custom)
            sweep = min(root.rglob("lidar/*.feather" if suffix == "feather" else "sweeps/*/*.npz"))
            sweep.unlink()
            write_sweep(sweep.with_suffix(f".{suffix}"))
            yield f"{suffix}: {name}", ["accumulate", "--strict", "--dataroot", root, "--out", root / "out"]
    for name, write_checkpoint in CHECKPOINTS.items():
        file = folder / f"{next(count)}.ckpt"
        write_checkpoint(file)
        yield f"checkpoint: {name}", ["predict", "--checkpoint", file, "--dataroot", sound.world, "--out",
                                      folder / "found"]  # fmt: skip


def make_sound(folder: Path) -> Given:
    """The input that is copied."""
    from densegt.accumulation.config import AccumulateConfig
    from densegt.accumulation.scene_input import read_scene
    from densegt.datasets import open_recording
    from densegt.simulate.config import SimulateConfig
    from densegt.simulate.run import simulate
    from tests.datasets.writers.argoverse2 import write_log
    from tests.datasets.writers.custom import write_recording

    simulate(SimulateConfig(scenes=1, seconds=0.5, width_px=64, height_px=36, seed=7), folder / "world")
    scene = read_scene(open_recording(folder / "world"), "scene-0001", AccumulateConfig())
    write_recording(scene, folder / "custom")
    write_log(scene, folder / "argoverse2" / "val" / scene.name)
    return Given(folder / "world", folder / "custom", folder / "argoverse2", folder / "world" / "exact")


if __name__ == "__main__":
    sys.exit(main())
