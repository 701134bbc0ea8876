"""A chain of 15,000 quotes parsed, gated and turned into a surface, in seconds of one core.

`python -m benchmarks.chain_speed CHAINS [--rounds 5]` takes the 15,000 quotes of the nearest
expiries of SPX on 14 September 2023, of `SPX_2022-03-23_2023-09-14.parquet` in a folder (the shape
of `ingestion.sources.recorded.chain_files`). The surface is the smile of every root and expiry that
has one: forward by parity, volatilities, level. Processor seconds, the best of the rounds, after
the imports.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import pandas as pd

from ingestion.gate.expectations import gate
from ingestion.sources.recorded.chain_files import as_file, chain_file
from ingestion.tables.catalogue import OPTION_CHAINS
from market.errors import InputError
from market.options.chain import by_expiry
from market.options.chain_rows import chains_of
from market.options.expiries import expiry_time, years_left
from market.options.surface import QuotedSmile, quoted_smile

QUOTES: Final = 15_000
GOAL_SECONDS: Final = 0.5
RATE: Final = 0.0555
Made = TypeVar("Made")


def chain_of(folder: Path) -> pd.DataFrame:
    """Return the quotes of the newest moment, of the nearest expiries."""
    rows = parsed(folder / "SPX_2022-03-23_2023-09-14.parquet")
    newest = rows[rows["quote_time"] == rows["quote_time"].max()]
    near = newest.sort_values(["expiration", "root", "strike"], kind="stable")
    return near[:QUOTES].reset_index(drop=True)


def parsed(path: Path) -> pd.DataFrame:
    """Return the rows of a file in the table's exact shape."""
    return chain_file(path)[list(OPTION_CHAINS.names)].astype(OPTION_CHAINS.dtypes)


def surface(rows: pd.DataFrame) -> list[QuotedSmile]:
    """Return the smile of every root and expiry of a chain that has one."""
    found = []
    for chain in chains_of(rows):
        for quotes in by_expiry(chain):
            settled = expiry_time(quotes.root, pd.DatetimeIndex([quotes.expiration]))
            years = float(years_left(pd.DatetimeIndex([chain.quote_time]), settled)[0])
            try:
                found.append(quoted_smile(quotes, years, float(np.exp(-RATE * years))))
            except InputError:
                continue
    return found


def timed(seconds: dict[str, float], name: str, make: Callable[[], Made]) -> Made:
    """Return what a step makes; keep its processor seconds where they are the least so far."""
    started = time.process_time()
    made = make()
    seconds[name] = min(seconds.get(name, np.inf), time.process_time() - started)
    return made


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chains", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rows = chain_of(arguments.chains)
    gate(OPTION_CHAINS, rows[:100])
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "chain.parquet")
        path.write_bytes(as_file(rows))
        for _ in range(arguments.rounds):
            read = timed(seconds, "parsed", lambda: parsed(path))
            good, bad = timed(seconds, "gated", lambda read=read: gate(OPTION_CHAINS, read))
            smiles = timed(seconds, "a surface", lambda good=good: surface(good))
    strikes = sum(len(smile.strike) for smile in smiles)
    print(
        f"{len(rows):,} quotes, {len(bad):,} refused; {len(smiles)} expiries, {strikes:,} strikes"
    )
    for name, spent in seconds.items():
        print(f"  {name:10} {spent:.3f} s")
    print(f"  {'together':10} {sum(seconds.values()):.3f} s, goal {GOAL_SECONDS:.1f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
