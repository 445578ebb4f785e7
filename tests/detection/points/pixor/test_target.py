"""What cells are asked, against a twin, and back again through the decoder; boxes in one place are one box."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.detection.bev.grid import BevGrid  # noqa: E402
from densegt.detection.bev.heads import Centres, DecodedBoxes, decode_cells  # noqa: E402
from densegt.detection.points.pixor.suppress import suppress  # noqa: E402
from densegt.detection.points.pixor.target import NO_BOX, cell_target  # noqa: E402
from densegt.detection.scoring.rotated_iou import bev_iou  # noqa: E402

GRID = BevGrid(-16, 24, -10, 12, 1.0, -3, 5)
CLASSES, INNER, OUTER = 3, 0.7, 1.2


def scattered(seed, count=6, padding=2, size_m=(0.4, 7)):
    rng = np.random.default_rng(seed)
    made = np.full((count + padding, 9), np.nan)
    made[:count, 0], made[:count, 1] = rng.uniform(-15, 23, count), rng.uniform(-9, 11, count)
    made[:count, 2:9] = np.concatenate(
        [rng.uniform(-1, 1, (count, 1)), rng.uniform(*size_m, (count, 3)), rng.uniform(-3, 3, (count, 3))], 1
    )
    labels = np.full(count + padding, -1)
    labels[:count] = rng.integers(0, CLASSES, count)
    return torch.tensor(made).float()[None], torch.tensor(labels)[None]


def slow_target(boxes, labels):
    """Cell after cell, box after box."""
    rows, columns = GRID.shape
    box, asked = np.full((rows, columns), NO_BOX), np.ones((CLASSES, rows, columns), bool)
    for row, column in np.ndindex(rows, columns):
        x, y = GRID.x_min_m + column + 0.5, GRID.y_min_m + row + 0.5
        best = math.inf
        for k, (b, label) in enumerate(zip(boxes[0].double().tolist(), labels[0].tolist(), strict=True)):
            if label < 0:
                continue
            dx, dy, c, s = x - b[0], y - b[1], math.cos(b[6]), math.sin(b[6])
            out = max(abs(c * dx + s * dy) / b[3], abs(c * dy - s * dx) / b[4]) * 2
            holds = -0.5 <= dx < 0.5 and -0.5 <= dy < 0.5
            if (holds or out <= INNER) and (0 if holds else out) < best:
                best, box[row, column] = (0 if holds else out), k
            if out <= OUTER:
                asked[label, row, column] = False
        if box[row, column] != NO_BOX:
            asked[labels[0, box[row, column]], row, column] = True
    return box, asked


def target(boxes, labels):
    return cell_target(boxes, labels, GRID, classes=CLASSES, inner=INNER, outer=OUTER)


@pytest.mark.parametrize("seed", range(6))
def test_cells_against_the_twin(seed):
    boxes, labels = scattered(seed)
    found = target(boxes, labels)
    box, asked = slow_target(boxes, labels)
    np.testing.assert_array_equal(found.box[0], box)
    np.testing.assert_array_equal(found.asked[0], asked)
    assert len(found.values) == (box != NO_BOX).sum() > 0


def test_every_box_has_a_cell_however_small():
    boxes, labels = scattered(0, size_m=(0.01, 0.02))
    cells = target(boxes, labels).box
    assert set(cells[cells != NO_BOX].tolist()) == set(range(6))


def test_a_sample_without_boxes():
    found = target(torch.full((2, 1, 9), torch.nan), torch.full((2, 1), -1))
    assert (found.box == NO_BOX).all()
    assert found.asked.all()
    assert found.values.shape == (0, 10)


def said(boxes, labels):
    """Maps that say the target."""
    found = target(boxes, labels)
    b, row, column = (found.box != NO_BOX).nonzero().unbind(-1)
    heat, values = torch.full((1, CLASSES, *GRID.shape), -9.0), torch.zeros(1, 10, *GRID.shape)
    heat[b, labels[b, found.box[b, row, column]], row, column] = 3.0
    values[b, :, row, column] = found.values
    return Centres(heat, values, torch.zeros(1, 4, *GRID.shape))


@pytest.mark.parametrize("seed", range(4))
def test_a_network_that_says_the_target_finds_each_box_once(seed):
    boxes, labels = scattered(seed, size_m=(1, 4))
    maps = said(boxes, labels)
    found = suppress(decode_cells(maps, GRID, maps.heat.sigmoid(), most=400), 0.1, most=400)
    sure = found.boxes[0][found.scores[0] > 0.5].numpy(), found.labels[0][found.scores[0] > 0.5]
    truth = boxes[0, :6].numpy()
    overlap = bev_iou(truth, sure[0]) * (labels[0, :6, None] == sure[1]).numpy()
    for mine, other in enumerate(overlap):
        alone = (bev_iou(truth[mine : mine + 1], truth)[0] > 0.1).sum() == 1
        if alone:
            assert (other > 0.99).sum() == 1
            assert ((other > 0.1) & (other < 0.99)).sum() == 0


def test_suppression_keeps_classes_and_samples_apart():
    box = torch.tensor([0.0, 0, 0, 4, 2, 1, 0, 0, 0])
    boxes = torch.stack([box, box, box, box + torch.tensor([50.0, *[0] * 8])]).expand(2, -1, -1)
    labels = torch.tensor([[0, 0, 1, 0]]).expand(2, -1)
    scores = torch.tensor([[0.2, 0.9, 0.5, 0.1], [0.8, 0.3, 0.2, 0.1]])
    found = suppress(DecodedBoxes(boxes, labels, scores, labels), 0.1, most=4)
    torch.testing.assert_close(found.scores, torch.tensor([[0.9, 0.5, 0.1, 0], [0.8, 0.2, 0.1, 0]]))
    assert found.labels.tolist() == [[0, 1, 0, 0]] * 2
    assert found.boxes[0, 2, 0] == 50
