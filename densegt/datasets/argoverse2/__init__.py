"""All that knows the Argoverse 2 sensor data set."""

from densegt.datasets.argoverse2.reader import Argoverse2

__all__ = ["Argoverse2"]
