"""Every forecast of classes that can be trained: one row each, in a module of its own."""

from typing import Final

from training.tasks.declare import Task
from training.tasks.direction import DIRECTION
from training.tasks.regime import REGIME

TASKS: Final[dict[str, Task]] = {task.name: task for task in (DIRECTION, REGIME)}
