"""densegt: dense-depth ground truth from driving recordings, and what it is worth."""

__version__ = "0.1.0"
