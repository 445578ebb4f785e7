"""The same work on many items: in this process, in worker processes, or on a Ray cluster.

`work(item, report)` gives the item's result; `report` sends any small message to where the run was started. An
executor's `run` yields each item with its result, or with `Failed`: one item's failure is never another's.
"""

from densegt.batch.executor.attempt import Failed, SendMessage, Work
from densegt.batch.executor.executor import Executor, OnMessage, Serial
from densegt.batch.executor.local import Local
from densegt.batch.executor.on_ray import Ray

__all__ = ["Executor", "Failed", "Local", "OnMessage", "Ray", "SendMessage", "Serial", "Work"]
