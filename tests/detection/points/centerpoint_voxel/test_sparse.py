"""Sparse convolutions: what dense ones with the same weight say, where they answer."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from torch.nn import functional  # noqa: E402

from densegt.detection.points.centerpoint_voxel.sparse import (  # noqa: E402
    SparseMap,
    pairs,
    sparse_convolution,
    strided_sites,
)


def sparse_map(shape=(2, 5, 6, 7), share=0.15, channels=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    voxel = (torch.rand(shape, generator=generator) < share).flatten().nonzero().squeeze(1)
    return SparseMap(torch.randn(len(voxel), channels, generator=generator), voxel, shape)


def weight(out=4, channels=3):
    return torch.randn(out, channels, 3, 3, 3, generator=torch.Generator().manual_seed(1))


def at_sites(dense, to):
    return dense.permute(0, 2, 3, 4, 1).reshape(-1, dense.shape[1])[to.voxel]


def test_submanifold_is_the_dense_one_where_there_is_something():
    given = sparse_map()
    said = sparse_convolution(given.features, weight(), torch.ones(4), pairs(given, given, 1), len(given.voxel))
    wanted = functional.conv3d(given.dense(), weight(), torch.ones(4), padding=1)
    torch.testing.assert_close(said, at_sites(wanted, given), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shape", [(2, 5, 6, 7), (1, 4, 8, 8), (1, 1, 3, 2)])
def test_strided_is_the_dense_one_and_misses_nothing(shape):
    given = sparse_map(shape)
    to = strided_sites(given)
    said = sparse_convolution(given.features, weight(), None, pairs(given, to, 2), len(to.voxel))
    wanted = functional.conv3d(given.dense(), weight(), stride=2, padding=1)
    assert to.shape == (shape[0], *wanted.shape[2:])
    torch.testing.assert_close(SparseMap(said, to.voxel, to.shape).dense(), wanted, atol=1e-5, rtol=1e-5)
    met = functional.conv3d((given.dense() != 0).any(1, keepdim=True).float(), torch.ones(1, 1, 3, 3, 3), None, 2, 1)
    assert torch.equal(to.voxel, (met > 0).flatten().nonzero().squeeze(1))


def test_gradients_are_the_dense_ones():
    given, of = sparse_map(), weight().requires_grad_()
    features = given.features.clone().requires_grad_()
    said = sparse_convolution(features, of, None, pairs(given, given, 1), len(given.voxel))
    sparse = torch.autograd.grad(said.sin().sum(), (features, of))
    dense = functional.conv3d(SparseMap(features, given.voxel, given.shape).dense(), of, padding=1)
    for mine, theirs in zip(
        sparse, torch.autograd.grad(at_sites(dense, given).sin().sum(), (features, of)), strict=True
    ):
        torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-4)


def test_nothing_gives_nothing():
    given = sparse_map(share=0.0)
    to = strided_sites(given)
    assert not len(to.voxel)
    assert sparse_convolution(given.features, weight(), None, pairs(given, to, 2), 0).shape == (0, 4)
