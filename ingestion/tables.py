"""The raw tables: columns, units, bounds and keys, declared once as data.

The gate before the lake, the sources' contract tests and the lake's file names are generated
from these rows. Adding a table is one row in `TABLES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import pandas as pd

from feature_repo.availability import SERIES
from feature_repo.errors import SchemaViolation

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
# Cboe's opening prints of 1992 to 2005 may lie outside their own day's range, by up to 24 % (45
# rows of VIX, all with the right close); beyond 30 % are misprints (VIX 2004-11-08, 2006-02-08).
INDEX_OPENING: Final = 0.30


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
    pairs
        Order rules between columns of a row.
    known
        When a row becomes known, in words.
    revision
        What happens to a row after it was first published, in words.
    tier
        "free" or "paid".
    """

    name: str
    key: tuple[str, ...]
    partition: str
    columns: tuple[Column, ...]
    known: str
    revision: str
    tier: str
    pairs: tuple[Pair, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def dated(self) -> str:
        """The key column that dates a row: its first date or timestamp."""
        times = {c.name for c in self.columns if c.dtype in ("date", "timestamp")}
        return next(name for name in self.key if name in times)

    @property
    def dtypes(self) -> dict[str, str]:
        """The pandas dtype of every column, in order."""
        return {column.name: PANDAS_DTYPES[column.dtype] for column in self.columns}

    def empty(self) -> pd.DataFrame:
        """Return a frame of no rows with the declared columns and dtypes."""
        return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in self.dtypes.items()})

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


def _price(name: str, *, nullable: bool = False) -> Column:
    return Column(name, "float", "USD", nullable, minimum=0.0, maximum=1e7, strict_minimum=True)


def _level(name: str, *, nullable: bool = True) -> Column:
    return Column(
        name, "float", "index points, annualised %", nullable,
        minimum=0.0, maximum=300.0, strict_minimum=True, strict_maximum=True,
    )  # fmt: skip


def _bar_order(opening: float) -> tuple[Pair, ...]:
    return (
        Pair("high", "low"),
        Pair("high", "close"),
        Pair("close", "low"),
        Pair("high", "open", opening),
        Pair("open", "low", opening),
    )


PRICES: Final = Table(
    name="prices",
    key=("ticker", "session"),
    partition="ticker",
    columns=(
        Column("ticker", "string", "underlying"),
        Column("session", "date", "XNYS session", session=True),
        _price("open"),
        _price("high"),
        _price("low"),
        _price("close"),
        Column("volume", "float", "shares traded", minimum=0.0, maximum=1e13),
        Column("dividend", "float", "USD per share, on the ex-date", minimum=0.0, maximum=1e5),
        Column(
            "split", "float", "new shares per old share, 1 = none",
            minimum=0.0, maximum=1e4, strict_minimum=True,
        ),
        Column(
            "adj_close", "float", "USD, the vendor's adjustment, only checked against",
            nullable=True, minimum=0.0, maximum=1e7, strict_minimum=True,
        ),
    ),
    pairs=_bar_order(ROUNDING),
    known="at the close of the session",
    revision="a corrected bar lands as a new row; as traded, so no later split changes one",
    tier="free",
)  # fmt: skip

INDICES: Final = Table(
    name="indices",
    key=("symbol", "session"),
    partition="symbol",
    columns=(
        Column("symbol", "string", "volatility index, without a caret"),
        Column("session", "date", "XNYS session", session=True),
        _level("open"),
        _level("high"),
        _level("low"),
        _level("close", nullable=False),
    ),
    pairs=_bar_order(INDEX_OPENING),
    known="15 minutes after the close of the session",
    revision="rarely corrected; a correction lands as a new row",
    tier="free",
)

MACRO_SERIES: Final = Table(
    name="macro_series",
    key=("series", "observation_date", "vintage_date"),
    partition="series",
    columns=(
        Column("series", "string", "FRED series", allowed=tuple(SERIES)),
        Column("observation_date", "date", "day, or first day of the month, observed"),
        Column("vintage_date", "date", "day of publication, null = not known", nullable=True),
        # Rates in %, the consumer price index (1982-84 = 100): one range broad enough for both.
        Column("value", "float", "% or index points", minimum=-25.0, maximum=1000.0),
    ),
    known="by vintage where there is one, else feature_repo.availability",
    revision="daily rates rarely; UNRATE and CPIAUCSL every year, each revision a vintage",
    tier="free",
)

TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {table.name: table for table in (PRICES, INDICES, MACRO_SERIES)}
)
