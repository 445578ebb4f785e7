"""The same work on many items: here, in processes of its own, or on a Ray cluster.

`work(item, tell)` gives the item's result; `tell` takes anything small, to be seen where the run was started. An
executor's `run` yields each item with its result, or with `Failed` where there is none: one item's failure is never
another's.
"""

from densegt.batch.executor.attempt import Failed, Tell, Work
from densegt.batch.executor.executor import Executor, Heard, Here
from densegt.batch.executor.local import Local
from densegt.batch.executor.on_ray import Ray

__all__ = ["Executor", "Failed", "Heard", "Here", "Local", "Ray", "Tell", "Work"]
