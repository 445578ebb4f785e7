"""A training step of a monocular detector on a processor: seconds, and the memory of the process.

python -m benchmarks.speed.mono_step --config mono-full
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence
from typing import Any

import torch

from densegt.configuration import load_config
from densegt.detection.mono.answer_head import NUMBERS
from densegt.detection.mono.config import MonoConfig
from densegt.detection.mono.evidence import POINTS, RAYS
from densegt.detection.registry import task_type

STEPS = 3
# Of a whole image.
OBJECTS = 8


def batch_of(config: MonoConfig) -> Any:
    """What the network takes; of a network on whole images as many with 8 cars each."""
    if config.model.detector == "mono":
        return objects(config.batch, config.model.crop_px)
    n, (height, width) = config.batch, config.model.image.size
    of = torch.arange(n).repeat_interleave(OBJECTS)
    corner = torch.rand(len(of), 2) * torch.tensor([0.8 * width, 0.8 * height])
    return {
        "images": torch.randint(255, (n, 3, height, width), dtype=torch.uint8), "objects": objects(len(of), 0),
        "of": of, "box_px": torch.cat([corner, corner + torch.tensor([0.1 * width, 0.1 * height])], 1),
        "other_of": of[:0], "other_px": torch.zeros(0, 4), "other_kind": of[:0],
    }  # fmt: skip


def objects(n: int, side: int) -> Any:
    """Cars 15 m away, with all points and rays that are kept of an object; the pictures of so many px show nothing."""
    points = torch.tensor([15.0, 0.0, -0.8]) + torch.randn(n, POINTS, 3)
    rays = torch.nn.functional.normalize(torch.tensor([15.0, 0.0, -0.8]) + torch.randn(n, RAYS, 3), dim=-1)
    return {
        "image": torch.randint(255, (n, 3, side, side), dtype=torch.uint8), "numbers": torch.zeros(n, NUMBERS),
        "kind": torch.zeros(n, dtype=torch.long), "box_ab": torch.tensor([[-0.08, 0.08, -0.1, 0.01]]).repeat(n, 1),
        "cut": torch.zeros(n, 4, dtype=torch.bool), "pixel": torch.full((n,), 1e-3), "points": points,
        "point_weight": torch.ones(n, POINTS), "rays": rays, "inside": torch.rand(n, RAYS).round(),
        "ray_weight": torch.ones(n, RAYS), "T_ref_view": torch.eye(4, dtype=torch.float64).repeat(n, 1, 1),
    }  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--config", default="mono-full", metavar="NAME|FILE", help="of train-mono")
    out.add_argument("--batch", type=int, help="objects, or whole images; as configured unless given")
    out.add_argument("--threads", type=int, default=1)
    return out


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the mean of some steps, the exploration of yaws among them as often as in a training."""
    args = parser().parse_args(arguments)
    torch.set_num_threads(args.threads)
    given = {} if args.batch is None else {"batch": args.batch}
    config = load_config(MonoConfig, args.config, {"supervision": "dense", **given})
    task: Any = task_type(config.detector)(config.model_dump())
    batch = batch_of(config)
    optimizer = torch.optim.AdamW(task.net.parameters(), config.learning_rate)
    first = config.loss.mean_steps
    began = time.process_time()
    for step in range(first + 1, first + 1 + STEPS):
        loss = torch.stack(list(task.losses(batch, step).values())).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    seconds = (time.process_time() - began) / STEPS
    memory_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    weights = sum(p.numel() for p in task.net.parameters())
    told = f"{weights / 1e6:.1f} M weights, batch {config.batch}"
    print(f"{args.config}: {told}, {seconds:.2f} s a step, {memory_gb:.2f} GB")


if __name__ == "__main__":
    main()
