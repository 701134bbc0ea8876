"""What is worth a look in a raw table."""

from dataclasses import asdict, dataclass

from home.strict_json import Json


@dataclass(frozen=True)
class Finding:
    """A rule that a table breaks as a whole.

    Attributes
    ----------
    table, key, column
        Where; `column` is None for a rule on whole rows. An earlier version wrote no `key` where a
        rule was on all keys of the landing together.
    rule
        What is expected, in words.
    count
        How many sessions are missing, values null, or rows otherwise than expected.
    detail
        Which ones, in words.
    action
        What to do about it, or why nothing need be done.
    """

    table: str
    key: str | None
    column: str | None
    rule: str
    count: int
    detail: str
    action: str

    def line(self) -> str:
        """Return the finding in one line of words."""
        where = " ".join(name for name in (self.table, self.key, self.column) if name)
        return f"{where}: expected is {self.rule}; got {self.detail} ({self.count}): {self.action}"

    def document(self) -> dict[str, Json]:
        """Return the finding as plain values."""
        return asdict(self)
