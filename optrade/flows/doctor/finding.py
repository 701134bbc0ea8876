"""What a check of `optrade doctor` found."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """The result of a check: what was looked at, how bad it is, what was found and what to do."""

    check: str
    level: Level
    found: str
