"""PointRCNN: points, and what they lie on, in two stages; no extension needs to be compiled."""

from densegt.detection.points.pointrcnn.config import PointRcnnConfig as PointRcnnConfig
from densegt.detection.points.pointrcnn.net import PointRcnn as PointRcnn
