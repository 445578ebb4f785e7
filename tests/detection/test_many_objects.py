"""However many objects there are, a detector that answers perfectly has all of them found."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from densegt.datasets.detection_classes import ATTRIBUTES, CLASSES, MAX_BOXES  # noqa: E402
from densegt.detection.bev.bev_target import centre_target  # noqa: E402
from densegt.detection.bev.grid import BevGrid  # noqa: E402
from densegt.detection.bev.heads import Centres, decode  # noqa: E402
from densegt.detection.points.pixor.config import PixorConfig  # noqa: E402
from densegt.detection.points.pixor.network import Pixor  # noqa: E402
from densegt.detection.points.pixor.target import NO_BOX, cell_target  # noqa: E402
from densegt.detection.points.pointrcnn.config import PointRcnnConfig  # noqa: E402
from densegt.detection.points.pointrcnn.net import PointRcnn, PointRcnnOutput  # noqa: E402
from densegt.detection.points.pointrcnn.proposals import Regions, point_bins, propose  # noqa: E402
from densegt.detection.points.pointrcnn.refine import region_bins  # noqa: E402
from densegt.detection.scoring.rotated_iou import bev_iou  # noqa: E402

from .points.pointrcnn.box_values import told  # noqa: E402

# Models are built and trained.
pytestmark = pytest.mark.slow

GRID = BevGrid(-50, 50, -50, 50, 0.5, -2, 4)
MANY = pytest.mark.parametrize("count", [5, 60, 300])


def cars(count):
    """(1,count,9) on a lattice, in all headings."""
    side = math.ceil(math.sqrt(count))
    places = (torch.arange(side) - (side - 1) / 2) * 5.5 + 0.2
    boxes = torch.zeros(1, count, 9)
    for axis, grid in enumerate(torch.meshgrid(places, places, indexing="ij")):
        boxes[0, :, axis] = grid.flatten()[:count]
    boxes[0, :, 2] = 0.8
    boxes[0, :, 3:6] = torch.tensor([4.4, 1.8, 1.6])
    boxes[0, :, 6] = torch.arange(count) * 0.7 % 6 - 3
    return boxes


def assert_all_found(found, boxes):
    """Each box has a sure one on it, and there are no more."""
    sure = found.scores[0] > 0.5
    overlaps = bev_iou(found.boxes[0][sure].numpy(), boxes[0].numpy())
    assert (overlaps.max(0) > 0.9).all()
    assert int(sure.sum()) == boxes.shape[1]


@MANY
def test_centre_head(count):
    boxes, labels = cars(count), torch.zeros(1, count, dtype=torch.int64)
    target = centre_target(boxes, labels, labels - 1, GRID, classes=len(CLASSES), min_radius=2)
    values = torch.zeros(1, 10, GRID.cells)
    values[0][:, target.cell[0]] = target.values[0].nan_to_num().T
    heat = torch.logit(target.heat.clamp(1e-4, 1 - 1e-4))
    nothing = torch.zeros(1, len(ATTRIBUTES), *GRID.shape)
    # What is beside a centre is likely too, but no peak.
    found = decode(Centres(heat, values.unflatten(-1, GRID.shape), nothing), GRID, most=MAX_BOXES)
    assert_all_found(found, boxes)


@MANY
@pytest.mark.parametrize("equal", [False, True], ids=["some cells surer", "all cells equally sure"])
def test_pixor(count, equal):
    """Every cell of a car names its box, and a car has more than a dozen."""
    boxes, labels = cars(count), torch.zeros(1, count, dtype=torch.int64)
    target = cell_target(boxes, labels, GRID, classes=len(CLASSES), inner=0.9, outer=1.1)
    there = target.box[0] != NO_BOX
    assert there.sum() > 12 * count
    heat, values = torch.full((1, len(CLASSES), *GRID.shape), -8.0), torch.zeros(1, 10, *GRID.shape)
    torch.manual_seed(0)
    heat[0, 0][there] = 4.0 if equal else 3 + torch.rand(int(there.sum()))
    values[0, :, there] = target.values.nan_to_num().T
    found = Pixor(PixorConfig(), GRID).found(Centres(heat, values, torch.zeros(1, len(ATTRIBUTES), *GRID.shape)))
    assert_all_found(found, boxes)


@MANY
def test_pointrcnn(count):
    """Points in the cars propose the cars; regions at the cars confirm them."""
    boxes, config = cars(count)[..., :7], PointRcnnConfig()
    xyz = boxes[..., :3].repeat_interleave(4, 1) + torch.tensor([0.3, -0.2, 0.1])
    from_points = boxes.repeat_interleave(4, 1).clone()
    from_points[..., :3] -= xyz
    values, there = told(point_bins(config), from_points[0])[None].float(), torch.ones(xyz.shape[:2], dtype=torch.bool)
    regions = propose(xyz, there, torch.full(xyz.shape[:2], 3.0), values, config, most=config.test_proposals)
    assert len(regions.boxes) == count
    assert (bev_iou(regions.boxes.numpy(), boxes[0].numpy()).max(0) > 0.9).all()
    own = torch.cat([torch.zeros(count, 3), boxes[0, :, 3:6], torch.zeros(count, 1)], 1)
    sure = torch.full((count, len(config.classes)), 4.0)
    exact = Regions(boxes[0], torch.zeros(count, dtype=torch.int64))
    output = PointRcnnOutput(xyz, there, values[..., 0], values, exact, sure, told(region_bins(config), own).float())
    assert_all_found(PointRcnn(config, GRID).eval().found(output), boxes)
