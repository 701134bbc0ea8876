"""The ranges of the numbers that may be set, one place for the option and the variable."""

from dataclasses import dataclass
from typing import Final, Literal

SHOWN: Final = 20  # characters of what was got
#: The largest number that a row of the ledger may have.
LARGEST: Final = 2**63 - 1
#: Variants that anyone may have tried.
MOST_TRIED: Final = 1_000_000_000


@dataclass(frozen=True)
class Limits:
    """From the least to the most that is allowed, both included, and what of."""

    least: int
    most: int
    unit: str
    kind: Literal["finite", "whole"]

    def check(self, value: object) -> float:
        """Return the number that a value is, or its text says.

        Raises
        ------
        ValueError
            If it is none of the range: no number, too small, too large, infinite.
        """
        number = self._number(value)
        if number is None or not self.least <= number <= self.most:
            raise ValueError(
                f"got {value!s:.{SHOWN}}, allowed is a {self.kind} number from {self.least:,} to "
                f"{self.most:,} ({self.unit})"
            )
        return number

    def _number(self, value: object) -> float | None:
        try:
            return int(str(value)) if self.kind == "whole" else float(str(value))
        except ValueError:
            return None


CAPITAL: Final = Limits(1, 10**12, "USD", "finite")
SHARE: Final = Limits(1, 100, "percent", "finite")
# A week: what takes longer to be published is of a session that is long past.
SETTLE: Final = Limits(0, 7 * 24 * 60, "minutes", "whole")
WORKERS: Final = Limits(1, 1024, "processes", "whole")
