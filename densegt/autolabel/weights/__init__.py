"""Which fits to believe; `python -m benchmarks.fitting.autolabel_judge` makes them of simulated worlds."""

from pathlib import Path

JUDGES = STANDING, MOVING, STANDING_PICTURED, MOVING_PICTURED, PEOPLE = tuple(
    Path(__file__).parent / f"{name}.json"
    for name in ("standing", "moving", "standing_pictured", "moving_pictured", "people")
)
