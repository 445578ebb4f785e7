"""Kernels that find movers against slow, obvious twins."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.ground_cells import ground_cells
from densegt.kernels.pair_equations import SplinePoints, nearest_in_sweeps, pair_equations
from densegt.kernels.register_planar import VoxelModel, add_to_model, near_model, nearest_in_model, register_planar
from densegt.kernels.velocity_votes import velocity_votes

from ..twins import twin_of

# Kernels of many sizes are held against reference implementations.
pytestmark = pytest.mark.slow

# --- ground ---


@pytest.mark.parametrize("cells", [0, 1, 40])
def test_ground_is_the_mean_of_each_cells_lowest_layer(cells: int) -> None:
    rng = np.random.default_rng(0)
    start = np.concatenate([[0], np.cumsum(rng.integers(1, 30, cells))]).astype(np.int64)
    z = np.round(rng.uniform(-1, 1, start[-1]), 1).astype(np.float32)  # ties, and some at the layer's border
    got, wanted = np.empty(cells), np.empty(cells)
    ground_cells(z, start, 0.15, got)
    twin_of(ground_cells)(z, start, 0.15, wanted)
    np.testing.assert_allclose(got, wanted, atol=1e-12)


# --- velocity ---


def test_votes_are_greatest_at_the_velocity_that_moved_the_cluster() -> None:
    rng = np.random.default_rng(1)
    xy = rng.uniform(-1, 1, (20, 2)).astype(np.float32)
    since = np.repeat(np.array([-0.2, -0.1, 0.1, 0.2], np.float32), 20)
    others = (np.tile(xy, (4, 1)) + since[:, None] * np.array([6, -4], np.float32)).astype(np.float32)
    votes = np.empty((4, 21, 21))
    velocity_votes(xy, others, since, np.arange(5) * 20, 1.0, 0.2, 0.05, votes)
    assert votes.sum(axis=0)[16, 6] == pytest.approx(4.0)
    wanted = np.empty((4, 21, 21))
    twin_of(velocity_votes)(xy, others, since, np.arange(5) * 20, 1.0, 0.2, 0.05, wanted)
    # A point on the border of two cells falls to either side.
    np.testing.assert_allclose(votes, wanted, atol=0.101)
    assert (np.abs(votes - wanted) < 1e-9).mean() > 0.98


def test_a_sweep_without_points_gives_no_vote() -> None:
    xy = np.zeros((3, 2), np.float32)
    votes = np.ones((1, 3, 3))
    velocity_votes(xy, np.zeros((0, 2), np.float32), np.zeros(0, np.float32), np.array([0, 0]), 1.0, 0.2, 0.1, votes)
    assert (votes == 0).all()


# --- model and registration ---


def model_of(points: np.ndarray, normals: np.ndarray, *, room: int = 2000, most: int = 40, add=add_to_model):
    model = VoxelModel(
        np.full((60, 60, 10), -1, np.int32), np.zeros((room, 3)), np.zeros((room, 3)), np.zeros(room, int)
    )
    return model, add(points, normals, model, 0, 0.2, most)


def test_the_model_holds_the_mean_of_each_cells_points() -> None:
    rng = np.random.default_rng(2)
    p = rng.uniform([-2, -2, 0], [2, 2, 2], (500, 3))
    model, size = model_of(p, np.tile([0.0, 0.0, 1.0], (500, 1)))
    key = np.column_stack([np.floor(p[:, :2] / 0.2), np.floor(p[:, 2] / 0.4)])
    cells, which = np.unique(key, axis=0, return_inverse=True)
    assert size == len(cells)
    means = np.array([p[which.ravel() == k].mean(axis=0) for k in range(len(cells))])
    order, slow_order = np.lexsort(model.xyz[:size].T), np.lexsort(means.T)
    np.testing.assert_allclose(model.xyz[:size][order], means[slow_order], atol=1e-9)
    assert model.added.sum() == 500


def test_model_and_registration_equal_twins() -> None:
    rng = np.random.default_rng(8)
    p, normal = rng.uniform([-7, -7, -1], [7, 7, 5], (400, 3)), rng.normal(size=(400, 3))
    p[200:] = p[:200] + rng.normal(0, 0.05, (200, 3))
    (model, size), (twins, other) = (
        model_of(p, normal, room=150, most=3, add=add) for add in (add_to_model, twin_of(add_to_model))
    )
    assert size == other == 150  # it is full
    for got, wanted in zip(model, twins, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-9)
    asked = rng.uniform([-7, -7, 0], [7, 7, 4], (60, 3))
    near = np.empty((2, 60), np.bool_)
    near_model(asked, model, 0.2, 0.9, near[0])
    twin_of(near_model)(asked, model, 0.2, 0.9, near[1])
    np.testing.assert_array_equal(*near)
    assert near[0].any()
    for q in asked:
        found = (nearest_in_model, twin_of(nearest_in_model))
        one, other = (find(q, model, 0.2, 4, 1, 0.9) for find in found)
        assert one == other
    start, prior = np.array([0.05, -0.05, 0.03]), np.array([4.0, 4.0, 100.0])
    answers = [
        register(p[:60], normal[:60], model, 0.2, 0.5, prior, start, 3)
        for register in (register_planar, twin_of(register_planar))
    ]
    np.testing.assert_allclose(answers[0][0], answers[1][0], atol=1e-6)
    assert answers[0][1] == answers[1][1] > 20


def test_points_outside_the_model_are_left_out_and_nothing_is_near_nothing() -> None:
    model, size = model_of(np.array([[100.0, 0, 0], [0, 0, -3.0]]), np.zeros((2, 3)))
    assert size == 0
    near = np.ones(1, np.bool_)
    near_model(np.zeros((1, 3)), model, 0.2, 0.5, near)
    assert not near[0]


def test_near_is_as_near_as_the_nearest_mean() -> None:
    rng = np.random.default_rng(3)
    model, size = model_of(rng.uniform([-2, -2, 0], [2, 2, 0.3], (60, 3)), np.zeros((60, 3)))
    asked = rng.uniform([-3, -3, 0], [3, 3, 0.3], (400, 3))
    near = np.empty(400, np.bool_)
    near_model(asked, model, 0.2, 0.4, near)
    d = asked[:, None] - model.xyz[:size]
    squared = d[..., 0] ** 2 + d[..., 1] ** 2 + 0.1 * d[..., 2] ** 2
    np.testing.assert_array_equal(near, (squared < 0.16).any(axis=1))


def test_a_corner_is_laid_back_onto_its_model() -> None:
    """Two walls at right angles tell place and yaw; the truth is a few decimetres and degrees from the start."""
    rng = np.random.default_rng(4)
    n = 300
    wall = np.column_stack([rng.uniform(-2, 2, n), np.full(n, 1.0), rng.uniform(0, 1.5, n)])
    other = np.column_stack([np.full(n, 2.0), rng.uniform(-1, 1, n), rng.uniform(0, 1.5, n)])
    q = np.concatenate([wall, other])
    normal = np.repeat([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], n, axis=0)
    model, _ = model_of(q, normal)
    true = np.array([5.0, -3.0, 0.4])
    c, s = np.cos(true[2]), np.sin(true[2])
    R = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    p = q @ R.T + [true[0], true[1], 0.0]
    start = true + np.array([0.2, -0.15, 0.05])
    weak = np.full(3, 1e-3)
    pose, matched = register_planar(p, normal @ R.T, model, 0.2, 0.6, weak, start, 12)
    np.testing.assert_allclose(pose, true, atol=0.02)
    assert matched > 550


def test_without_partners_the_start_is_kept() -> None:
    model, _ = model_of(np.zeros((0, 3)), np.zeros((0, 3)))
    start = np.array([1.0, 2.0, 0.3])
    p = np.zeros((4, 3))
    pose, matched = register_planar(p, p, model, 0.2, 0.6, np.ones(3), start, 5)
    np.testing.assert_array_equal(pose, start)
    assert matched == 0


# --- pairs ---


def test_partners_are_the_nearest_of_the_sweep_that_is_asked() -> None:
    rng = np.random.default_rng(5)
    q, sweep = rng.uniform(0, 2, (120, 3)), np.sort(rng.integers(0, 6, 120))
    q[7] = np.nan
    first, offsets = np.searchsorted(sweep, np.arange(7)), np.array([1, -2, 3])
    out = np.empty((120, 2), np.int64)
    nearest_in_sweeps(q, sweep, first, offsets, 2, 0.5, out)
    wanted = np.empty((120, 2), np.int64)
    twin_of(nearest_in_sweeps)(q, sweep, first, offsets, 2, 0.5, wanted)
    np.testing.assert_array_equal(out, wanted)
    assert (out >= 0).mean() > 0.5


@pytest.mark.parametrize(("pairs", "robust"), [(0, 1.0), (1, 1.0), (50, 0.5)])
def test_equations_equal_twin(pairs: int, robust: float) -> None:
    rng = np.random.default_rng(pairs)
    n, count = 30, 6
    points = SplinePoints(
        xyz_object=rng.normal(0, 0.3, (n, 3)),
        normal=rng.normal(0, 1, (n, 2)),
        yaw=rng.uniform(-3, 3, n),
        knot=rng.integers(0, count - 3, n),
        basis=rng.dirichlet(np.ones(4), n),
    )
    rows = rng.integers(0, n, (pairs, 2))
    answers = []
    for equations in (pair_equations, twin_of(pair_equations)):
        answers.append((np.ones((3 * count, 3 * count)), np.ones(3 * count)))
        equations(points, rows, 2.0, 0.5, 0.4, robust, *answers[-1])
    for got, wanted in zip(*answers, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-9)


def test_the_equations_are_the_derivatives_of_the_pairs_error() -> None:
    """Against finite differences of the error that they claim to linearise; without robustness."""
    rng = np.random.default_rng(6)
    n, count = 30, 6
    knot = rng.integers(0, count - 3, n)
    basis = rng.dirichlet(np.ones(4), n)
    coefficients = rng.normal(0, 0.5, (count, 3))
    xy, z = rng.normal(0, 2, (n, 2)), rng.uniform(0, 1, n)
    pairs = np.column_stack([rng.integers(0, n, 40), rng.integers(0, n, 40)])
    normal = rng.normal(0, 1, (n, 2))
    across, along = 2.0, 0.5

    def carried(coefficients):
        pose = np.array([basis[k] @ coefficients[knot[k] : knot[k] + 4] for k in range(n)])
        c, s, d = np.cos(pose[:, 2]), np.sin(pose[:, 2]), xy - pose[:, :2]
        return np.column_stack([c * d[:, 0] + s * d[:, 1], -s * d[:, 0] + c * d[:, 1], z]), pose[:, 2]

    def residuals(flat):
        q, _ = carried(flat.reshape(count, 3))
        e = (q[pairs[:, 0]] - q[pairs[:, 1]])[:, :2]
        on = (normal[pairs[:, 0]] * e).sum(axis=1)
        return np.concatenate([np.sqrt(across) * on, np.sqrt(along) * e.ravel()])

    flat = coefficients.ravel()
    step = 1e-6 * np.eye(len(flat))
    J = np.column_stack([(residuals(flat + d) - residuals(flat - d)) / 2e-6 for d in step])
    q, yaw = carried(coefficients)
    H, g = np.zeros((3 * count, 3 * count)), np.zeros(3 * count)
    pair_equations(SplinePoints(q, normal, yaw, knot, basis), pairs, across, along, 0.0, 1e12, H, g)
    np.testing.assert_allclose(H, J.T @ J, atol=1e-5)
    np.testing.assert_allclose(g, J.T @ residuals(flat), atol=1e-5)


def test_near_pairs_hold_no_flat_side_and_far_off_pairs_hardly_count() -> None:
    """What a pair pulls along x, when its normal is y and each point moves on its own."""
    normal, yaw = np.tile([0.0, 1.0], (2, 1)), np.zeros(2)
    knot, basis = np.array([0, 4]), np.tile([1.0, 0, 0, 0], (2, 1))

    def pull(apart_m: float, *, spacing: float, robust: float = 1e12) -> float:
        q = np.array([[0.0, 0, 0], [apart_m, 0, 0]])
        H, g = np.zeros((24, 24)), np.zeros(24)
        points = SplinePoints(q, normal, yaw, knot, basis)
        pair_equations(points, np.array([[0, 1]]), 1.0, 1.0, spacing, robust, H, g)
        return float(abs(g[0]))

    assert pull(0.1, spacing=0.2) == 0
    assert pull(0.3, spacing=0.2) == pytest.approx(0.3)
    assert pull(5.0, spacing=0.2, robust=1.0) < 0.01
