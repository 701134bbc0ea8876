"""How long work tells how far it is."""

from collections.abc import Callable

# What is being done, how many of it are done, and how many there are.
Progress = Callable[[str, int, int], None]
