"""What one landing did to a table: reports of batches that add up to that of the table."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

from home.records.finding import Finding
from home.strict_json import Json

# Reasons that are told whole; the keys are always all named.
TOLD: Final = 3


def reasons(words: Iterable[str]) -> str | None:
    """Return why keys did not land: each reason once, the first few; None without one."""
    each = list(dict.fromkeys(words))
    more = f"; and {len(each) - TOLD} more reasons" if len(each) > TOLD else ""
    return "; ".join(each[:TOLD]) + more if each else None


@dataclass(frozen=True)
class TableReport:
    """What one landing did to a table.

    `stale` says why, for the keys that did not land and may land another time; `unavailable` says
    what has to be set up before the table can land at all. `rows_held_back` lie after the clock.
    `findings` are of what landed anew, and of how the source answered. `refused` says of each rule
    how many rows of the answer broke it, those that were in quarantine before included.
    """

    table: str
    keys: int
    rows_new: int = 0
    rows_corrected: int = 0
    rows_quarantined: int = 0
    rows_held_back: int = 0
    stale_keys: tuple[str, ...] = ()
    stale: str | None = None
    unavailable: str | None = None
    findings: tuple[Finding, ...] = ()
    refused: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "TableReport") -> "TableReport":
        """Return the report of two batches of one table."""
        return TableReport(
            table=self.table,
            keys=self.keys + other.keys,
            rows_new=self.rows_new + other.rows_new,
            rows_corrected=self.rows_corrected + other.rows_corrected,
            rows_quarantined=self.rows_quarantined + other.rows_quarantined,
            rows_held_back=self.rows_held_back + other.rows_held_back,
            stale_keys=self.stale_keys + other.stale_keys,
            stale=reasons(why for why in (self.stale, other.stale) if why is not None),
            unavailable=self.unavailable or other.unavailable,
            findings=self.findings + other.findings,
            refused=Counter(self.refused) + Counter(other.refused),
        )

    def refused_line(self) -> str | None:
        """Return how many rows went to quarantine and the rules they broke; None without one."""
        if not self.rows_quarantined:
            return None
        rules = sorted(self.refused.items(), key=lambda rule: -rule[1])
        words = ", ".join(f"{count} by `{rule}`" for rule, count in rules[:TOLD])
        more = f" and {len(rules) - TOLD} more rules" if len(rules) > TOLD else ""
        return (
            f"{self.table}: {self.rows_quarantined} rows went to quarantine, refused are "
            f"{words}{more}: nothing, unless you vouch for them (`optrade quarantine list`)"
        )

    def document(self) -> dict[str, Json]:
        """Return the report as plain values."""
        return {
            **asdict(self),
            "refused": dict(self.refused),
            "stale_keys": list(self.stale_keys),
            "findings": [finding.document() for finding in self.findings],
        }
