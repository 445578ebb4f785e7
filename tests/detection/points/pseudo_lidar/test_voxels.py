"""Points to voxels: the equation taken word by word gives the same, and gradients are what they claim to be."""

from __future__ import annotations

from itertools import product

import pytest

torch = pytest.importorskip("torch")

from densegt.detection.bev.grid import BevGrid  # noqa: E402
from densegt.detection.points.pseudo_lidar.points import PointBatch, gathered  # noqa: E402
from densegt.detection.points.pseudo_lidar.voxel_grid import VoxelGrid  # noqa: E402
from densegt.detection.points.pseudo_lidar.voxels import hard, soft  # noqa: E402

# Models are built and trained.
pytestmark = pytest.mark.slow

GRID = VoxelGrid(BevGrid(-2, 2, -1.5, 1.5, 0.5, -0.75, 0.75), 3)
LONE = VoxelGrid(BevGrid(0, 1, 0, 1, 1, 0, 1), 1)
SIGMA_M = 0.5


def cloud(*samples):
    """Lists of points."""
    most = max(map(len, samples))
    padded = torch.full((len(samples), most, 3), torch.nan, dtype=torch.float64)
    for row, points in zip(padded, samples, strict=True):
        if len(points):
            row[: len(points)] = torch.as_tensor(points, dtype=torch.float64)
    return gathered(padded)


def scattered(count, seed=0, spread=1.3):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, generator=draw, dtype=torch.float64) * spread


def by_the_equation(points, grid, sigma_m):
    """T(m) as published, a voxel after the other."""
    Z, Y, X = grid.shape
    (sz, sy, sx), (z0, y0, x0) = grid.sides_m, grid.corner_m
    out = torch.zeros(points.samples, Z, Y, X, dtype=torch.float64)
    for b in range(points.samples):
        held = {}
        for p in points.of(b):
            m = tuple(
                int(torch.floor((p[2 - k] - low) / side))
                for k, (low, side) in enumerate(zip((z0, y0, x0), (sz, sy, sx), strict=True))
            )
            if all(0 <= m[k] < grid.shape[k] for k in range(3)):
                held.setdefault(m, []).append(p)
        for m in product(range(Z), range(Y), range(X)):
            centre = torch.tensor([x0 + (m[2] + 0.5) * sx, y0 + (m[1] + 0.5) * sy, z0 + (m[0] + 0.5) * sz]).double()

            def mean(n, held=held, centre=centre):
                ps = held.get(n, [])
                return sum(torch.exp(-((p - centre) ** 2).sum() / sigma_m**2) for p in ps) / len(ps) if ps else 0

            around = [tuple(a + d for a, d in zip(m, step, strict=True)) for step in product((-1, 0, 1), repeat=3)]
            out[b][m] = mean(m) + sum(mean(n) for n in around if n != m) / 26
    return out


CLOUDS = {
    "scattered": lambda: cloud(scattered(60), scattered(40, 1)),
    "none": lambda: cloud([]),
    "a sample without": lambda: cloud([], scattered(20), []),
    "all outside": lambda: cloud([[9, 9, 9], [-2.01, 0, 0], [2, 0, 0], [0, 0, 0.75]]),
    "many in one voxel": lambda: cloud([[0.1, 0.2, 0.1], [0.1, 0.2, 0.1], [0.3, 0.2, 0.0]]),
    "on the borders": lambda: cloud([[-2, -1.5, -0.75], [0, 0, 0.25], [1.999, 1.499, 0.749], [0.5, -0.5, -0.25]]),
    "in the corners": lambda: cloud([[x, y, z] for x in (-1.9, 1.9) for y in (-1.4, 1.4) for z in (-0.7, 0.7)]),
}


@pytest.mark.parametrize("name", CLOUDS)
def test_soft_is_the_equation(name):
    points = CLOUDS[name]()
    torch.testing.assert_close(soft(points, GRID, sigma_m=SIGMA_M), by_the_equation(points, GRID, SIGMA_M))


def test_a_lone_voxel_has_no_neighbours():
    points = cloud([[0.5, 0.5, 0.5]])
    torch.testing.assert_close(soft(points, LONE, sigma_m=1.0), torch.ones(1, 1, 1, 1).double())


@pytest.mark.parametrize("name", ["few", "many in one voxel", "none"])
def test_gradients_of_soft(name):
    points = cloud([], scattered(8), [[-1.99, 1.4, 0.7]]) if name == "few" else CLOUDS[name]()

    def laid(xyz):
        return soft(points._replace(xyz_ref=xyz), GRID, sigma_m=SIGMA_M)

    assert torch.autograd.gradcheck(laid, points.xyz_ref.clone().requires_grad_())


def test_a_point_outside_is_pulled_by_nothing():
    points = cloud([[0.1, 0.1, 0.1], [2.1, 0, 0]])
    xyz = points.xyz_ref.requires_grad_()
    soft(points._replace(xyz_ref=xyz), GRID, sigma_m=SIGMA_M).sum().backward()
    assert xyz.grad[0].any()
    assert not xyz.grad[1].any()


def test_an_empty_voxel_pulls_points_nearer():
    xyz = torch.tensor([[0.1, 0.1, 0.1]], dtype=torch.float64, requires_grad=True)
    points = PointBatch(xyz, torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64), 1)
    z, y, x = GRID.numbers(xyz.detach())[0][0].tolist()
    soft(points, GRID, sigma_m=SIGMA_M)[0, z, y, x + 1].backward()
    assert xyz.grad[0, 0] > 0


@pytest.mark.parametrize("name", CLOUDS)
def test_hard_is_one_where_points_are(name):
    points = CLOUDS[name]()
    numbers, inside = GRID.numbers(points.xyz_ref)
    there = {(int(b), *row.tolist()) for b, row in zip(points.sample[inside], numbers[inside], strict=True)}
    found = hard(points, GRID)
    assert {tuple(place.tolist()) for place in found.nonzero()} == there
    assert set(found.unique().tolist()) <= {0.0, 1.0}


def test_hard_passes_exactly_no_gradient_where_soft_passes_some():
    points = CLOUDS["scattered"]()
    xyz = points.xyz_ref.requires_grad_()
    weight = torch.rand(2, *GRID.shape, dtype=torch.float64, requires_grad=True)

    def pull(laid):
        return torch.autograd.grad((laid * weight).sum(), xyz, allow_unused=True, materialize_grads=True)[0]

    assert torch.equal(pull(hard(points, GRID)), torch.zeros_like(xyz))
    assert pull(soft(points, GRID, sigma_m=SIGMA_M)).abs().sum() > 0


def test_layers_are_counted_exactly_at_their_edges():
    grid = VoxelGrid(BevGrid(-1, 1, -1, 1, 0.1, -3, 0.5), 35)
    edges = torch.arange(36, dtype=torch.float64) * 0.1 - 3
    numbers, inside = grid.numbers(torch.stack([edges * 0, edges * 0, edges], 1))
    assert inside.tolist() == (edges < 0.5).tolist()
    assert (numbers[inside, 0].diff() >= 0).all()
    assert numbers[inside, 0].min() == 0
    assert numbers[inside, 0].max() == 34


def test_no_layer_is_refused():
    with pytest.raises(ValueError, match="0 layers"):
        VoxelGrid(LONE.bev, 0)
