"""The same work on many items: here, in processes of its own, or on a Ray cluster.

`work(item, tell)` gives the item's result; `tell` takes anything small, to be seen where the run was started. An
executor's `run` yields each item with its result, or with `Failed` where there is none: one item's failure is never
another's.
"""

from densegt.execute.attempt import Failed, Tell, Work
from densegt.execute.executor import Executor, Heard, Here
from densegt.execute.local import Local
from densegt.execute.on_ray import Ray

__all__ = ["Executor", "Failed", "Heard", "Here", "Local", "Ray", "Tell", "Work"]
