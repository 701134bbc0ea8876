"""Every forecast that can be trained and registered: one row each, in a module of its own."""

from typing import Final

from training.tasks.declare import Registered, Task
from training.tasks.direction import DIRECTION
from training.tasks.distribution import DISTRIBUTION
from training.tasks.regime import REGIME

#: Those of classes, which can be diagnosed and judged on a locked window.
TASKS: Final[dict[str, Task]] = {task.name: task for task in (DIRECTION, REGIME)}
REGISTERED: Final[dict[str, Registered]] = {**TASKS, DISTRIBUTION.name: DISTRIBUTION}
