"""What a raw table is: columns with their bounds, a key, and what is known about its values."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import pandas as pd

from market.calendar import NEW_YORK
from market.errors import SchemaViolation

# What a declared dtype is in a pandas frame. A count that may be unknown is a nullable "float":
# int64 has no null.
PANDAS_DTYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "string": "object",
        "date": "datetime64[ns]",  # midnight, without a zone
        "timestamp": "datetime64[ns, UTC]",
        "float": "float64",
        "int": "int64",
    }
)

# Vendors round prices to cents or to float32, after adjusting them for splits.
ROUNDING: Final = 1e-4


@dataclass(frozen=True)
class Column:
    """One column: what it holds, in which unit, and the values that are possible.

    Attributes
    ----------
    dtype
        A key of `PANDAS_DTYPES`.
    unit
        The unit or meaning of a value.
    nullable
        Whether null is a possible value; unknown is null, never a neutral value.
    minimum, maximum
        Inclusive bounds, None for no bound.
    strict_minimum, strict_maximum
        Whether the bound itself is excluded.
    allowed
        The only strings possible, None for any.
    session
        Whether every date must be an XNYS session.
    restated
        Whether a vendor states it anew for rows long known, so that a change of it alone is no
        correction and the first value stays.
    null_share
        The largest share of nulls in a landing that is not worth a finding; None for any.
    formerly
        The column whose value it has in rows that landed before it was declared; empty where every
        row has it.
    """

    name: str
    dtype: str
    unit: str
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    strict_minimum: bool = False
    strict_maximum: bool = False
    allowed: tuple[str, ...] | None = None
    session: bool = False
    restated: bool = False
    null_share: float | None = None
    formerly: str = ""


@dataclass(frozen=True)
class Splits:
    """Which columns adjust a price, and which one holds the vendor's own adjustment.

    A split divides the prices of its row and of all later ones, beside those of earlier rows. The
    opening is the first of the prices, the close the last.

    Attributes
    ----------
    ratio
        New shares per old share.
    prices
        What a split scales.
    dividend
        What is paid on a share, on the ex-date.
    adjusted
        The vendor's close adjusted for splits and dividends, which ours is checked against.
    """

    ratio: str
    prices: tuple[str, ...]
    dividend: str
    adjusted: str


@dataclass(frozen=True)
class Pair:
    """The rule greater >= lesser x (1 - tolerance), which a null on either side passes."""

    greater: str
    lesser: str
    tolerance: float = ROUNDING

    def holds(self, frame: pd.DataFrame) -> pd.Series:
        """Return whether the rule holds, as bool; shape (n_rows,), the frame's index."""
        greater, lesser = frame[self.greater], frame[self.lesser]
        return ~(greater < lesser * (1.0 - self.tolerance))


@dataclass(frozen=True)
class Table:
    """A raw table: its columns, key and rules, and what is known about its values.

    Attributes
    ----------
    key
        The columns that name a row; a null in a nullable key column equals another null.
    partition
        The key column whose values name the files.
    dated
        The column, a date or a timestamp, that dates a row.
    pairs
        Order rules between columns of a row.
    alone
        Columns that only one row has alike: others are the same event under another label. Empty
        for none.
    splits
        The columns that prices are adjusted by, None where there are none.
    known
        When a row becomes known, in words.
    revision
        What happens to a row after it was first published, in words.
    tier
        "free" or "paid".
    sessional
        Whether a row belongs to a session, so that one dated after the last complete session is
        held back. Headlines of a weekend and reports to come belong to none.
    """

    name: str
    key: tuple[str, ...]
    partition: str
    dated: str
    columns: tuple[Column, ...]
    known: str
    revision: str
    tier: str
    pairs: tuple[Pair, ...] = ()
    alone: tuple[str, ...] = ()
    splits: Splits | None = None
    sessional: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def values(self) -> tuple[str, ...]:
        """The columns whose change makes a correction."""
        return tuple(c.name for c in self.columns if c.name not in self.key and not c.restated)

    @property
    def dating(self) -> Column:
        """The column that dates a row."""
        return next(column for column in self.columns if column.name == self.dated)

    @property
    def by_session(self) -> bool:
        """Whether a row of a partition is one XNYS session, so that a missing one is a gap."""
        return self.dating.session and self.key == (self.partition, self.dated)

    @property
    def dtypes(self) -> dict[str, str]:
        """The pandas dtype of every column, in order."""
        return {column.name: PANDAS_DTYPES[column.dtype] for column in self.columns}

    def empty(self) -> pd.DataFrame:
        """Return a frame of no rows with the declared columns and dtypes."""
        return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in self.dtypes.items()})

    def days(self, frame: pd.DataFrame) -> pd.Series:
        """Return the day of each row in New York, midnight without a zone."""
        dated = frame[self.dated]
        if dated.dt.tz is None:
            return dated
        midnights: pd.Series = dated.dt.tz_convert(NEW_YORK).dt.tz_localize(None).dt.normalize()
        return midnights

    def check(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame unchanged if it has exactly the declared columns and dtypes.

        Raises
        ------
        SchemaViolation
            Naming the table, the column, what was got and what is declared.
        """
        if tuple(frame.columns) != self.names:
            raise SchemaViolation(
                f"table {self.name}: got columns {', '.join(map(str, frame.columns)) or 'none'}, "
                f"allowed are exactly {', '.join(self.names)}"
            )
        for name, dtype in self.dtypes.items():
            if str(frame[name].dtype) != dtype:
                raise SchemaViolation(
                    f"table {self.name}, column {name}: got dtype {frame[name].dtype}, "
                    f"allowed is {dtype}"
                )
        return frame
