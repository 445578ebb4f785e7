"""Average precision: known cases, against a twin that counts at every threshold, and what there is none of."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from densegt.detection.scoring.kitti_ap import KittiAp, average_precision, matched


def box(x_m=0.0, y_m=0.0, z_m=0.0):
    return [x_m, y_m, z_m, 4.0, 2.0, 1.5, 0.0]


def ap_of(samples):
    sums = KittiAp()
    for boxes, scores, truth in samples:
        sums.update(np.array(boxes).reshape(-1, 7), np.array(scores, float), np.array(truth).reshape(-1, 7))
    return sums.compute()


def average_twin(scores, right, labels):
    """At each recall the best precision of all thresholds that reach it."""
    points = []
    for threshold in set(scores.tolist()):
        said = scores >= threshold
        points.append((right[said].sum() / labels, right[said].mean()))
    reached = [[p for r, p in points if r >= k / 40 - 1e-9] for k in range(1, 41)]
    return sum(max(each, default=0.0) for each in reached) / 40


def test_the_truth_scores_one():
    truth = [box(0), box(10), box(20, 5)]
    found = ap_of([(truth, [0.9, 0.8, 0.7], truth)])
    assert {name: ap for name, ap in found.items() if "rule" not in name} == {
        "BEV AP at 0.5": 1, "BEV AP at 0.7": 1, "3D AP at 0.5": 1, "3D AP at 0.7": 1
    }  # fmt: skip


def test_height_counts_in_space_alone_and_0_7_is_stricter():
    found = ap_of([([box(0, 0, 0.4)], [0.9], [box()])])
    assert found["BEV AP at 0.7"] == found["3D AP at 0.5"] == 1
    assert found["3D AP at 0.7"] == 0
    ahead = ap_of([([box(1.0)], [0.9], [box()])])
    assert (ahead["BEV AP at 0.5"], ahead["BEV AP at 0.7"]) == (1, 0)


def test_half_of_the_boxes_is_half_the_recall():
    assert ap_of([([box()], [0.9], [box(), box(10)])])["BEV AP at 0.5"] == 0.5


def test_a_surer_false_box_halves_precision():
    assert ap_of([([box(30), box()], [0.9, 0.8], [box()])])["BEV AP at 0.5"] == 0.5
    assert ap_of([([box(30), box()], [0.8, 0.9], [box()])])["BEV AP at 0.5"] == 1


def test_a_label_is_found_once():
    assert ap_of([([box(), box(0.1)], [0.9, 0.8], [box(), box(20)])])["BEV AP at 0.5"] == 0.5
    np.testing.assert_array_equal(matched(np.array([[0.8, 0.0], [0.9, 0.6], [0.9, 0.55]]), 0.5), [True, True, False])


def test_the_overlap_that_is_largest_is_taken():
    np.testing.assert_array_equal(matched(np.array([[0.6, 0.8], [0.7, 0.6]]), 0.5), [True, True])


def test_the_order_of_equal_scores_says_nothing():
    boxes = [box(30), box(), box(60), box(10)]
    aps = [
        ap_of([([boxes[i] for i in order], [0.5] * 4, [box(), box(10)])])["BEV AP at 0.5"]
        for order in ([0, 1, 2, 3], [1, 3, 0, 2], [2, 0, 3, 1])
    ]
    assert aps == [0.5] * 3


def test_nothing_found_nothing_labelled():
    assert ap_of([([], [], [box()])])["BEV AP at 0.5"] == 0
    assert np.isnan(ap_of([([box()], [0.5], [])])["3D AP at 0.7"])
    assert np.isnan(KittiAp().compute()["BEV AP at 0.5"])
    # A sample without labels still has false boxes.
    assert ap_of([([box(5)], [0.9], []), ([box()], [0.5], [box()])])["BEV AP at 0.5"] == 0.5


@pytest.mark.parametrize("seed", range(8))
def test_random_answers_as_their_twin(seed):
    rng = np.random.default_rng(seed)
    labels = int(rng.integers(1, 90))
    right = rng.random(200) < 0.3
    right[np.cumsum(right) > labels] = False
    scores = rng.integers(0, rng.choice([5, 1000]), 200) / 1000
    assert average_precision(scores, right, labels) == pytest.approx(average_twin(scores, right, labels))


def test_samples_in_another_order_score_the_same():
    rng = np.random.default_rng(9)
    samples = []
    for _ in range(6):
        truth = np.array([box(*rng.uniform(-30, 30, 2)) for _ in range(5)])
        found = truth + rng.normal(0, 0.4, truth.shape) * [1, 1, 1, 0, 0, 0, 0.1]
        samples.append((found, rng.random(5), truth))
    assert ap_of(samples) == ap_of(samples[::-1])
    assert 0 < ap_of(samples)["3D AP at 0.5"] < 1
