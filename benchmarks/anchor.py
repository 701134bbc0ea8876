"""What anchors a synthetic smile: the 30-day level of a chain of sessions before, moved or not.

`python -m benchmarks.anchor CHAINS --recorded RECORDED` reads what `benchmarks.chains` reads, and
prints what a synthetic smile errs by whose level is that of the chain 1 or 2 sessions before, as it
was and moved with the index since, and without one on the same dates.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.chains import FORMS, SETS, Day, days, series, smile_errors
from ingestion.sources.recorded.chain_files import chain_file
from market.calendar import DECISION_DELAY, last_complete_session, session_shift
from market.options.chain import Chain
from market.options.chain_rows import chains_of
from market.options.chain_terms import chain_terms

AGES = (1, 2)
FORM = FORMS["live"]
WORDS = ("as it was", "moved with the index", "none: that of the form")


class Errors(NamedTuple):
    """Of a session: the level's at the money of 30 days, the smiles' at twelve deltas; points."""

    words: str
    level: float
    smiles: np.ndarray


def session_of(chain: Chain) -> pd.Timestamp:
    """Return the last session that had closed by the time of a chain's quotes."""
    return last_complete_session(chain.quote_time + DECISION_DELAY)


def errors(
    levels: dict[pd.Timestamp, float], index: pd.Series, found: list[Day], age: int
) -> Iterator[Errors]:
    """Yield what each session's smiles err by, their level that of the chain sessions before."""
    by_session: dict[pd.Timestamp, list[Day]] = {}
    for day in found:
        by_session.setdefault(session_of(day.chain), []).append(day)
    for session, level in levels.items():
        before = session_shift(pd.DatetimeIndex([session]), -age)[0]
        if before not in levels or session not in by_session:
            continue
        old = levels[before]
        moved, none = old * index[session] / index[before], index[session] * np.exp(FORM.level)
        for words, anchor in zip(WORDS, (old, moved, none), strict=True):
            smiles = [smile_errors(day, FORM, anchor / 100) for day in by_session[session]]
            yield Errors(words, anchor - level, np.concatenate(smiles))


def report(chains: Path, name: str, recorded: Path) -> None:
    """Print what a set of chains says."""
    rates = series(recorded / "fred" / "DGS3MO.csv", "DGS3MO") / 100
    index = series(recorded / "cboe" / "VIX.csv", "Close", "Date")
    levels = {}
    for chain in chains_of(chain_file(chains / f"{name}.parquet")):
        session = session_of(chain)
        level = chain_terms(chain, float(rates[:session].iloc[-1])).smile.at_the_money
        if np.isfinite(level):
            levels[session] = level
    found = list(days(chains, name, recorded))
    print(f"\n{name}: {len(levels)} sessions with a level")
    for age in AGES:
        of_age = list(errors(levels, index, found, age))
        for words in WORDS:
            mine = [one for one in of_age if one.words == words]
            away = np.abs([one.level for one in mine]).mean()
            smiles = np.concatenate([one.smiles for one in mine])
            print(f"  {age} sessions before, {words}: {len(mine)} dates, 30 days at the money "
                  f"{away:.2f} points, at twelve deltas {np.abs(smiles).mean():.2f}, "
                  f"bias {smiles.mean():+.2f}")  # fmt: skip


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chains", type=Path)
    parser.add_argument("--recorded", type=Path, required=True)
    arguments = parser.parse_args()
    for name in SETS:
        report(arguments.chains, name, arguments.recorded)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
