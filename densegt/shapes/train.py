"""Training of the shape prior: decoder and codes together, on procedural vehicles.

python -m densegt.shapes.train --out prior.npz
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from densegt.shapes.decoder import CODE, ShapeDecoder
from densegt.shapes.families import FAMILIES
from densegt.shapes.prior import ShapePrior
from densegt.shapes.solids import Solids

Float32 = NDArray[np.float32]

# Vehicles of each family.
COUNTS = {"car": 72, "van": 24, "truck": 24, "bus": 16}
NEAR_M = (0.03, 0.12)
SAMPLES = 12_000
# What is farther from the surface than this need not be told exactly.
CLAMP_M = 0.1


def vehicles(counts: Mapping[str, int], seed: int) -> list[tuple[str, Solids]]:
    """Vehicles of each family with its name."""
    rng = np.random.default_rng(seed)
    return [(name, FAMILIES[name](rng)) for name, count in counts.items() for _ in range(count)]


def distance_samples(shape: Solids, count: int, rng: np.random.Generator) -> Float32:
    """(count,4): points, four in five of them about the surface, and their signed distances, m."""
    surface = shape.surface(count, rng)
    near = surface[rng.integers(len(surface), size=count * 4 // 5)]
    near = near + rng.normal(size=near.shape) * rng.choice(NEAR_M, len(near))[:, None]
    far = rng.uniform(shape.low - 1.0, shape.high + 1.0, (count - len(near), 3))
    xyz = np.concatenate([near, far])
    return np.column_stack([xyz, shape.distance(xyz)]).astype(np.float32)


def train_prior(shapes: list[tuple[str, Solids]], *, steps: int = 3500, seed: int = 0) -> tuple[ShapePrior, float]:
    """A prior of these shapes, and its mean error near the surface, m."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    samples = torch.from_numpy(np.stack([distance_samples(shape, SAMPLES, rng) for _, shape in shapes]))
    decoder, codes = ShapeDecoder(), torch.nn.Parameter(torch.randn(len(shapes), CODE) * 0.1)
    groups = [{"params": decoder.parameters(), "lr": 2e-3}, {"params": [codes], "lr": 4e-3}]
    optimizer = torch.optim.Adam(groups)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        which = torch.from_numpy(rng.integers(len(shapes), size=(8, 1)))
        batch = samples[which, torch.from_numpy(rng.integers(SAMPLES, size=(8, 1024)))]
        code = codes[which.squeeze(1)]
        found = decoder(code[:, None].expand(-1, 1024, -1), batch[..., :3])
        loss = distance_loss(found, batch[..., 3]).mean() + 1e-4 * code.square().sum(-1).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    error = _near_error(decoder, codes, samples)
    names = [name for name, _ in shapes]
    sizes = np.stack([shape.size_lwh_m for _, shape in shapes])
    return ShapePrior.of(decoder, codes.detach().numpy().astype(np.float64), names, sizes), error


def distance_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Loss of each distance, m: sharp near the surface, faint far from it."""
    near = (found.clamp(-CLAMP_M, CLAMP_M) - wanted.clamp(-CLAMP_M, CLAMP_M)).abs()
    return near + 0.1 * (found - wanted).abs()


@torch.no_grad()
def _near_error(decoder: ShapeDecoder, codes: Tensor, samples: Tensor) -> float:
    few = samples[:, :1000]
    found = decoder(codes[:, None].expand(-1, 1000, -1), few[..., :3])
    near = few[..., 3].abs() < 0.05
    return float((found - few[..., 3]).abs()[near].mean())


def main() -> None:
    """Train the prior that ships, and write it."""
    import argparse
    import time

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    began = time.process_time()
    prior, error_m = train_prior(vehicles(COUNTS, options.seed), seed=options.seed)
    prior.save(options.out)
    seconds = time.process_time() - began
    print(
        f"{options.out}: {options.out.stat().st_size} bytes, near the surface {1000 * error_m:.1f} mm, {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
