"""Which program a table comes from, by its columns, and how its trades are read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import pandas as pd

from market.errors import InputError
from trading.exports import closed
from trading.exports.export import Export
from trading.exports.lumibot import lumibot

#: Labels of trades that are judged at most; each is a cell.
MOST_LABELS: Final = 2_000
#: The columns of a plain table; the last two need not be there.
PLAIN: Final = ("entry", "exit", "pnl", "risk", "label")


class Format(NamedTuple):
    """What a program exports: the columns that tell, and what reads them."""

    program: str
    columns: frozenset[str]
    read: Callable[[pd.DataFrame, tuple[str, ...]], Export]


FORMATS: Final = (
    Format(
        "freqtrade",
        frozenset({"open_date", "close_date", "profit_abs", "profit_ratio", "stake_amount",
                   "is_open"}),
        closed.freqtrade,
    ),
    Format(
        "lumibot",
        frozenset({"time", "side", "status", "price", "filled_quantity", "symbol", "trade_cost",
                   "asset.multiplier", "asset.asset_type"}),
        lumibot,
    ),
    Format(
        "optopsy",
        frozenset({"underlying_symbol", "expiration", "dte_entry", "total_entry_cost",
                   "total_exit_proceeds"}),
        closed.optopsy,
    ),
    Format(
        "QuantConnect",
        frozenset({"Entry Time", "Exit Time", "Symbols", "P&L", "Fees"}),
        closed.quantconnect,
    ),
    Format(
        "backtesting.py",
        frozenset({"EntryTime", "ExitTime", "PnL", "Size", "Tag"}),
        closed.backtesting_py,
    ),
    Format("plain", frozenset(PLAIN[:3]), closed.plain),
)  # fmt: skip
#: Frames of optopsy whose trades cannot be told: one leg has no side, a calendar two expiries.
UNTOLD: Final = (
    (frozenset({"dte_entry", "entry", "exit", "strike", "pct_change"}),
     "a single leg of optopsy, which does not say whether it was bought or sold"),
    (frozenset({"expiration_leg1", "expiration_leg2", "pct_change"}),
     "a calendar of optopsy, which does not say when it was left"),
)  # fmt: skip


def read_table(frame: pd.DataFrame, by: Sequence[str] = ()) -> Export:
    """Return the trades of a table of texts, by the program that its columns are of.

    Parameters
    ----------
    by
        Columns that label the trades, instead of the program's own.

    Raises
    ------
    InputError
        If the columns are of no program, or of several, or a row cannot be read.
    """
    frame = _named(frame)
    names = set(frame.columns)
    for columns, words in UNTOLD:
        if columns <= names:
            raise InputError(f"got {words}; write its trades as entry,exit,pnl")
    found = [one for one in FORMATS if one.columns <= names]
    if not found:
        raise InputError(
            f"columns: got {', '.join(map(str, frame.columns))[:200]}; allowed are those of "
            f"{_words()}"
        )
    if len(found) > 1:
        raise InputError(
            f"columns: got those of {' and of '.join(one.program for one in found)}, allowed are "
            "those of one"
        )
    return _read(found[0], frame, tuple(by))


def _read(format_: Format, frame: pd.DataFrame, by: tuple[str, ...]) -> Export:
    if missing := [name for name in by if name not in frame]:
        raise InputError(
            f"--by: got {missing[0]!r:.40}, allowed are {', '.join(frame.columns)[:200]}"
        )
    if frame.empty:
        raise InputError(f"got the columns of {format_.program} and no trade below them")
    export = format_.read(frame, by)
    if not len(export.trades):
        words = ", ".join(f"{count:,} {why}" for why, count in export.left_out.items())
        raise InputError(f"got no closed trade of {format_.program} ({words or 'no fill'})")
    if (count := len(set(export.trades.cell.tolist()))) > MOST_LABELS:
        raise InputError(
            f"got {count:,} labels, allowed are {MOST_LABELS:,}; choose a column with fewer by --by"
        )
    return export


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose names are without blanks around, each once, an unnamed index gone."""
    names = [str(name).strip() for name in frame.columns]
    if FORMATS[-1].columns <= {name.lower() for name in names}:  # written by hand
        names = [name.lower() if name.lower() in PLAIN else name for name in names]
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise InputError(f"columns: got {twice[0]!r:.40} twice, allowed is each once")
    named = frame.set_axis(names, axis=1)
    return named[[name for name in names if name]]


def _words() -> str:
    """Return the formats in words: what tells each."""
    return "; ".join(f"{one.program} ({', '.join(sorted(one.columns))})" for one in FORMATS)


def freqtrade_results(document: object) -> pd.DataFrame:
    """Return the trades of freqtrade's results as a table of texts, with their `strategy`.

    Raises
    ------
    InputError
        If the document holds no such results.
    """
    strategies = document.get("strategy") if isinstance(document, Mapping) else None
    if not isinstance(strategies, Mapping) or not strategies:
        raise InputError("got JSON, allowed is that of freqtrade's backtest results (`strategy`)")
    rows = []
    for name, found in strategies.items():
        trades = found.get("trades") if isinstance(found, Mapping) else None
        if not isinstance(trades, list) or not all(isinstance(one, Mapping) for one in trades):
            raise InputError(f"freqtrade's results: strategy {name!r:.40} has no list of trades")
        rows += [{**one, "strategy": name} for one in trades]
    kept = [*sorted(FORMATS[0].columns), "strategy", "enter_tag", "pair", "exit_reason"]
    texts = [["" if one.get(name) is None else str(one[name]) for name in kept] for one in rows]
    return pd.DataFrame(texts, columns=kept, dtype=str)
