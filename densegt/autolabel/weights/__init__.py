"""Which fits to believe; `python -m benchmarks.fitting.autolabel_judge` makes them of simulated worlds."""

from pathlib import Path

STANDING, MOVING = (Path(__file__).parent / f"{name}.json" for name in ("standing", "moving"))
