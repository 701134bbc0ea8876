"""Smiles and structures beside real chains: what ours err by.

`python -m benchmarks.chains CHAINS --recorded RECORDED` reads `SPX_2019.parquet` and
`SPX_2023.parquet` of a folder (the shape of `ingestion.sources.recorded.chain_files`), and indices
and rates of a folder of recorded data. Expiries of 14 to 28 days; a date counts once.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ingestion.sources.recorded.chain_files import chain_file
from market.calendar import DECISION_DELAY, close, last_complete_session, session_shift
from market.errors import InputError
from market.options.black import price_76
from market.options.chain import Chain, by_expiry
from market.options.chain_rows import chains_of
from market.options.costs import half_spread
from market.options.expiries import DAYS_OF_YEAR, expiry_time, years_left
from market.options.smile import Cubic, Smile
from market.options.surface import QuotedSmile, quoted_smile
from market.options.synthetic_smile import (
    INDEX_FORM,
    Form,
    Terms,
    synthetic_smile,
)
from trading.strategies.plans import EXPIRY_TARGET_DAYS
from trading.structures.board import Board, choose_legs
from trading.structures.legs import STRUCTURES
from trading.structures.payoff import Legs

SETS = ("SPX_2019", "SPX_2023")
WINDOW = (14, 28)
#: Fitted on 2019 alone, so that 2023 judges it.
FORMS = {
    "fitted on 2019": Form(-0.136, 1.254, Cubic(-0.220, 0.030, 0.007)),
    "live": INDEX_FORM,
    "flat, index less 2.5 points": None,
}
DELTAS = (0.45, 0.35, 0.30, 0.25, 0.15, 0.10)
SPX_SPREAD, SPX_TICK = 0.05, 0.05
#: Sessions since the chain that a level is taken from.
AGES = (1, 2, 5)


@dataclass(frozen=True)
class Day:
    """An expiry of a date's chain, and the indices of that day in points.

    The indices are of the close, the quotes of 2023 of the evening: what a form says is held
    against the deviation that was left at the close, `close_years` before settlement.
    """

    chain: Chain
    quoted: QuotedSmile
    close_years: float
    vendor: pd.DataFrame
    index: float
    long_index: float


def days(chains: Path, name: str, recorded: Path) -> Iterator[Day]:
    """Yield every expiry of 14 to 28 days."""
    rates = series(recorded / "fred" / "DGS3MO.csv", "DGS3MO") / 100
    vix, long = (
        series(recorded / "cboe" / f"{one}.csv", "Close", "Date") for one in ("VIX", "VIX3M")
    )
    rows = chain_file(chains / f"{name}.parquet")
    session = (
        rows["quote_time"].dt.tz_convert("America/New_York").dt.tz_localize(None).dt.normalize()
    )
    near = rows[(rows["expiration"] - session).dt.days.between(*WINDOW)]
    for chain in chains_of(near):
        # The last session that had closed by then.
        day = last_complete_session(chain.quote_time + DECISION_DELAY)
        rate = float(rates[:day].iloc[-1])
        for quotes in by_expiry(chain):
            at = pd.DatetimeIndex([quotes.expiration])
            settled = expiry_time(quotes.root, at)
            years, close_years = (
                float(years_left(moment, settled)[0])
                for moment in (pd.DatetimeIndex([chain.quote_time]), close(pd.DatetimeIndex([day])))
            )
            try:
                found = quoted_smile(quotes, years, float(np.exp(-rate * years)))
            except InputError:
                continue
            same = near[
                (near["quote_time"] == chain.quote_time)
                & (near["root"] == quotes.root)
                & (near["expiration"] == quotes.expiration)
            ]
            if day in vix.index and day in long.index:
                yield Day(chain, found, close_years, same, float(vix[day]), float(long[day]))


def series(path: Path, column: str, index: str = "observation_date") -> pd.Series:
    """Return a column of numbers by day, those without one left out."""
    frame = pd.read_csv(path, index_col=index, parse_dates=True)
    return pd.to_numeric(frame[column], errors="coerce").dropna()


def vendor_differences(day: Day) -> np.ndarray:
    """Return our volatility less the vendor's, out of the money, in points."""
    forward = day.quoted.smile.forward
    vendor = day.vendor.dropna(subset="implied_volatility")
    put = vendor["option_type"] == "put"
    out = vendor[np.where(put, vendor["strike"] < forward, vendor["strike"] >= forward)]
    ours = pd.Series(day.quoted.volatility, index=day.quoted.strike)
    theirs = out.set_index("strike")["implied_volatility"]
    both = ours.index.intersection(theirs.index)
    return 100 * (ours[both] - theirs[both]).to_numpy()


def smile_errors(day: Day, form: Form | None, anchor: float | None = None) -> np.ndarray:
    """Return the synthetic less the quoted volatility at twelve deltas, in points."""
    strike, volatility = day.quoted.strike, day.quoted.volatility
    real = day.quoted.smile
    root = np.sqrt(real.years)
    delta = ndtr(np.log(real.forward / strike) / (volatility * root) + volatility * root / 2)
    errors = []
    for sign in (1, -1):
        out = strike >= real.forward if sign > 0 else strike < real.forward
        away = delta if sign > 0 else 1 - delta
        for target in DELTAS:
            at = int(np.argmin(np.where(out, np.abs(away - target), 9.0)))
            modelled = (
                day.index - 2.5
                if form is None
                else 100 * synthetic(day, form, anchor).volatility(strike[at : at + 1])[0]
            )
            errors.append(modelled - 100 * volatility[at] * np.sqrt(real.years / day.close_years))
    return np.array(errors)


def synthetic(day: Day, form: Form, anchor: float | None = None) -> Smile:
    """Return the synthetic smile of an expiry, on the forward of its chain."""
    real = day.quoted.smile
    terms = Terms(real.forward, real.discount, day.close_years)
    return synthetic_smile(form, day.index, day.long_index, terms, anchor)


def anchor_of(day: Day, form: Form) -> float:
    """Return the 30-day volatility at the money that puts a form through the chain's level."""
    free = synthetic(day, form, 1.0)
    real = day.quoted.smile
    return real.at_the_money * np.sqrt(real.years / day.close_years) / free.at_the_money


def aged_errors(found: list[Day], form: Form, age: int) -> list[float]:
    """Return each expiry's mean absolute error, its level that of the chain of sessions before.

    That level is of the expiry nearest to 21 days, and moves with the index since.
    """
    by_session: dict[pd.Timestamp, list[Day]] = {}
    for day in found:
        by_session.setdefault(
            last_complete_session(day.chain.quote_time + DECISION_DELAY), []
        ).append(day)
    errors = []
    for session, those in by_session.items():
        before = by_session.get(session_shift(pd.DatetimeIndex([session]), -age)[0])
        if before is None:
            continue
        old = min(before, key=lambda day: abs(day.close_years * DAYS_OF_YEAR - EXPIRY_TARGET_DAYS))
        ratio = anchor_of(old, form) / old.index
        errors += [np.abs(smile_errors(day, form, ratio * day.index)).mean() for day in those]
    return errors


def boards(day: Day) -> Board:
    """Return the board of an expiry's own quotes."""
    return Board(day.quoted.quotes, day.quoted.smile, day.quoted.smile.forward, "chain")


def structures(day: Day) -> Iterator[tuple[str, Legs, float, float]]:
    """Yield each strategy that the chain allows: legs, net mid and half-spreads in USD a share."""
    board = boards(day)
    for name, plan in STRUCTURES.items():
        try:
            legs = choose_legs(board, plan)
        except InputError:
            continue
        at = np.searchsorted(board.quotes.strike, legs.strike)
        sides = [board.side(sign) for sign in legs.sign]
        mids = np.array([side.mid[n] for side, n in zip(sides, at, strict=True)])
        halves = np.array([side.half_spread[n] for side, n in zip(sides, at, strict=True)])
        yield name, legs, mids, halves


def net_errors(day: Day, form: Form, anchor: float | None = None) -> Iterator[tuple[str, float]]:
    """Yield each spread's synthetic less its quoted net, as a share of its width."""
    smile = synthetic(day, form, anchor)
    for name, legs, mids, _ in structures(day):
        if len(legs.strike) < 2:
            continue
        volatility = smile.volatility(legs.strike)
        model = price_76(
            smile.forward, legs.strike, smile.years, volatility, legs.sign, smile.discount
        )
        width = max(np.ptp(legs.strike[legs.sign == s]) for s in (1, -1) if s in legs.sign)
        yield name, float((model - mids) @ legs.side / width)


def report(name: str, found: list[Day]) -> None:
    """Print what a set of chains says."""
    dates = len({day.chain.quote_time for day in found})
    print(f"\n{name}: {len(found)} expiries of {WINDOW[0]} to {WINDOW[1]} days on {dates} dates")
    away = np.abs(np.concatenate([vendor_differences(day) for day in found]))
    print(f"  our volatility against the vendor's, points: median {np.median(away):.3f}, "
          f"p95 {np.percentile(away, 95):.3f} of {len(away)}")  # fmt: skip
    held = np.array([(day.quoted.parity.inside, day.quoted.parity.strikes) for day in found])
    inside = (held[:, 0] * held[:, 1]).sum() / held[:, 1].sum()
    print(f"  parity within the spreads: {inside:.2%} of {held[:, 1].sum():.0f} strikes")
    print(f"  butterflies that could be bought for less than nothing: "
          f"{sum(day.quoted.arbitrage for day in found)}")  # fmt: skip
    for words, form in FORMS.items():
        errors = np.array([smile_errors(day, form) for day in found])
        size = np.abs(errors).mean()
        line = f"  {words}: mean absolute error {size:.2f} points, bias {errors.mean():+.2f}"
        if form is not None:
            fixed = np.array([smile_errors(day, form, anchor_of(day, form)) for day in found])
            line += f"; anchored at the money {np.abs(fixed).mean():.2f}"
        print(line)
    for age in AGES:
        aged = aged_errors(found, FORMS["fitted on 2019"], age)
        print(f"  its level of {age} sessions before: mean absolute error {np.mean(aged):.2f} "
              f"points of {len(aged)} expiries")  # fmt: skip
    _report_nets(found)


def _report_nets(found: list[Day]) -> None:
    form = FORMS["fitted on 2019"]
    rows = [(name, error, False) for day in found for name, error in net_errors(day, form)]
    rows += [
        (name, error, True)
        for day in found
        for name, error in net_errors(day, form, anchor_of(day, form))
    ]
    table = pd.DataFrame(rows, columns=["strategy", "error", "anchored"])
    table["error"] = 100 * table["error"].abs()
    shown = table.groupby(["anchored", "strategy"])["error"].describe(percentiles=[0.5, 0.9])
    print("  net of spreads, % of width: all, median "
          f"{table[~table['anchored']]['error'].median():.2f}")  # fmt: skip
    print(shown[["count", "50%", "90%"]].round(2).to_string())
    shares = []
    for day in found:
        for _, _, mids, halves in structures(day):
            shares.append(half_spread(mids, SPX_SPREAD, SPX_TICK).sum() / halves.sum())
    ratio = np.array(shares)
    close = np.mean((ratio > 0.5) & (ratio < 2))
    print(f"  cost model over the quoted spreads: median {np.median(ratio):.2f}, within a factor "
          f"of 2 on {close:.1%} of {len(ratio)}")  # fmt: skip


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chains", type=Path)
    parser.add_argument("--recorded", type=Path, required=True)
    arguments = parser.parse_args()
    for name in SETS:
        report(name, list(days(arguments.chains, name, arguments.recorded)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
