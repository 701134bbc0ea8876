"""How long it takes to settle many open positions: read from the ledger, walked, written.

python -m benchmarks.settlement
"""

import argparse
import tempfile
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

from home.garbage import uncollected
from tests.trading.paper.books import AT, HISTORY, after, signal
from trading.ledger.outcomes import record_structure_outcomes
from trading.ledger.read import each_signal
from trading.ledger.signals import row_of
from trading.ledger.tables import KEY, SIGNALS
from trading.ledger.writer import writing
from trading.paper.came_to import structure_outcomes
from trading.structures.legs import STRUCTURES

COUNT: Final = 10_000
#: Seconds that settling that many may take.
ALLOWED: Final = 5.0
TICKERS: Final = ("SPY", "QQQ", "IWM")
SESSIONS: Final = 50


def fill(path: Path, count: int) -> None:
    """Record signals with a position each, in one transaction."""
    made = [
        signal(strategy, AT + at, ticker)
        for at in range(SESSIONS)
        for ticker in TICKERS
        for strategy in STRUCTURES
    ]
    rows = []
    for number in range(count):
        one = made[number % len(made)]
        models = one.provenance.models
        served = models.direction.model_copy(update={"version": number + 1})
        models = models.model_copy(update={"direction": served})
        provenance = one.provenance.model_copy(update={"models": models})
        one = one.model_copy(update={"provenance": provenance})
        rows.append(row_of(one, after(AT), backfilled=False))
    with writing(path, begin=True) as ledger, ledger.transaction() as written:
        written.append_new(SIGNALS, rows, KEY)


def main() -> None:
    """Print how long each part took, and fail beyond what is allowed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as folder, uncollected():
        path = Path(folder) / "ledger.db"
        fill(path, count)
        started, times = perf_counter(), [process_time()]
        signals = [row.signal for row in each_signal(path)]
        times.append(process_time())
        found, _ = structure_outcomes(signals, dict.fromkeys(TICKERS, HISTORY))
        times.append(process_time())
        assert record_structure_outcomes(path, found, after(AT + SESSIONS)) == count
        times.append(process_time())
    read, walked, wrote = (end - start for start, end in pairwise(times))
    whole, passed = times[-1] - times[0], perf_counter() - started
    print(
        f"{count:,} positions settled in {whole:.1f} s (read {read:.1f}, walked {walked:.1f}, "
        f"written {wrote:.1f}) of a processor, {passed:.1f} s on the clock; allowed "
        f"{ALLOWED:.0f} s for {COUNT:,}"
    )
    assert whole <= ALLOWED * max(count / COUNT, 0.1)


if __name__ == "__main__":
    main()
