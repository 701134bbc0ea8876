"""The earnings view: what was known of the reports of a basket.

Pure functions. All versions count, each from the time it was known: a moved date or a result that
came in changes no session before.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, cast

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from feature_repo.features.earnings.group import EARNINGS
from feature_repo.features.earnings.known import earnings_by_session
from home.manifest import Answer
from ingestion.tables.catalogue import EARNINGS_CALENDAR
from ingestion.views.aligned import Aligned, answered_by, later, taken, times, up_to
from ingestion.views.declare import Input, View
from ingestion.views.raw import Raw
from ingestion.views.report_versions import earnings_versions
from market.arrays import BoolArray, FloatArray
from market.baskets import basket_symbols, basket_weights
from market.calendar import DECISION_DELAY, calendar


def align_earnings(
    prices: Aligned,
    rows: pl.DataFrame,
    symbols: Sequence[str],
    weights: FloatArray,
    landed: pl.DataFrame,
    first_live: datetime | None,
) -> Aligned | None:
    """Return the sources of the earnings group, from the first session that knew of a report.

    Parameters
    ----------
    prices
        The ticker's prices, aligned: its sessions.
    rows
        All versions of the reports of the basket's companies.
    symbols
        The companies of the basket.
    weights
        Their weights in force, shape (n_sessions, n_symbols).
    landed
        Sessions, ascending, and when each first landed with a price (`landed_at`).
    first_live
        The home's first live landing, None where there was none.

    Returns
    -------
    Aligned or None
        None if no report was known by any session.
    """
    ordered = rows.sort("landed_at", *("symbol", "fiscal_year", "fiscal_quarter"))
    versions = earnings_versions(ordered, symbols, landed, first_live)
    cut_offs = prices.closes + DECISION_DELAY
    newest = _newest_known(cut_offs, pd.DatetimeIndex(versions.date_known))
    known = np.flatnonzero(newest >= 0)
    if not known.size:
        return None
    places = calendar().sessions.get_indexer(prices.sessions)
    arrays = earnings_by_session(cut_offs, places, versions, weights)
    since = slice(known[0], None)
    return Aligned(
        sessions=prices.sessions[since],
        closes=prices.closes[since],
        available=prices.closes[since],
        landed=later(prices.landed, taken(times(ordered["landed_at"]), newest))[since],
        arrays={name: values[since] for name, values in arrays.items()},
        last=prices.sessions[-1],
    )


def _newest_known(cut_offs: pd.DatetimeIndex, known: pd.DatetimeIndex) -> NDArray[np.intp]:
    """Return the row that landed last of those known at each cut-off, -1 if there is none."""
    order = np.argsort(known.asi8, kind="stable")
    at = known[order].searchsorted(cut_offs, side="right") - 1
    return np.append(np.maximum.accumulate(order), -1)[at]


def _align(raw: Raw) -> Aligned | None:
    """Return the sources as far as every member of the basket has answered.

    A session for which a member did not answer is pending; a member that the plan does not
    include is none then.
    """
    prices, symbols = raw.priced, basket_symbols(raw.key)
    answers = raw.answers_of(EARNINGS_CALENDAR)
    weights = basket_weights(raw.key, prices.sessions)
    silent = ~_answered(prices.sessions, symbols, answers)
    refused = [symbol in answers and answers[symbol].refused for symbol in symbols]
    weights[silent & refused] = 0.0
    rows = raw.versions(EARNINGS_CALENDAR)
    aligned = align_earnings(prices, rows, symbols, weights, raw.sessions, raw.first_live)
    if aligned is None:
        return None
    complete = cast("BoolArray", ~(silent & (weights > 0)).any(axis=1))
    return up_to(aligned, complete[-len(aligned.sessions) :])


def _answered(
    sessions: pd.DatetimeIndex, symbols: Sequence[str], answers: Mapping[str, Answer]
) -> BoolArray:
    """Return whether a company's reports are complete, shape (n_sessions, n_symbols)."""
    if not answers:
        return np.ones((len(sessions), len(symbols)), dtype=np.bool_)
    # One that was never asked for tells nothing, where others were.
    by_symbol = [answers.get(symbol, Answer(None)) for symbol in symbols]
    return np.stack([answered_by(answer, sessions) for answer in by_symbol], axis=1)


VIEW: Final = View(
    groups=(EARNINGS,),
    inputs=(Input(EARNINGS_CALENDAR, basket_symbols, EARNINGS.sources, carried=True),),
    align=_align,
    events=True,
)
