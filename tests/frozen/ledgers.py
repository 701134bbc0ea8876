"""Make the frozen ledgers anew, each by the code of the commit that wrote such a one.

    python -m tests.frozen.ledgers

`ledger_signed.db` has both tables and hashes; `ledger_signals.db` was never settled, so it lacks
the table of outcomes; `ledger_bare.db` is of before rows carried a hash. `ledger_chained.db` is of
schema version 2, `ledger_paper.db` of version 3.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
#: The last commit whose ledgers have schema version 1, and the last one that wrote no hash.
SIGNED: Final = "c58ad88"
BARE: Final = "fefd407^"
#: The last commits of versions 2 and 3.
CHAINED: Final = "06bd557^"
PAPER: Final = "b7c587b"
LEDGERS: Final = {
    "ledger_signed.db": (SIGNED, "settled"),
    "ledger_signals.db": (SIGNED, "recorded"),
    "ledger_bare.db": (BARE, "settled"),
    "ledger_chained.db": (CHAINED, "settled"),
    "ledger_paper.db": (PAPER, "settled"),
}
#: What runs in the tree of a commit: a signal of a simulated home, and two of a live one, the
#: second a month late; the first has an outcome.
MAKE: Final = """
import copy, sqlite3, sys
from pathlib import Path
import pandas as pd
from home.records.signal import Signal
from serving.http.examples import SIGNAL_ANSWER
from trading.ledger.outcomes import outcome_of, record_outcomes
from trading.ledger.signals import Ledger
def signal(ticker, origin):
    document = copy.deepcopy(SIGNAL_ANSWER) | {"ticker": ticker}
    document["provenance"]["origin"] = origin
    return Signal.parse(document, "signal")
path, what = Path(sys.argv[1]), sys.argv[2]
spy = signal("SPY", "simulated")
given = {
    "2025-06-30 12:00": spy,
    "2024-01-16 21:32": signal("QQQ", "live"),
    "2024-02-16 12:00": signal("IWM", "live"),
}
with Ledger(path) as ledger:
    for at, one in given.items():
        ledger.record(one, pd.Timestamp(at, tz="UTC"))
if what == "settled":
    came = outcome_of(spy, "2024-01-23", 0.02, 20.0)
    record_outcomes(path, [came], pd.Timestamp("2024-01-23 21:30", tz="UTC"))
with sqlite3.connect(path) as database:
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
"""


def main() -> None:
    """Write every frozen ledger."""
    for name, (commit, what) in LEDGERS.items():
        with tempfile.TemporaryDirectory() as folder:
            tree, made = Path(folder) / "tree", Path(folder) / name
            git = ["git", "-C", str(HERE), "worktree"]
            subprocess.run([*git, "add", "--quiet", "--detach", str(tree), commit], check=True)
            try:
                subprocess.run(
                    [sys.executable, "-c", MAKE, made, what],
                    check=True, cwd=tree, env={"PYTHONPATH": str(tree)},
                )  # fmt: skip
            finally:
                subprocess.run([*git, "remove", "--force", str(tree)], check=True)
            (HERE / name).write_bytes(made.read_bytes())


if __name__ == "__main__":
    main()
