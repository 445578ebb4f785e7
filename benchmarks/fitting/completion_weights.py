"""Make the completion network's weights that ship: simulate streets of many kinds, accumulate, learn from exact depth.

python -m benchmarks.fitting.completion_weights --worlds worlds --out trained --init before/network.safetensors

Cities of the usual rig and lidar, cities of other rigs and lidars, and simple streets; the last of each kind are held
out and tell which weights are best. Worlds and stores that are in the folder already are taken as they are, and an
interrupted training goes on. It ends with trained/network.safetensors and the JSON beside it. Without --init the
training begins from nothing, and should be given twice the epochs.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from benchmarks.fitting.motion_weights import run, world

CITY, CITY_HELD_OUT = range(1, 13), 13
SIMPLE, SIMPLE_HELD_OUT = (1, 2), 3
# Seeds, seconds and size of cities of other rigs and lidars.
VARIED = ((2012, "2", "480x270"), (3001, "1.5", "640x360"), (3002, "1.5", "640x360"), (3003, "1.5", "640x360"))
VARIED_HELD_OUT = (3004, "1.5", "640x360")
TRAINING = {
    "draws": 1, "batch": 3, "crop": [224, 320], "learning_rate": 0.0015, "precision": "bf16-mixed",
    "validation_share": 0.143, "validation_images": 9, "validate_every": 7, "loader_processes": 0, "keep_images": 700,
    "threads": 1,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, accumulate, learn."""
    options = parser().parse_args(arguments)
    out, init = options.out.resolve(), options.init and options.init.resolve()
    options.worlds.mkdir(parents=True, exist_ok=True)
    # So that the commands that are kept name nothing but worlds.
    os.chdir(options.worlds)
    words = [word for name in worlds() for word in sources(name)]
    Path("completion.yaml").write_text(yaml.safe_dump({"epochs": options.epochs, **TRAINING}))
    words += ["--out", str(out), "--config", "completion.yaml", "--seed", str(options.seed)]
    words += ["--init", str(init)] if init else []
    words += ["--resume"] if (out / "checkpoints").is_dir() else []
    run("train-completion", *words)


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--worlds", type=Path, required=True, metavar="DIR", help="where worlds are, or are simulated")
    out.add_argument("--out", type=Path, required=True, metavar="DIR", help="of the training")
    out.add_argument("--init", type=Path, metavar="FILE", help="weights to begin with")
    out.add_argument("--epochs", type=int, default=14)
    out.add_argument("--seed", type=int, default=0)
    return out


def worlds() -> Iterator[str]:
    """Names of worlds, those held out last, each simulated where it is not there yet."""
    yield from (world("city", k) for k in CITY)
    yield from (world("simple", k) for k in SIMPLE)
    yield from (varied(*one) for one in VARIED)
    yield world("city", CITY_HELD_OUT)
    yield world("simple", SIMPLE_HELD_OUT)
    yield varied(*VARIED_HELD_OUT)


def varied(seed: int, seconds: str, size: str) -> str:
    """A city of another rig and lidar."""
    name = f"varied-{seed}"
    if not Path(name).is_dir():
        how = ["--street", "city", "--ranges", "city-varied", "--scenes", "1", "--seed", str(seed)]
        run("simulate", *how, "--seconds", seconds, "--image-size", size, "--out", name)
    return name


def sources(name: str) -> list[str]:
    """A world as `train-completion` is told of it, with stores of accumulated depth and of single sweeps."""
    for folder, how in (("depth", ("--motion", "free")), ("sweeps", ("--window", "0", "--no-surface"))):
        run("accumulate", "--dataroot", name, "--out", f"{folder}/{name}", *how)
    return [
        "--dataroot", name, "--depth", f"depth/{name}", "--input", f"sweeps/{name}", "--truth", f"{name}/exact",
    ]  # fmt: skip


if __name__ == "__main__":
    main()
