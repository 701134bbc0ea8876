"""Whether `optrade reconcile` calls every cause by its name, on a home with one of each planted.

`python -m benchmarks.reconciled HOME` takes a simulated home with trained models of SPY, which it
spoils: give a copy. It records signals of past sessions, far enough apart that no position meets
another's plant, plants one cause in each, and reconciles: at the close, at the open, at mid, and
with the chain of the session. Found is a cause at the session it was planted in, alone; sessions
without one have to show none. It ends with code 1 if one is not found.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.planted_world import (
    LATE,
    READ,
    TICKER,
    World,
    grown,
    landed_chain,
    put_late,
    value_of,
    world_of,
    write_rows,
)
from home.manifest import current_rows, read_rows
from home.records.signal import Signal
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import PRICES
from market.calendar import decision_time
from market.iv_rank import REGIMES
from market.options.chain import Chain
from market.targets import DIRECTIONS
from market.underlyings import MARKET
from optrade.flows.paper.book import begin_book, close_trade, take_on
from optrade.flows.paper.structures import settle_structures
from optrade.flows.reconcile.reconcile import reconcile
from trading.backtest.policies import Said
from trading.backtest.result import Asked, Rules
from trading.ledger.read import each_signal
from trading.ledger.signals import Ledger
from trading.paper.walks import Held, walks
from trading.reconcile.ladder import Reconciliation

#: Sessions between signals whose positions must not meet, and between all others.
APART, NEAR = 40, 3
#: What forecasts of a session without any are, in the order of `Said`.
UNKNOWN: Final = (-1, np.nan, -1, np.nan, False)
BOOK: Final = 10_000_000.0


class Plant(NamedTuple):
    """What a run has to find at a session: these causes, and no other."""

    run: str
    name: str
    causes: frozenset[str]


#: What is planted, and by which run of `RUNS` it is found.
PLANTS: Final = tuple(
    Plant(run, name, frozenset(causes))
    for run, name, *causes in (
        ("close", "missed", "missed session"),
        ("close", "none", "not in the backtest"),
        ("close", "hand", "exit by hand", "another fill"),
        ("close", "later", "known later"),
        ("close", "life later", "known later"),
        ("close", "corrected", "data corrected since"),
        ("close", "life corrected", "data corrected since"),
        ("close", "otherwise", "calculated otherwise"),
        ("close", "capital", "capital or edge"),
        ("close", "model", "another model"),
        ("close", "price", "another price"),
        ("close", "gone", "cannot be made again"),
        ("open", "plain", "another fill"),
        ("mid", "plain too", "another cost"),
    )
)
CAUSES_PLANTED: Final = frozenset().union(*(one.causes for one in PLANTS))
#: Where nothing is to be found.
NOTHING: Final = (("close", "plain"), ("close", "plain too"), ("chain", "price"))


def planted(home: Path) -> tuple[dict[str, str], dict[str, Reconciliation]]:
    """Plant every cause in a home; return the session of each, and what each run found."""
    world = world_of(home)
    days = _sessions(world)
    for session in days.values():
        world.signals[session] = world.live(session)
    said = _said(world, days)  # of what live should have said
    _late_and_corrected(world, days)
    chains = landed_chain(world, days["price"])
    _record(world, days)
    _left_by_hand(world, days["hand"])
    _settled(world, days)
    return days, _reconciled(world, said, chains, days)


def missing(days: Mapping[str, str], found: Mapping[str, Reconciliation]) -> list[str]:
    """Return in words which plants were not found, and what was found that was not planted."""
    due = [*PLANTS, *(Plant(run, name, frozenset()) for run, name in NOTHING)]
    wrong = []
    for run, name, causes in due:
        (row,) = (one for one in found[run].ladders if one.session == days[name])
        told = {step.cause for step in row.steps}
        if told != causes:
            wrong.append(
                f"{name}, {row.session}, at the {run}: {', '.join(sorted(told)) or 'nothing'}, "
                f"planted was {', '.join(sorted(causes)) or 'nothing'}"
            )
    return wrong


def _sessions(world: World) -> dict[str, str]:
    """Return a session a plant, each with a position whose signal turns with its model."""
    at, found = len(world.history.days) - 5, {}
    names = iter((
        "hand", "price", "capital", "later", "corrected", "model", "otherwise", "gone", "missed",
        "none", "plain", "plain too", "life later", "life corrected",
    ))  # fmt: skip
    name, step = next(names), 45
    while name:
        session = world.day(at)
        end = "target" if name.startswith("life") else None if name == "hand" else "any"
        if _fits(world, session, end):
            found[name] = session
            name = next(names, "")
            at -= step
            step = APART if name.startswith("life") or name == "plain too" else NEAR
        else:
            at -= 1
    return found


def _fits(world: World, session: str, end: str | None) -> bool:
    """Return whether both models take positions there that come to something else.

    Parameters
    ----------
    end
        What ends the served one's: "any" is any, None none yet, so that it can be left by hand.
    """
    one, other = world.live(session).structure, world.live(session, "other").structure
    if one is None or other is None or one.strategy == other.strategy:
        return False
    if end == "any":
        return True
    held = Held(session, one, one.natural.net, one.exit)
    return walks(world.history, [held])[0].reason == end


def _said(world: World, days: Mapping[str, str]) -> Said:
    """Return forecasts that call what the signals call: no model differs but the planted one."""
    count = len(world.history.days)
    direction, regime = np.full(count, -1), np.full(count, -1)
    sure, rank = np.full(count, np.nan), np.full(count, np.nan)
    for name, session in days.items():
        if name == "none":
            continue  # known on both sides of it, and not there
        at, signal = int(world.history.days.get_loc(session)), world.signals[session]
        direction[at] = DIRECTIONS.index(signal.direction)
        regime[at] = REGIMES.index(signal.iv_regime)
        sure[at], rank[at] = signal.direction_confidence, signal.iv_confidence
    return Said(direction, sure, regime, rank, np.zeros(count, np.bool_))


def _late_and_corrected(world: World, days: Mapping[str, str]) -> None:
    """Let a session have no rate at its clock, and another a feature that was wrong there."""
    put_late(world, "macro", MARKET, days["later"], treasury_3m=None)
    wrong = 100.0 - value_of(world, days["corrected"])
    put_late(world, "technical", TICKER, days["corrected"], **{READ: wrong})


def _record(world: World, days: Mapping[str, str]) -> None:
    """Record the signals as live gave them: each planted one is another."""
    world.rows.clear()  # some are other rows by now
    for name in ("later", "corrected", "price"):
        world.signals[days[name]] = world.live(days[name])
    for name in ("model", "gone"):
        world.signals[days[name]] = world.live(days[name], "other")
    world.signals[days["capital"]] = world.live(days["capital"], capital=500.0)
    other = world.live(days["otherwise"], "other").structure
    changes: dict[str, dict[str, Any]] = {"otherwise": {"structure": other}}
    changes["gone"] = {"provenance": _gone(world.signals[days["gone"]])}
    for name, change in changes.items():
        world.signals[days[name]] = world.signals[days[name]].model_copy(update=change)
    with Ledger(world.run.home.ledger) as ledger:
        for name, session in sorted(days.items(), key=lambda one: one[1]):
            if name != "missed":
                signal = world.signals[session]
                ledger.record(signal, pd.Timestamp(signal.provenance.as_of))


def _gone(signal: Signal) -> object:
    models = signal.provenance.models
    direction = models.direction.model_copy(update={"artifact_sha256": "0" * 64})
    models = models.model_copy(update={"direction": direction})
    return signal.provenance.model_copy(update={"models": models})


def _left_by_hand(world: World, session: str) -> None:
    begin_book(world.run, BOOK, 0.06, decision_time(pd.DatetimeIndex([session]))[0])
    taken = take_on(world.run, world.clock)
    if taken is None or not taken.book.open:
        raise RuntimeError(f"the paper book holds nothing to leave: {taken and taken.told}")
    close_trade(world.run, 1, world.clock)


def _settled(world: World, days: Mapping[str, str]) -> None:
    """Settle positions while an index is missing, then land it; and correct a price after that."""
    data, ends = world.run.home.data, {}
    for name in ("life later", "life corrected"):
        structure = world.signals[days[name]].structure
        held = Held(days[name], structure, structure.natural.net, structure.exit)  # type: ignore[arg-type, union-attr]
        walk = walks(world.history, [held])[0]
        ends[name] = str(walk.days[walk.column])
    rows = read_rows(data, "iv", [TICKER])
    missing = pl.col("session") == pd.Timestamp(ends["life later"]).date()
    none = pl.when(missing).then(None).otherwise(pl.col("vix_close")).alias("vix_close")
    write_rows(world, "iv", TICKER, rows.with_columns(none))
    settle_structures(world.run, each_signal(world.run.home.ledger), world.clock)
    after = world.clock + LATE
    created = pl.lit(after.to_pydatetime()).cast(rows.schema["created_timestamp"])
    landed = rows.filter(missing).with_columns(created.alias("created_timestamp"))
    write_rows(world, "iv", TICKER, pl.concat([rows.with_columns(none), landed]))
    prices = current_rows(data, "prices", [TICKER]).drop("landed_at")
    of_end = prices.filter(pl.col("session") == pd.Timestamp(ends["life corrected"]).date())
    wrong = [pl.col(name) * 0.97 for name in ("open", "high", "low", "close")]
    frame = of_end.with_columns(wrong).to_pandas().astype(PRICES.dtypes)
    with Lake(data) as lake:
        lake.land(PRICES, frame, "simulated", after)


def _reconciled(
    world: World, said: Said, chains: Mapping[pd.Timestamp, Chain], days: Mapping[str, str]
) -> dict[str, Reconciliation]:
    history = grown(world)
    more = len(history.days) - len(said.direction)
    columns = [
        np.concatenate([values, np.full(more, unknown, dtype=values.dtype)])
        for values, unknown in zip(vars(said).values(), UNKNOWN, strict=True)
    ]
    asked = Asked(history, Said(*columns), np.empty(0), lambda _: None)
    quoted = replace(asked, chains=chains)
    runs: dict[str, tuple[Asked, Rules, str | None]] = {
        "close": (asked, Rules(fill="close"), None),
        "chain": (quoted, Rules(fill="close"), "price"),
        "open": (asked, Rules(fill="open"), "plain"),
        "mid": (asked, Rules(fill="close", crossing=0.0), "plain too"),
    }
    found = {}
    for name, (one, rules, only) in runs.items():
        session = None if only is None else days[only]
        found[name] = reconcile(world.run, {TICKER: one}, rules, session, session)
    return found


def main() -> None:
    """Print what was found of what was planted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path, help="A copy of a simulated home with models of SPY.")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    days, found = planted(given.home)
    wrong = missing(days, found)
    count = len(PLANTS) - len([line for line in wrong if not line.endswith("was nothing")])
    if given.json:
        print(json.dumps({"planted": len(PLANTS), "found": count, "wrong": wrong}, indent=2))
    else:
        for name, one in found.items():
            print(f"{name}: {one.words()}")
        print(*wrong, sep="\n")
        print(f"found {count} of {len(PLANTS)}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
