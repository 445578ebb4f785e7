"""What is asked of the ground plane, against a twin, and back again through the decoder."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.detection.bev.bev_target import REGRESSED, centre_target, gaussian_radius, segmentation_target  # noqa: E402
from densegt.detection.bev.grid import BevGrid  # noqa: E402
from densegt.detection.bev.heads import Centres, decode  # noqa: E402

GRID = BevGrid(-16, 24, -10, 12, 1.0, -3, 5)


def boxes(seed, count=6, padding=2):
    """boxes, labels, attributes of one sample; no two centres in one cell."""
    rng = np.random.default_rng(seed)
    rows, columns = GRID.shape
    cell = rng.choice(rows * columns, count, replace=False)
    made = np.full((count + padding, 9), np.nan)
    made[:count, 0] = GRID.x_min_m + cell % columns + rng.uniform(0.05, 0.95, count)
    made[:count, 1] = GRID.y_min_m + cell // columns + rng.uniform(0.05, 0.95, count)
    made[:count, 2:9] = np.concatenate(
        [rng.uniform(-1, 1, (count, 1)), rng.uniform(0.5, 6, (count, 3)), rng.uniform(-3, 3, (count, 3))], 1
    )
    labels = np.full(count + padding, -1)
    labels[:count] = rng.integers(0, 3, count)
    attributes = np.where(labels >= 0, rng.integers(-1, 4, count + padding), -1)
    return torch.tensor(made).float()[None], torch.tensor(labels)[None], torch.tensor(attributes)[None]


def slow_segmentation(made, labels, classes):
    rows, columns = GRID.shape
    out = np.zeros((rows, columns), bool)
    for row, column in np.ndindex(rows, columns):
        x, y = GRID.x_min_m + column + 0.5, GRID.y_min_m + row + 0.5
        for box, label in zip(made[0].numpy(), labels[0].tolist(), strict=True):
            if label in classes:
                dx, dy = x - box[0], y - box[1]
                along = math.cos(box[6]) * dx + math.sin(box[6]) * dy
                across = math.cos(box[6]) * dy - math.sin(box[6]) * dx
                out[row, column] |= abs(along) <= box[3] / 2 and abs(across) <= box[4] / 2
    return out


@pytest.mark.parametrize("seed", range(4))
def test_segmentation(seed):
    made, labels, _ = boxes(seed)
    found = segmentation_target(made, labels, (0, 2), GRID)[0]
    np.testing.assert_array_equal(found, slow_segmentation(made, labels, (0, 2)))
    assert found.any()


@pytest.mark.parametrize("seed", range(4))
def test_a_network_that_says_the_target_finds_the_boxes(seed):
    made, labels, attributes = boxes(seed)
    target = centre_target(made, labels, attributes, GRID, classes=3, min_radius=1)
    rows, columns = GRID.shape
    values, kinds = torch.zeros(1, REGRESSED, rows * columns), torch.zeros(1, 5, rows * columns)
    for m in range(6):
        values[0, :, target.cell[0, m]] = target.values[0, m]
        kinds[0, attributes[0, m].clamp(min=0), target.cell[0, m]] = 1
    logits = torch.logit(target.heat.clamp(1e-6, 1 - 1e-6))
    centres = Centres(logits, values.view(1, -1, rows, columns), kinds.view(1, -1, rows, columns))
    found = decode(centres, GRID, most=20)
    sure = found.scores[0] > 0.99
    assert sure.sum() == 6
    for box, label, attribute in zip(made[0, :6], labels[0, :6], attributes[0, :6], strict=True):
        distance = (found.boxes[0, :, :2] - box[:2]).norm(dim=1) + 100.0 * (found.labels[0] != label)
        at = int(distance.argmin())
        torch.testing.assert_close(found.boxes[0, at], box, atol=1e-4, rtol=1e-4)
        assert found.attributes[0, at] == max(attribute, 0)


def test_outside_is_left_out_and_padding_says_nothing():
    made, labels, attributes = boxes(0)
    made[0, 0, 0] = 24.0  # the grid is open above
    target = centre_target(made, labels, attributes, GRID, classes=3)
    assert target.valid[0].tolist() == [False, *[True] * 5, False, False]
    assert target.values[0, [0, 6, 7]].isnan().all()
    assert (target.heat == 1).sum() == 5
    nobody = torch.full_like(labels, -1)
    empty = centre_target(torch.full_like(made, torch.nan), nobody, nobody, GRID, classes=3)
    assert not empty.heat.any()
    assert not segmentation_target(made, nobody, (0, 1, 2), GRID).any()


@pytest.mark.parametrize("size", [(4.0, 2.0), (11.0, 3.0), (1.0, 1.0)])
def test_radius_is_how_far_corners_may_be_off(size):
    radius = float(gaussian_radius(torch.tensor(size)))
    length, width = size
    shifted = (length - radius) * (width - radius)
    iou = [
        shifted / (2 * length * width - shifted),
        (length - 2 * radius) * (width - 2 * radius) / (length * width),
        length * width / ((length + 2 * radius) * (width + 2 * radius)),
    ]
    assert min(iou) == pytest.approx(0.1, abs=1e-5)


def test_heat_falls_off_from_the_middle():
    made = torch.tensor([[[0.5, 0.5, 0, 12, 5, 2, 0, 0, 0]]])
    heat = centre_target(made, torch.zeros(1, 1, dtype=int), -torch.ones(1, 1, dtype=int), GRID, classes=1).heat[0, 0]
    row, column = (int(i) for i in (heat == 1).nonzero()[0])
    assert (row, column) == (10, 16)
    assert 1 > heat[row, column + 1] > heat[row, column + 2] > 0
    torch.testing.assert_close(heat[row, column - 2], heat[row + 2, column])
