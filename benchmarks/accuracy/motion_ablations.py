"""What each part of the motion network is worth, and what automatic labels cost: the same worlds and budget for all.

python -m benchmarks.accuracy.motion_ablations city-1 city-2 --held-out city-17 --out ablations --epochs 12
python -m benchmarks.accuracy.motion_ablations city-1 city-2 --held-out city-17 --out ablations --variants exact auto
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy import motion_votes

NOTES = """\
Every variant learns the same scans in the same number of steps, one seed, one core, from the configuration
`miniature`; what is in --out already is taken as it is. `auto 2` is the second round of `auto`, with its votes, and
begins anew. Core seconds of each training, reading and making labels included, are in OUT/VARIANT/seconds.json.
"""
# What each adds to `train-motion --config miniature`.
VARIANTS = {
    "exact": (),
    "auto": ("--labels", "auto"),
    "auto-2": ("--labels", "auto"),
    "no-free-space": ("--no-free-space",),
    "stacked": ("--fusion", "stacked"),
    "stacked-no-free-space": ("--fusion", "stacked", "--no-free-space"),
    "differences": ("--fusion", "differences"),
    "one-scan": ("--scans", "1"),
    "one-scan-no-free-space": ("--scans", "1", "--no-free-space"),
}
NAME = "motion.safetensors"


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is not there yet; score all on the worlds held out."""
    options = parser().parse_args(arguments)
    for variant in options.variants:
        if not (options.out / variant / NAME).is_file():
            train(variant, options.worlds, options.out, options.epochs)
    if options.held_out:
        weights = [str(options.out / variant / NAME) for variant in options.variants]
        more = ["--json", str(options.json)] if options.json else []
        worlds = [str(world) for world in options.held_out]
        motion_votes.main([*worlds, "--checkpoint", *weights, "--every", str(options.every), *more])


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__ + NOTES, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument(
        "worlds", nargs="+", type=Path, metavar="DIR", help="to learn from; the last eighth choose an epoch"
    )
    out.add_argument("--held-out", nargs="*", default=(), type=Path, metavar="DIR", help="to be scored on")
    out.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder for each variant")
    out.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    out.add_argument("--epochs", type=int, default=12)
    out.add_argument("--every", type=int, default=4, help="only every so manyeth scan is scored")
    out.add_argument("--json", type=Path, metavar="FILE")
    return out


def train(variant: str, worlds: Sequence[Path], out: Path, epochs: int) -> None:
    """Train one variant on one core, in a process of its own."""
    labels = () if "--labels" in VARIANTS[variant] else ("--labels", "exact")
    roots = [word for world in worlds for word in ("--dataroot", str(world))]
    votes = first_round_votes(worlds, out) if variant == "auto-2" else ()
    line = ["train-motion", *roots, *(word for store in votes for word in ("--votes", str(store)))]
    line += ["--out", str(out / variant), "--config", "miniature", "--epochs", str(epochs), *labels, *VARIANTS[variant]]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    densegt(*line)
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    (out / variant / "seconds.json").write_text(json.dumps({"core_s": round(seconds)}) + "\n")


def first_round_votes(worlds: Sequence[Path], out: Path) -> list[Path]:
    """A store of votes for each world by the network of the first round, which is trained where it is not there yet."""
    weights = out / "auto" / NAME
    if not weights.is_file():
        raise SystemExit(f"{weights}: no such file; the variant auto comes before auto-2")
    stores = [out / "auto-votes" / world.name for world in worlds]
    for world, store in zip(worlds, stores, strict=True):
        densegt("predict-motion", "--checkpoint", str(weights), "--dataroot", str(world), "--out", str(store))
    return stores


def densegt(*words: str) -> None:
    """A command of densegt on one core."""
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    print("densegt", *words, flush=True)
    subprocess.run(
        [sys.executable, "-c", "from densegt.cli.main import main; main()", *words],
        check=True,
        env={**os.environ, **one},
    )


if __name__ == "__main__":
    main()
