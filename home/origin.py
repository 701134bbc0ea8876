"""Where the data of a home comes from: a home holds one origin only."""

from typing import Final, Literal, get_args

Origin = Literal["live", "recorded", "simulated"]
ORIGINS: Final[tuple[Origin, ...]] = get_args(Origin)
