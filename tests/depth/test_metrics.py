import json

import numpy as np
import pytest

from densegt.depth.kind import Kind
from densegt.depth.metrics import DepthMetrics, band_edges

from . import reference
from .stores import world

# What an earlier test of this process left to the garbage collector is not this file's.
pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def compute(depth, truth, *, source=None, kind=None, max_depth_m=60.0):
    metrics = DepthMetrics(max_depth_m=max_depth_m)
    arrays = [None if a is None else np.asarray(a, dtype=np.uint8) for a in (source, kind)]
    metrics.update(np.float32(depth), np.float32(truth), source=arrays[0], kind=arrays[1])
    return metrics.compute()


def test_by_hand():
    truth = np.zeros((3, 12))
    truth[1, [1, 4, 7, 10]] = 10, 20, 40, 70  # each alone: no neighbour forgives; the last one is not counted
    depth = np.zeros((3, 12))
    depth[1, [1, 4, 7]] = 10.25, 22, 0  # right by a quarter of a metre; 2 m too far where 1 m is allowed; none
    f = compute(depth, truth).all
    assert (f.counted, f.predicted, f.outliers) == (3, 2, 1)
    assert f.right_percent == pytest.approx(100 / 3)
    assert f.coverage_percent == pytest.approx(200 / 3)
    assert f.outlier_percent == 50
    assert f.too_far_percent == 100
    assert f.mae_m == f.median_m == pytest.approx(1.125)
    assert f.rmse_m == pytest.approx(np.sqrt((0.25**2 + 2**2) / 2))
    assert f.bias_m == pytest.approx(1.125)
    assert f.abs_rel == pytest.approx((0.025 + 0.1) / 2)
    assert f.sq_rel_m == pytest.approx((0.0625 / 10 + 4 / 20) / 2)
    assert f.imae_per_km == pytest.approx((abs(1000 / 10.25 - 100) + abs(1000 / 22 - 50)) / 2)
    assert (f.delta1_percent, f.delta2_percent, f.delta3_percent) == (100, 100, 100)


def test_delta_is_strict_and_ignores_neighbours():
    f = compute([[10.0, 9.99, 12.5, 8.0]], [[8.0, 8.0, 8.0, 10.0]]).all
    assert f.delta1_percent == 25
    assert f.delta2_percent == 75
    assert f.delta3_percent == 100
    forgiven = compute([[8.0, 16.0]], [[16.0, 8.0]]).all
    assert (forgiven.outlier_percent, forgiven.delta3_percent, forgiven.mae_m) == (0, 0, 8)


def test_the_limit_is_not_counted_but_may_forgive():
    assert compute([[60.0]], [[60.0]]).all.counted == 0
    assert compute([[59.0]], [[59.996]]).all.counted == 1
    f = compute([[66.0, 0.0]], [[50.0, 66.0]]).all
    assert (f.counted, f.outliers) == (1, 0)
    assert compute([[5.0]], [[5.0]], max_depth_m=5.0).all.counted == 0


def test_false_positives_and_what_floats_before_far_surfaces():
    truth = np.zeros((5, 10))
    truth[:, 6:] = 80
    depth = np.zeros((5, 10))
    depth[2, [0, 4, 5, 8, 9]] = (
        10,
        70,
        10,
        10,
        78,
    )  # false positive; beyond the limit; has a surface beside; before; far
    s = compute(depth, truth)
    assert s.predictions == 5
    assert s.false_positive_percent == 20
    assert s.beyond_percent == 20
    assert s.all.counted == 0


def test_nan_and_negative_are_no_depth():
    f = compute([[np.nan, np.inf, -3.0, 4.0]], [[4.0, 4.0, 4.0, np.nan]]).all
    assert (f.counted, f.predicted) == (3, 0)
    f = compute([[4.0, 4.0]], [[np.inf, -1.0]]).all
    assert f.counted == 0


def test_empty_is_none_and_writes_as_null():
    for s in (DepthMetrics().compute(), compute(np.zeros((0, 5)), np.zeros((0, 5))), compute([[0.0]], [[0.0]])):
        assert s.all.counted == 0
        assert s.all.right_percent is s.all.rmse_m is s.all.median_m is s.false_positive_percent is None
        json.dumps(s.as_dict(), allow_nan=False)


def test_groups_partition_the_pixels():
    truth, kind = world()
    rng = np.random.default_rng(0)
    depth = np.where(rng.random(truth.shape) < 0.7, truth * rng.normal(1, 0.05, truth.shape), 0).astype(np.float32)
    source = np.where(depth > 0, rng.integers(1, 6, truth.shape), 0)
    s = compute(depth, truth, source=source, kind=kind)
    for groups in (s.by_kind, s.by_range, s.by_edge):
        assert sum(g.counted for g in groups.values()) == s.all.counted
        assert sum(g.outliers for g in groups.values()) == s.all.outliers
    assert sum(g.counted for g in s.by_source.values()) == s.all.predicted
    assert all(g.coverage_percent == 100 for g in s.by_source.values())
    assert s.labelled_world.counted == s.all.counted - s.by_kind["unlabelled_mover"].counted
    assert list(s.by_kind) == [kind.name.lower() for kind in Kind if Kind.NONE < kind < Kind.PERSON]
    assert s.by_kind["ground"].counted == ((kind == Kind.GROUND) & (truth < 60)).sum()
    assert s.by_range["10-20"].counted == ((truth >= 10) & (truth < 20)).sum()


def test_kinds_that_few_streets_have_are_listed_where_they_are_seen():
    truth, kind = world()
    kind = np.where(kind == Kind.GROUND, np.uint8(Kind.PERSON), kind)
    s = compute(truth.astype(np.float32), truth, kind=kind)
    assert s.by_kind["person"].counted == ((kind == Kind.PERSON) & (truth < 60)).sum() > 0
    assert "glass" not in s.by_kind


def test_a_group_is_what_its_pixels_alone_give():
    truth, kind = world()
    depth = np.where(truth > 0, truth + 0.4, 0).astype(np.float32)
    depth[::3] = 0
    s = compute(depth, truth, kind=kind)
    chosen = (kind == Kind.STRUCTURE) & (depth > 0)
    e = (depth - truth)[chosen]
    assert s.by_kind["structure"].mae_m == pytest.approx(np.abs(e).mean())
    assert s.by_kind["structure"].median_m == pytest.approx(np.median(np.rint(np.abs(e) * 256)) / 256)


def test_agrees_with_the_slow_twin():
    rng = np.random.default_rng(1)
    truth = rng.choice([0, 3, 5, 9, 9.5, 30, 31, 59, 90], (9, 13)).astype(np.float32)
    depth = (rng.choice([0, 0, 1, 1], truth.shape) * rng.integers(1, 80 * 256, truth.shape) / 256).astype(np.float32)
    s = compute(depth, truth)
    for name, expected in reference.figures(depth, truth, max_depth_m=60).items():
        got = s.false_positive_percent if name == "false_positive_percent" else getattr(s.all, name)
        assert got == pytest.approx(expected), name


def test_without_kind_there_are_no_kinds_and_mixed_counts_what_has_them():
    s = compute([[5.0]], [[5.0]])
    assert s.by_kind == {}
    assert s.labelled_world is None
    metrics = DepthMetrics()
    metrics.update(np.float32([[5]]), np.float32([[5]]))
    metrics.update(np.float32([[5]]), np.float32([[5]]), kind=np.uint8([[1]]))
    s = metrics.compute()
    assert (s.images, s.images_with_kind, s.all.counted) == (2, 1, 2)
    assert s.labelled_world.counted == s.by_kind["ground"].counted == 1


def test_merging_is_counting_together():
    truth, kind = world()
    whole, a, b = DepthMetrics(), DepthMetrics(), DepthMetrics()
    for part, off in ((a, 0.2), (b, 1.5)):
        for metrics in (whole, part):
            metrics.update(truth + np.float32(off), truth, kind=kind)
    a.merge(b)
    a.merge(DepthMetrics())
    assert a.compute() == whole.compute()
    with pytest.raises(ValueError, match="limits differ"):
        a.merge(DepthMetrics(max_depth_m=30))


def test_bad_input():
    metrics = DepthMetrics()
    with pytest.raises(ValueError, match=r"truth is \(2, 2\), depth \(2, 3\)"):
        metrics.update(np.zeros((2, 3), np.float32), np.zeros((2, 2), np.float32))
    with pytest.raises(ValueError, match="kind has code 9"):
        metrics.update(np.ones((1, 1), np.float32), np.ones((1, 1), np.float32), kind=np.uint8([[9]]))
    with pytest.raises(ValueError, match="must be positive"):
        DepthMetrics(max_depth_m=0)


def test_bands_end_at_the_limit():
    assert band_edges(60) == (0, 10, 20, 40, 60)
    assert band_edges(80) == (0, 10, 20, 40, 60, 80)
    assert band_edges(30) == (0, 10, 20, 30)
    assert list(compute([[5.0]], [[5.0]], max_depth_m=30.0).by_range) == ["0-10", "10-20", "20-30"]
