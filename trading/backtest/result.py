"""A backtest: every structure at every session, books by policy, and the judgement of cells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from forecasters.returns import ReturnDistribution
from market.options.chain import Chain
from market.underlyings import underlying
from trading.backtest.edges import Edges
from trading.backtest.history import History
from trading.backtest.policies import (
    EDGE,
    HOLD,
    MATRIX,
    RANDOM,
    Said,
    always,
    at_random,
    by_matrix,
    held_equity,
    of_matrix,
)
from trading.backtest.portfolio import (
    CAP,
    CAPITAL,
    NAMES,
    Book,
    Choices,
    every,
    offers_of,
    run_book,
)
from trading.backtest.positions import CROSSED
from trading.backtest.quoted import boards_of, overlaid, quoted_structures
from trading.backtest.run import FILL, Entered, Fill, every_structure
from trading.judgement.returns import Performance, performance
from trading.judgement.trades import Trades, joined
from trading.judgement.verdict import Judgement, judge

Pricing = Literal["chain", "synthetic"]
#: Books of random signals; what is shown is the one of the middle, and how far they reach.
DRAWS: Final = 20


@dataclass(frozen=True)
class Rules:
    """How positions are taken.

    Attributes
    ----------
    capital
        In USD, at the start.
    cap
        Share of the equity that all open positions together may lose.
    crossing
        How much of the half-spread is paid: 1 crosses it, 0 is at mid.
    """

    fill: Fill = FILL
    crossing: float = CROSSED
    capital: float = CAPITAL
    cap: float = CAP


@dataclass(frozen=True)
class Asked:
    """What a backtest has of an underlying: its history, forecasts of it, and closes adjusted.

    Attributes
    ----------
    chains
        Its own, by the session whose close they are of.
    """

    history: History
    said: Said
    adjusted: Float64[np.ndarray, " n_sessions"]
    distribution: Callable[[int], ReturnDistribution | None]
    chains: Mapping[pd.Timestamp, Chain] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """What one policy's book came to.

    Attributes
    ----------
    range
        Of random books, the total return that 5 % and 95 % of them stayed below; None of others.
    """

    name: str
    equity: Float64[np.ndarray, " n_sessions"]
    performance: Performance
    book: Book | None = None
    range: tuple[float, float] | None = None

    def since(self, place: int) -> "Policy":
        """Return the same from a session on, the first with forecasts."""
        equity = self.equity[place:] / self.equity[place] * self.equity[0]
        return replace(self, equity=equity, performance=performance(equity))


@dataclass(frozen=True)
class Backtest:
    """What came out.

    Attributes
    ----------
    days
        From the first session with forecasts to the last.
    entered
        Every structure of every underlying; places count in the sessions of the histories.
    policies
        The matrix first.
    trades
        Of every structure at every session with forecasts: what the cells are judged on.
    """

    days: pd.DatetimeIndex
    rules: Rules
    entered: Mapping[str, Mapping[str, Entered]]
    policies: tuple[Policy, ...]
    trades: Trades
    judgement: Judgement
    said: Mapping[str, Said] = field(default_factory=dict)
    histories: Mapping[str, History] = field(default_factory=dict)

    def words(self) -> list[str]:
        """Return the verdict in words: of the cells, then of the matrix's book beside others."""
        first, *others = self.judgement.words()
        verdict, _, tried = first.partition(": ")
        if survivors := self.judgement.survivors:
            mine = sum(structure in of_matrix(state) for _, state, structure in
                       (split_cell(one.name) for one in survivors))  # fmt: skip
            verdict += f", {mine or 'none'} of them the matrix's"
        else:
            verdict += ", nothing is shown to pay"
        came = {policy.name: policy.performance.total for policy in self.policies}
        books = f"the matrix's book came to {came[MATRIX]:+.0%}"
        reach = next(policy.range for policy in self.policies if policy.name == RANDOM)
        if reach is not None:
            books += f", its positions at random sessions to {reach[0]:+.0%} to {reach[1]:+.0%}"
        tried = tried.replace(" tried", " cells tried", 1)
        return [f"{verdict}: {books}, {HOLD} to {came[HOLD]:+.0%}; {tried}", *others]

    def prices(self) -> dict[Pricing, int]:
        """Return how many of the judged trades were entered on quotes, and how many on a smile."""
        counts: dict[Pricing, int] = {"chain": 0, "synthetic": 0}
        for ticker, structures in self.entered.items():
            for one in structures.values():
                judged = self.said[ticker].known[one.lives.start] & np.isfinite(one.ends.profit)
                counts["chain"] += int((judged & one.quoted).sum())
                counts["synthetic"] += int((judged & ~one.quoted).sum())
        return {kind: count for kind, count in counts.items() if count}


@dataclass(frozen=True)
class Part:
    """One underlying: every structure entered, what the matrix takes, and edges of that.

    Attributes
    ----------
    edges
        By place, those that are known already.
    """

    entered: Mapping[str, Entered]
    matrix: Choices
    edges: Mapping[int, float]


def part_of(asked: Asked, rules: Rules) -> Part:
    """Return what every structure of an underlying came to, and what the matrix takes."""
    entered = entered_of(asked, rules)
    matrix = by_matrix(asked.said)
    whole = range(len(asked.history.days))
    return Part(entered, matrix, edges_along(asked, ends_of(entered, matrix), whole))


def ends_of(entered: Mapping[str, Entered], matrix: Choices) -> dict[int, int]:
    """Return where the matrix's positions end, by the places where they can be taken."""
    offers, _ = offers_of(entered, matrix)
    return {place: offer.left for place, offer in offers.items()}


def edges_along(asked: Asked, ends: Mapping[int, int], places: range) -> dict[int, float]:
    """Return the edges of the matrix's positions that a book asks for; see `Edges.along`."""
    matrix = by_matrix(asked.said, places)
    return Edges(asked.history, matrix, asked.distribution).along(ends, places)


def entered_of(
    asked: Asked, rules: Rules, places: Int64[np.ndarray, " k"] | None = None
) -> dict[str, Entered]:
    """Return every structure entered at every session, on quotes where there are any.

    Parameters
    ----------
    places
        Of the sessions in the history, ascending, where not all are wanted.
    """
    history = asked.history
    places = np.arange(len(history.days)) if places is None else places
    entered = every_structure(history, places, rules.fill, rules.crossing)
    if asked.chains and rules.fill == "close":  # quotes are of a close
        boards = boards_of(underlying(history.ticker), history, asked.chains)
        real = quoted_structures(history, boards, rules.crossing)
        entered = {name: overlaid(one, real[name]) for name, one in entered.items()}
    return entered


def combine(asked: Mapping[str, Asked], parts: Mapping[str, Part], rules: Rules) -> Backtest:
    """Return what every policy, structure and cell came to.

    Parameters
    ----------
    asked, parts
        By underlying; all histories are of the same sessions.
    """
    days = next(iter(asked.values())).history.days
    said = {ticker: one.said for ticker, one in asked.items()}
    entered = {ticker: part.entered for ticker, part in parts.items()}
    matrix = {ticker: part.matrix for ticker, part in parts.items()}
    since = days[min(int(np.argmax(one.known)) for one in said.values() if one.known.any()) :]
    books = [
        _traded(MATRIX, days, entered, matrix, rules),
        _traded(EDGE, days, entered, matrix, rules, _with_edge(asked, parts)),
    ]
    for name in NAMES:
        chosen = {ticker: always(name, one.known) for ticker, one in said.items()}
        books.append(_traded(f"always {name}", days, entered, chosen, rules))
    books.append(_random(days, entered, matrix, said, rules))
    equity = held_equity(days, [one.adjusted for one in asked.values()], rules.capital)
    books.append(Policy(HOLD, equity, performance(equity)))
    trades = cell_trades(entered, said, days)
    policies = tuple(one.since(len(days) - len(since)) for one in books)
    histories = {ticker: one.history for ticker, one in asked.items()}
    return Backtest(since, rules, entered, policies, trades, judge(trades), said, histories)


def cell_name(ticker: str, state: str, structure: str) -> str:
    """Return the name of a cell; a state is direction and regime, "UP, HIGH"."""
    return f"{ticker}, {state}, {structure}"


def split_cell(name: str) -> tuple[str, str, str]:
    """Return ticker, state and structure of a name of `cell_name`."""
    ticker, direction, regime, structure = name.split(", ")
    return ticker, f"{direction}, {regime}", structure


def cell_trades(
    entered: Mapping[str, Mapping[str, Entered]], said: Mapping[str, Said], days: pd.DatetimeIndex
) -> Trades:
    """Return every structure's trades at sessions with forecasts, labelled by their cells."""
    parts = []
    dates = days.to_numpy("datetime64[D]")
    for ticker, structures in entered.items():
        cells = said[ticker].cells()
        for name, one in structures.items():
            of = cells[one.lives.start]
            rows = np.flatnonzero((of != "") & np.isfinite(one.ends.profit))
            part = Trades(
                entered=dates[one.lives.start[rows]],
                left=dates[one.lives.place[rows, one.ends.column[rows]]],
                profit=one.ends.profit[rows],
                risk=one.held.max_loss[rows],
                cell=np.array([cell_name(ticker, cell, name) for cell in of[rows]], dtype=np.str_),
                group=np.full(len(rows), f"{ticker}, {name}"),
                lower=one.ends.lower[rows],
                higher=one.ends.higher[rows],
            )
            parts.append(part)
    return joined(parts)


def _with_edge(asked: Mapping[str, Asked], parts: Mapping[str, Part]) -> Callable[[str, int], bool]:
    """Return whether a position's expected value is above 0 at the worst level of its band."""
    known = {ticker: dict(part.edges) for ticker, part in parts.items()}
    edges = {
        ticker: Edges(one.history, parts[ticker].matrix, one.distribution)
        for ticker, one in asked.items()
    }

    def wanted(ticker: str, place: int) -> bool:
        if place not in known[ticker]:  # the book took another way than the one that was gone
            known[ticker][place] = edges[ticker].at(place)
        return known[ticker][place] > 0.0

    return wanted


def _traded(
    name: str, days: pd.DatetimeIndex, entered: Mapping[str, Mapping[str, Entered]],
    choices: Mapping[str, Choices], rules: Rules,
    wanted: Callable[[str, int], bool] = every,
) -> Policy:  # fmt: skip
    book = run_book(days, entered, choices, rules.capital, rules.cap, wanted)
    return Policy(name, book.equity, performance(book.equity), book)


def _random(
    days: pd.DatetimeIndex, entered: Mapping[str, Mapping[str, Entered]],
    matrix: Mapping[str, Choices], said: Mapping[str, Said], rules: Rules,
) -> Policy:  # fmt: skip
    """Return the book of the middle of random ones, and how far they reach."""
    books = []
    for seed in range(DRAWS):
        turned = {
            ticker: at_random(chosen, said[ticker].known, seed) for ticker, chosen in matrix.items()
        }
        books.append(_traded(RANDOM, days, entered, turned, rules))
    totals = np.array([one.performance.total for one in books])
    middle = books[int(np.argsort(totals)[DRAWS // 2])]
    low, high = np.quantile(totals, [0.05, 0.95])
    return Policy(RANDOM, middle.equity, middle.performance, middle.book, (low, high))
