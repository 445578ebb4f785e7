"""The shape prior that ships; `python -m densegt.shapes.train --out densegt/shapes/weights/prior.npz` makes it."""

from pathlib import Path

PRIOR = Path(__file__).parent / "prior.npz"
