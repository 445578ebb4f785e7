"""Boxes that come late or are missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from densegt.errors import InputError
from densegt.simulate.config import SimulateConfig
from densegt.simulate.drive import Drive
from densegt.simulate.simple.drive import SimpleStreet
from densegt.simulate.writer.annotations import Sighting, annotate

CONFIG = SimulateConfig(scenes=1, seconds=4.0, seed=2)
KEYFRAMES = 8


@pytest.fixture(scope="module")
def drive() -> Drive:
    return SimpleStreet().drive(CONFIG, 0, np.random.default_rng(0))


def _boxes(drive: Drive, config: SimulateConfig) -> dict[str, list[int]]:
    """Keyframes with a box of each instance."""
    count = len(drive.things)
    seen = [Sighting(str(k), 0.5 * k, np.full(count, 9), np.ones(count)) for k in range(KEYFRAMES)]
    instances, annotations = annotate(drive, "scene-0001", config, seen)
    out: dict[str, list[int]] = {row["token"]: [] for row in instances}
    for row in annotations:
        out[row["instance_token"]].append(int(row["sample_token"]))
    return out


def test_boxes_are_complete_unless_asked_for(drive: Drive) -> None:
    boxes = _boxes(drive, CONFIG)
    assert len(boxes) > 10
    assert np.mean([len(b) == KEYFRAMES for b in boxes.values()]) > 0.8
    assert {"late_boxes", "missing_boxes"}.isdisjoint(CONFIG.described())


def test_a_share_of_tracks_begins_late_and_then_has_no_gap(drive: Drive) -> None:
    complete, late = _boxes(drive, CONFIG), _boxes(drive, replace(CONFIG, late_boxes=0.5))
    assert late.keys() == complete.keys()
    begins = np.array([complete[t].index(b[0]) for t, b in late.items()])
    assert 0.3 < (begins > 0).mean() < 0.7
    assert begins.max() <= KEYFRAMES // 2
    for t, b in late.items():
        assert b == complete[t][-len(b) :]


def test_a_share_of_boxes_is_missing_and_the_others_stay_as_they_are(drive: Drive) -> None:
    complete, thinned = _boxes(drive, CONFIG), _boxes(drive, replace(CONFIG, missing_boxes=0.3))
    assert all(set(b) <= set(complete[t]) for t, b in thinned.items())
    left = sum(map(len, thinned.values())) / sum(map(len, complete.values()))
    assert left == pytest.approx(0.7, abs=0.08)


def test_shares_are_shares() -> None:
    with pytest.raises(InputError, match="late-boxes"):
        SimulateConfig(late_boxes=1.5)
