"""KITTI's own rule: known cases, and against a twin that is written out step by step."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("torch")

from densegt.detection.scoring.kitti_official_ap import ScoredOverlaps, official_average_precision, thresholds


def perfect(count, scores=None):
    return ScoredOverlaps(np.linspace(0.9, 0.5, count) if scores is None else scores, np.eye(count))


def twin(samples, min_overlap):
    """The rule in so many steps: thresholds of recall, then right and wrong boxes at each, then the area."""
    labels = sum(overlaps.shape[1] for _, overlaps in samples)
    right = []
    for scores, overlaps in samples:
        taken = set()
        for label in range(overlaps.shape[1]):
            best = None
            for box in range(len(scores)):
                if (
                    box not in taken
                    and overlaps[box, label] > min_overlap
                    and (best is None or scores[box] > scores[best])
                ):
                    best = box
            if best is not None:
                taken.add(best)
                right.append(scores[best])
    right.sort(reverse=True)
    chosen, recall = [], 0.0
    for i, score in enumerate(right):
        left = (i + 1) / labels
        next_ = (i + 2) / labels if i < len(right) - 1 else left
        if next_ - recall < recall - left and i < len(right) - 1:
            continue
        chosen.append(score)
        recall += 1 / 40
    precision = [0.0] * 41
    for place, threshold in enumerate(chosen):
        true = false = 0
        for scores, overlaps in samples:
            taken = set()
            for label in range(overlaps.shape[1]):
                possible = [
                    box for box in range(len(scores))
                    if box not in taken and scores[box] >= threshold and overlaps[box, label] > min_overlap
                ]  # fmt: skip
                if possible:
                    taken.add(max(possible, key=lambda box: overlaps[box, label]))
            true += len(taken)
            false += sum(score >= threshold for score in scores) - len(taken)
        precision[place] = true / (true + false)
    return sum(max(precision[place:]) for place in range(1, 41)) / 40


def test_perfect_boxes():
    assert official_average_precision([perfect(30), perfect(30)], 0.5) == 1
    # Fewer labels than thresholds: the rule's own limit.
    assert official_average_precision([perfect(20)], 0.5) == pytest.approx(19 / 40)
    assert official_average_precision([perfect(1)], 0.5) == 0


def test_thresholds_are_about_forty_whatever_the_labels():
    assert len(thresholds(np.linspace(1, 0.1, 500), 500)) in (40, 41)
    assert thresholds(np.array([0.9, 0.3]), 2) == [0.9, 0.3]
    assert thresholds(np.zeros(0), 3) == []


def test_overlap_must_be_more_than_the_threshold():
    at = ScoredOverlaps(np.linspace(0.9, 0.5, 60), np.eye(60) * 0.7)
    assert official_average_precision([at], 0.7) == 0
    assert official_average_precision([at], 0.69) == 1


@pytest.mark.parametrize("seed", range(8))
def test_as_the_twin_counts(seed):
    rng = np.random.default_rng(seed)
    samples = []
    for _ in range(rng.integers(1, 12)):
        boxes, labels = rng.integers(0, 15, 2)
        overlaps = rng.random((boxes, labels)) * (rng.random((boxes, labels)) < 0.4)
        samples.append(ScoredOverlaps(np.round(rng.random(boxes), 1 if seed % 2 else 6), overlaps))
    samples.append(ScoredOverlaps(rng.random(9), np.eye(9)))
    samples.append(ScoredOverlaps(np.zeros(0), np.zeros((0, 3))))
    assert official_average_precision(samples, 0.5) == pytest.approx(twin(samples, 0.5), abs=1e-12)


def test_nothing_labelled():
    assert math.isnan(official_average_precision([ScoredOverlaps(np.ones(2), np.zeros((2, 0)))], 0.5))
    assert math.isnan(official_average_precision([], 0.5))
