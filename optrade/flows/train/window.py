"""The window that a training is asked for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """The training window as asked for: a length, or explicit first and last sessions."""

    period: str = "5y"
    start: str | None = None
    end: str | None = None
