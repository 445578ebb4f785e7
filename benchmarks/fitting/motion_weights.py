"""Make the motion network's weights that ship: simulate worlds, learn from some, measure on those held out.

python -m benchmarks.fitting.motion_weights --worlds worlds --out densegt/motion_net/weights

Worlds `city-K` and `simple-K` that are in the folder already are taken as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from densegt.cli.main import group

from benchmarks.accuracy import motion_votes

# Seeds of `city-K` and `simple-K`.
CITY_SEED, SIMPLE_SEED = 1000, 1100
LEARNED, HELD_OUT, SIMPLE = range(1, 17), range(17, 25), range(1, 4)
SECONDS, IMAGE_SIZE = 2, "480x270"
NAME = "motion.safetensors"


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, learn, measure, and write the weights and how they were made."""
    options = parser().parse_args(arguments)
    out = options.out.resolve()
    options.worlds.mkdir(parents=True, exist_ok=True)
    # So that the commands that are kept name nothing but worlds.
    os.chdir(options.worlds)
    learned, held_out = [world("city", k) for k in LEARNED], [world("city", k) for k in HELD_OUT]
    simple = [world("simple", k) for k in SIMPLE]
    trained = Path(options.trained)
    if not (trained / NAME).is_file():
        roots = [word for name in learned for word in ("--dataroot", name)]
        more = ["--config", "miniature", "--labels", "exact", "--epochs", str(options.epochs)]
        run("train-motion", *roots, "--out", str(trained), *more, "--seed", str(options.seed))
    facts = json.loads((trained / NAME).with_suffix(".json").read_text())
    facts["held out"] = {"city-17..24": measured(held_out, trained), "simple-1..3": measured(simple, trained)}
    out.mkdir(parents=True, exist_ok=True)
    (out / NAME).write_bytes((trained / NAME).read_bytes())
    (out / NAME).with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--worlds", type=Path, required=True, metavar="DIR", help="where worlds are, or are simulated")
    out.add_argument("--out", type=Path, required=True, metavar="DIR", help="the weights and their JSON go there")
    out.add_argument("--trained", default="trained", metavar="DIR", help="the training, in --worlds unless absolute")
    out.add_argument("--epochs", type=int, default=20)
    out.add_argument("--seed", type=int, default=0)
    return out


def world(street: str, number: int) -> str:
    """The name of a world, simulated where it is not there yet."""
    name = f"{street}-{number}"
    if not Path(name).is_dir():
        seed = {"city": CITY_SEED, "simple": SIMPLE_SEED}[street] + number
        size = ["--seconds", str(SECONDS), "--image-size", IMAGE_SIZE]
        run("simulate", "--street", street, "--scenes", "1", *size, "--seed", str(seed), "--out", name)
    return name


def run(*words: str) -> None:
    """A command of densegt, typed as it is kept in what it writes."""
    sys.argv = ["densegt", *words]
    print(*sys.argv, flush=True)
    done = CliRunner().invoke(group, list(words), standalone_mode=False, catch_exceptions=False)
    print(done.output, flush=True)


def measured(worlds: Sequence[str], trained: Path) -> dict[str, Any]:
    """Figures of the network and of what it is compared with."""
    found = trained / "votes.json"
    motion_votes.main([*worlds, "--checkpoint", str(trained / NAME), "--every", "4", "--json", str(found)])
    figures: dict[str, Any] = json.loads(found.read_text())
    return figures


if __name__ == "__main__":
    main()
