"""Your own recording: a folder of plain files, see docs/formats/custom.md."""

from densegt.datasets.custom.reader import CustomRecording

__all__ = ["CustomRecording"]
