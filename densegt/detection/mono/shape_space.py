"""Shapes of classes: from numbers of a network to a signed distance and a size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from densegt.shapes.decoder import CODE, ShapeDecoder
from densegt.shapes.prior import Family, ShapePrior
from densegt.shapes.surface import extent

Float64 = NDArray[np.float64]


class ShapeSpace(nn.Module):
    """The shape prior of some classes, each with its family; nothing in it is trained.

    Buffers, of C classes: mean (C,8) and basis (C,8,8) of codes; extent (C,4) of the mean shape: length, width, height
    and x of its middle, m; slope (C,4,8): how they change with w; sigma (C,3) of sizes.
    """

    mean: Tensor
    basis: Tensor
    extent: Tensor
    slope: Tensor
    sigma: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.decoder = ShapeDecoder().requires_grad_(False)
        shapes = {"mean": (CODE,), "basis": (CODE, CODE), "extent": (4,), "slope": (4, CODE), "sigma": (3,)}
        for name, shape in shapes.items():
            self.register_buffer(name, torch.ones(classes, *shape))

    def fill(self, prior: ShapePrior, families: Sequence[Mapping[str, float]]) -> None:
        """Take over a prior; of each class in order, names of its families and their shares."""
        self.decoder.load_state_dict(prior.decoder.state_dict())
        for row, shares in enumerate(families):
            family = mixture([(prior.families[name], share) for name, share in shares.items()])
            middle, slope = _extents(prior, family)
            numbers = (family.mean, family.basis, middle, slope, family.size_sigma_m)
            for buffer, values in zip(("mean", "basis", "extent", "slope", "sigma"), numbers, strict=True):
                getattr(self, buffer)[row] = torch.from_numpy(np.asarray(values)).float()

    def code(self, kind: Tensor, w: Tensor) -> Tensor:
        """(B,8) of classes (B,) and codes (B,8) in deviations."""
        return self.mean[kind] + (self.basis[kind] @ w.unsqueeze(-1)).squeeze(-1)

    def size(self, kind: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        """Length, width, height (B,3) m and x of the middle (B,) m, to first order in w."""
        numbers = self.extent[kind] + (self.slope[kind] @ w.unsqueeze(-1)).squeeze(-1)
        # Of a network that has gone astray too.
        return numbers[:, :3].clamp(min=0.3), numbers[:, 3]

    def height(self, kind: Tensor) -> Tensor:
        """(B,) m, of the mean shape."""
        return self.extent[kind, 2]

    def distance(self, code: Tensor, xyz_shape: Tensor) -> Tensor:
        """Signed distances (B,...) m of points (B,...,3) in the shape frame, of codes (B,8)."""
        shape = (len(code), *[1] * (xyz_shape.ndim - 2), CODE)
        return cast(Tensor, self.decoder(code.view(shape).expand(*xyz_shape.shape[:-1], -1), xyz_shape))


def mixture(parts: Sequence[tuple[Family, float]]) -> Family:
    """One family with the mean and the covariance of several together, by their shares."""
    share = np.array([s for _, s in parts]) / sum(s for _, s in parts)

    def both(means: Float64, covariances: Float64) -> tuple[Float64, Float64]:
        mean = share @ means
        off = means - mean
        return mean, np.einsum("f,fij->ij", share, covariances + off[:, :, None] * off[:, None])

    mean, covariance = both(np.stack([f.mean for f, _ in parts]), np.stack([f.basis @ f.basis.T for f, _ in parts]))
    spread = np.stack([np.diag(f.size_sigma_m**2) for f, _ in parts])
    size, size_covariance = both(np.stack([f.size_lwh_m for f, _ in parts]), spread)
    variance, axes = np.linalg.eigh(covariance)
    order = np.argsort(-variance)
    basis = axes[:, order] * np.sqrt(np.maximum(variance[order], 1e-12))
    return Family(mean, basis, size, np.sqrt(np.diag(size_covariance)))


def _extents(prior: ShapePrior, family: Family) -> tuple[Float64, Float64]:
    """(4,) of the mean shape and (4,8) their slopes, by differences over a deviation to either side."""

    def of(w: Float64) -> Float64:
        size, middle_x = extent(prior.decoder, family.mean + family.basis @ w, family.size_lwh_m)
        return np.array([*size, middle_x])

    steps = np.eye(CODE)
    return of(np.zeros(CODE)), np.stack([(of(step) - of(-step)) / 2 for step in steps], axis=1)
