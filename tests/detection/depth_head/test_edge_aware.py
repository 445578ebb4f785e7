"""EA-LSS: where depth jumps, as an input, as a weight, and at a finer resolution."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.detection.depth_head import bin_targets  # noqa: E402
from densegt.detection.depth_head.bins import Bins  # noqa: E402
from densegt.detection.depth_head.edge_aware import (  # noqa: E402
    EdgeInput,
    FineDepth,
    directional_gradients,
    edge_weight,
    window_maximum,
)
from densegt.detection.losses import focal  # noqa: E402


def sparse(shape=(2, 19, 23), share=0.1, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(np.where(rng.random(shape) < share, rng.uniform(1, 60, shape), 0)).float()


def gradients_slowly(depth_m):
    """Pixel by pixel: the farthest of 7x7, its difference to that of the pixel above, below, left, right."""
    images, height, width = depth_m.shape
    out = np.zeros((images, 4, height, width), np.float32)
    for n in range(images):

        def far(row, col, n=n):
            if not (0 <= row < height and 0 <= col < width):
                return 0.0
            around = depth_m[n, max(0, row - 3) : row + 4, max(0, col - 3) : col + 4]
            return float(around.max())

        for row in range(height):
            for col in range(width):
                for k, (r, c) in enumerate([(-1, 0), (1, 0), (0, -1), (0, 1)]):
                    here, beside = far(row, col), far(row + r, col + c)
                    out[n, k, row, col] = abs(np.float32(here) - np.float32(beside)) if here and beside else 0
    return out


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 1.0])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 9), (1, 9, 1), (2, 19, 23)])
def test_gradients_are_those_of_the_twin(shape, share):
    depth_m = sparse(shape, share)
    np.testing.assert_array_equal(directional_gradients(depth_m), gradients_slowly(depth_m))


def test_a_step_is_seen_from_both_sides_and_gaps_are_none():
    depth_m = torch.zeros(1, 8, 40)
    depth_m[..., :12], depth_m[..., 12:20] = 10.0, 30.0  # then nothing
    up, down, left, right = directional_gradients(depth_m)[0, :, 4]
    assert up.eq(0).all()
    assert down.eq(0).all()
    # The farther side grows by the window's half; the end of what is measured is no jump.
    assert right.nonzero().flatten().tolist() == [8]
    assert left.nonzero().flatten().tolist() == [9]
    assert right[8] == left[9] == 20.0
    assert window_maximum(depth_m)[0, 4].nonzero().numel() == 23


def test_weight_is_a_share_of_the_batches_largest_jump():
    depth_m = torch.full((2, 16, 16), 10.0)
    depth_m[0, :, 8:], depth_m[1, :, 8:] = 50.0, 20.0
    weight = edge_weight(depth_m, stride=4)
    assert weight.shape == (2, 4, 4)
    assert weight[0].max() == 1
    assert weight[1].max() == 0.25
    assert weight[:, :, -1].eq(0).all()
    assert edge_weight(torch.zeros(1, 8, 8), stride=4).eq(0).all()


@pytest.mark.parametrize("stride", [1, 4, 16])
def test_input_has_the_features_size(stride):
    module = EdgeInput(24, stride=stride, max_m=60.0)
    out = module(sparse((2, 32, 64)))
    assert out.shape == (2, 24, 32 // stride, 64 // stride)
    out.square().mean().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in module.parameters())


def test_input_of_a_stride_that_cannot_be():
    with pytest.raises(ValueError, match="stride of 12"):
        EdgeInput(24, stride=12, max_m=60.0)


def test_fine_depth_learns_an_edge_inside_a_cell():
    """What a cell's one distribution cannot say: depth steps in the middle of a cell."""
    torch.manual_seed(0)
    bins = Bins("LID", 2.0, 50.0, 10)
    features = torch.randn(1, 6, 3, 4)
    depth_m = torch.full((1, 24, 32), 6.0)
    depth_m[..., 12:] = 40.0
    target = bin_targets.hard(bins, depth_m)
    weight = 1 + edge_weight(depth_m, stride=1)
    fine = FineDepth(6, 10, width=16)
    optimizer = torch.optim.Adam(fine.parameters(), lr=2e-2)
    for _ in range(60):
        loss = (weight * focal(fine(features).log_softmax(1), target)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (fine(features).argmax(1) == target.argmax(1)).float().mean() > 0.97
