"""A backtest of a home: forecasts, trades, books and verdict, an underlying a process."""

import multiprocessing
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from home.files import write_durably
from home.manifest import current_rows, read_manifest
from home.origin import Origin
from home.records.backtest import BacktestCell, BacktestReport, CellRow, PolicyRow, RulesUsed
from market.calendar import DECISION_DELAY, last_complete_session, sessions
from market.errors import InputError
from market.options.chain import Chain
from market.options.chain_rows import chains_of
from optrade.flows.backtest.forecasts import forecast
from optrade.flows.train.jobs import landed_prices
from optrade.flows.train.window import Window
from optrade.periods import training_window
from trading.backtest.policies import by_matrix, of_matrix
from trading.backtest.positions import MID
from trading.backtest.result import (
    Asked,
    Backtest,
    Part,
    Policy,
    Rules,
    combine,
    edges_along,
    ends_of,
    entered_of,
    split_cell,
)
from trading.judgement.cells import Cell

if TYPE_CHECKING:
    from home.progress import Progress
    from optrade.runtime import Runtime

#: Underlyings that are walked at once.
WORKERS: Final = 2
#: Sessions whose edges are one task.
SPAN: Final = 700


def asked_of_home(
    run: "Runtime", tickers: list[str], window: Window, progress: "Progress"
) -> dict[str, Asked]:
    """Return histories and forecasts of underlyings, all of the same sessions.

    Raises
    ------
    InputError
        If the home lacks what a training reads, or the window holds no session.
    """
    spans = [landed_prices(run, ticker) for ticker in tickers]
    ends = [
        training_window(window.period, window.start, window.end, one.first, one.last)
        for one in spans
    ]
    days = sessions(min(start for start, _ in ends), max(end for _, end in ends))
    store = run.feature_store(online=False)
    found = {}
    for number, ticker in enumerate(tickers):
        progress(f"walking forward over {ticker}", number, len(tickers))
        one = forecast(run, store, ticker, window, days)
        chains = landed_chains(run, ticker)
        found[ticker] = Asked(one.history, one.said, one.adjusted, one.distribution, chains)
    progress("walked", len(tickers), len(tickers))
    return found


def landed_chains(run: "Runtime", ticker: str) -> dict[pd.Timestamp, Chain]:
    """Return the last chain of each session that has landed, whenever it did.

    What was quoted is a fact of the market; only what forecasts are made of has to be known by
    then.
    """
    if ("option_chains", ticker) not in read_manifest(run.home.data).entries:
        return {}
    rows = current_rows(run.home.data, "option_chains", [ticker]).to_pandas()
    return {
        last_complete_session(chain.quote_time + DECISION_DELAY): chain for chain in chains_of(rows)
    }


def run_backtest(asked: Mapping[str, Asked], rules: Rules) -> Backtest:
    """Return what every policy, structure and cell came to.

    Raises
    ------
    InputError
        If no session has forecasts.
    """
    if not any(one.said.known.any() for one in asked.values()):
        raise InputError("no session has forecasts of a model that had not seen it; take more")
    context = multiprocessing.get_context("forkserver" if _can_fork() else "spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        entering = {ticker: pool.submit(entered_of, one, rules) for ticker, one in asked.items()}
        entered = {ticker: one.result() for ticker, one in entering.items()}
        matrix = {ticker: by_matrix(one.said) for ticker, one in asked.items()}
        # Edges take the longest: in spans, so that no worker waits for another's underlying.
        edges = {}
        for ticker, one in asked.items():
            ends = ends_of(entered[ticker], matrix[ticker])
            edges[ticker] = [pool.submit(edges_along, one, ends, span) for span in _spans(one)]
        parts = {
            ticker: Part(entered[ticker], matrix[ticker], _joined(edges[ticker]))
            for ticker in asked
        }
    return combine(asked, parts, rules)


def _spans(asked: Asked) -> list[range]:
    count = len(asked.history.days)
    return [range(start, min(start + SPAN, count)) for start in range(0, count, SPAN)]


def _joined(edges: "list[Future[dict[int, float]]]") -> dict[int, float]:
    return {place: edge for one in edges for place, edge in one.result().items()}


def _can_fork() -> bool:
    return "forkserver" in multiprocessing.get_all_start_methods()


def write_page(run: "Runtime", backtest: Backtest) -> Path:
    """Write the tearsheet of a backtest into the home's reports, and return where it is."""
    from trading.report.tearsheet import tearsheet_html

    first, last = (day.strftime("%Y%m%d") for day in (backtest.days[0], backtest.days[-1]))
    rules = backtest.rules
    words = [
        *backtest.entered,
        first,
        last,
        rules.fill,
        *(["mid"] if rules.crossing == MID else []),
    ]
    path = run.home.backtests / f"{'_'.join(words)}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, tearsheet_html(backtest, run.home.origin()).encode())
    return path


def report_of(backtest: Backtest, origin: Origin, page: str | None) -> BacktestReport:
    """Return a backtest on data of an origin as it is printed."""
    rules = backtest.rules
    return BacktestReport(
        origin=origin,
        verdict=backtest.words(),
        tried=backtest.judgement.tried,
        first=_day(backtest.days[0]),
        last=_day(backtest.days[-1]),
        rules=RulesUsed(
            fill=rules.fill, crossing=rules.crossing, capital=rules.capital, cap=rules.cap
        ),
        forecasts={name: int(said.known.sum()) for name, said in backtest.said.items()},
        prices=backtest.prices(),
        policies=[_policy(one, backtest) for one in backtest.policies],
        cells=[_cell(one) for one in backtest.judgement.cells],
        page=page,
    )


def _cell(cell: Cell) -> BacktestCell:
    figures = {name: getattr(cell, name) for name in CellRow.model_fields}
    _, state, structure = split_cell(cell.name)
    return BacktestCell(**figures, matrix=structure in of_matrix(state))


def _policy(policy: Policy, backtest: Backtest) -> PolicyRow:
    shown = policy.performance
    returns = None if policy.book is None else policy.book.returns(backtest.entered)
    some = returns is not None and len(returns) > 0
    return PolicyRow(
        name=policy.name,
        total=shown.total,
        yearly=shown.yearly,
        deviation=shown.deviation,
        sharpe=shown.sharpe,
        sortino=shown.sortino,
        drawdown=shown.drawdown,
        longest=shown.longest,
        trades=None if returns is None else len(returns),
        won=float(np.mean(returns > 0.0)) if some and returns is not None else None,
        mean=float(np.mean(returns)) if some and returns is not None else None,
        range=None if policy.range is None else [*policy.range],
        skipped={} if policy.book is None else policy.book.skipped,
    )


def _day(moment: pd.Timestamp) -> str:
    return str(moment.date())
