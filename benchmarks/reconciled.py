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
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.survivors import LAST
from benchmarks.survivors import history as simulated_history
from feature_repo.features.definition_hash import definition_hash
from forecasters.document import Artifact
from home.layout import Home
from home.manifest import current_rows, read_rows
from home.records.signal import Signal
from home.strict_json import canonical, signed
from ingestion.lake.lake import Lake
from ingestion.lake.simulation import chosen
from ingestion.sources.simulated.source import Simulated
from ingestion.tables.catalogue import OPTION_CHAINS, PRICES
from market.calendar import decision_time
from market.iv_rank import REGIMES
from market.options.chain import Chain
from market.options.chain_rows import chains_of
from market.targets import DIRECTIONS
from market.underlyings import MARKET, underlying
from optrade.flows.paper.book import begin_book, close_trade, take_on
from optrade.flows.paper.histories import histories_of
from optrade.flows.paper.structures import settle_structures
from optrade.flows.reconcile.reconcile import reconcile
from optrade.flows.replay.row import row_of
from optrade.runtime import Runtime
from optrade.settings import Settings
from serving.answer.signals import Models, build_signal
from serving.answer.structure import Pricing
from serving.http.examples import SIGNAL_ANSWER
from serving.reading.artifact import load_artifact
from serving.reading.row import FeatureRow
from trading.backtest.history import History
from trading.backtest.policies import Said
from trading.backtest.result import Asked, Rules
from trading.ledger.read import each_signal
from trading.ledger.signals import Ledger
from trading.paper.walks import Held, walks
from trading.reconcile.ladder import Reconciliation
from trading.reconcile.profits import later_than
from trading.structures.quote import Closing, synthetic_quote

TICKER: Final = "SPY"
#: What a correction or a late value lands after, beside its clock.
LATE: Final = timedelta(minutes=30)
#: Sessions between signals whose positions must not meet, and between all others.
APART, NEAR = 40, 3
#: Of the feature that the planted direction models read.
READ: Final = "rsi_14"
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


@dataclass
class World:
    """A home while signals are recorded in it, as if each session had been live."""

    run: Runtime
    models: dict[str, Models]
    clock: pd.Timestamp
    history: History
    signals: dict[str, Signal] = field(default_factory=dict)
    rows: dict[str, FeatureRow] = field(default_factory=dict)

    def day(self, at: int) -> str:
        """Return a session by its place in the history."""
        return str(self.history.days[at].date())

    def live(self, session: str, models: str = "served", capital: float | None = None) -> Signal:
        """Return the signal of a session as it was given at its decision time."""
        as_of = decision_time(pd.DatetimeIndex([session]))[0]
        asked = Signal.parse(SIGNAL_ANSWER | {"ticker": TICKER, "session": session}, "signal")
        provenance = asked.provenance.model_copy(update={"as_of": as_of.isoformat()})
        asked, by = asked.model_copy(update={"provenance": provenance}), self.models[models]
        if session not in self.rows:  # both models read the same features
            self.rows[session] = row_of(self.run.home.data, asked, by)
        row = self.rows[session]
        return build_signal(row, by, as_of=as_of, origin="simulated", pricing=Pricing(capital))


def planted(home: Path) -> tuple[dict[str, str], dict[str, Reconciliation]]:
    """Plant every cause in a home; return the session of each, and what each run found."""
    world = _world(home)
    days = _sessions(world)
    for session in days.values():
        world.signals[session] = world.live(session)
    said = _said(world, days)  # of what live should have said
    _late_and_corrected(world, days)
    chains = _chain(world, days["price"])
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


def _world(home: Path) -> World:
    settings = Settings(OPTRADE_HOME=home)
    run = Runtime(settings, Home(home), pd.Timestamp.now(tz="UTC"))
    clock = run.as_of()
    found, _ = histories_of(run.home.data, [TICKER], "2018-01-02", clock)
    hashed = definition_hash()
    regime = load_artifact(run.home.models, "regime", TICKER, hashed)
    coin = load_artifact(run.home.models, "direction", TICKER, hashed)
    served = {
        word: Models(_direction(run.home, coin, version, slope), regime)
        for word, version, slope in (("served", 101, 0.4), ("other", 102, -0.4))
    }
    return World(run, served, clock, found[TICKER])


def _direction(home: Home, like: Artifact, version: int, slope: float) -> Artifact:
    """Register a direction model that follows one feature, or turns it around."""
    run_id = f"planted{version}"
    parameters = {
        "kind": "linear", "features": [READ], "mean": [50.0], "scale": [1.0],
        "coef": [[slope]], "intercept": [0.0],
    }  # fmt: skip
    changes = {
        "version": version, "run_id": run_id, "alias": "challenger", "model": "logistic",
        "features": [READ], "parameters": parameters, "threshold": 0.5,
        "calibration": {"slope": 1.0, "intercept": 0.0},
    }  # fmt: skip
    document = signed({**like.model_dump(mode="json"), **changes})
    path = home.mlruns / "artifacts" / run_id / "artifacts" / "serving.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(canonical(document))
    return Artifact.model_validate(document)


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
        if _fits(world, session, by_target=name.startswith("life")):
            found[name] = session
            name = next(names, "")
            at -= step
            step = APART if name.startswith("life") or name == "plain too" else NEAR
        else:
            at -= 1
    return found


def _fits(world: World, session: str, *, by_target: bool) -> bool:
    """Return whether both models take positions there that come to something else."""
    one, other = world.live(session).structure, world.live(session, "other").structure
    if one is None or other is None or one.strategy == other.strategy:
        return False
    if by_target:
        held = Held(session, one, one.natural.net, one.exit)
        return walks(world.history, [held])[0].reason == "target"
    return True


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
    _late(world, "macro", MARKET, days["later"], treasury_3m=None)
    wrong = 100.0 - _value(world, days["corrected"])
    _late(world, "technical", TICKER, days["corrected"], **{READ: wrong})


def _value(world: World, session: str) -> float:
    rows = current_rows(world.run.home.data, "technical", [TICKER])
    held = rows.filter(pl.col("session") == pd.Timestamp(session).date())
    return float(held[READ][0])


def _late(world: World, view: str, key: str, session: str, **values: float | None) -> None:
    """Let a row say something else at the clock of its signal, and what it says now after it."""
    late = decision_time(pd.DatetimeIndex([session]))[0].to_pydatetime() + LATE
    of_session = pl.col("session") == pd.Timestamp(session).date()
    rows = read_rows(world.run.home.data, view, [key])
    mine = rows.filter(of_session)
    then = mine.with_columns(
        pl.lit(value, dtype=pl.Float64).alias(name) for name, value in values.items()
    )
    created = pl.lit(late).cast(rows.schema["created_timestamp"]).alias("created_timestamp")
    _write(
        world, view, key, pl.concat([rows.filter(~of_session), then, mine.with_columns(created)])
    )


def _write(world: World, view: str, key: str, rows: pl.DataFrame) -> None:
    with Lake(world.run.home.data) as lake, lake.all_or_nothing():
        held = lake.manifest.tables[view]
        lake.open_view(view, held.key[0], str(held.definition_hash))
        ordered = rows.sort("session", "created_timestamp")
        lake.write_features(view, key, ordered, world.clock)
        lake.commit()


def _chain(world: World, session: str) -> dict[pd.Timestamp, Chain]:
    """Land a chain of a session, dearer than its index says; return it as a backtest takes it."""
    at = int(world.history.days.get_loc(session))
    columns = ("closed", "index", "long_index", "rate")
    spot, index, long_index, rate = (float(getattr(world.history, one)[at]) for one in columns)
    row, day = underlying(TICKER), pd.Timestamp(session)
    board, _ = synthetic_quote(row, day, Closing(spot, 1.2 * index, 1.2 * long_index, rate))
    moment = decision_time(pd.DatetimeIndex([session]))[0] - 2 * LATE
    quotes, count = board.quotes, len(board.quotes.strike)
    frame = pd.DataFrame(
        {
            "underlying": TICKER, "root": quotes.root, "quote_time": moment,
            "expiration": quotes.expiration, "strike": np.tile(quotes.strike, 2),
            "option_type": np.repeat(["call", "put"], count), "underlying_price": spot,
            "bid": np.concatenate([quotes.calls.bid, quotes.puts.bid]),
            "ask": np.concatenate([quotes.calls.ask, quotes.puts.ask]),
        }
    ).reindex(columns=list(OPTION_CHAINS.names))  # fmt: skip
    frame = frame.astype(OPTION_CHAINS.dtypes)
    with Lake(world.run.home.data) as lake:
        lake.land(OPTION_CHAINS, frame, "simulated", moment)
    return {day: next(chains_of(frame))}


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
        raise RuntimeError(f"the paper book follows nothing: {taken}")
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
    _write(world, "iv", TICKER, rows.with_columns(none))
    settle_structures(world.run, each_signal(world.run.home.ledger), world.clock)
    after = world.clock + LATE
    created = pl.lit(after.to_pydatetime()).cast(rows.schema["created_timestamp"])
    landed = rows.filter(missing).with_columns(created.alias("created_timestamp"))
    _write(world, "iv", TICKER, pl.concat([rows.with_columns(none), landed]))
    prices = current_rows(data, "prices", [TICKER]).drop("landed_at")
    of_end = prices.filter(pl.col("session") == pd.Timestamp(ends["life corrected"]).date())
    wrong = [pl.col(name) * 0.97 for name in ("open", "high", "low", "close")]
    frame = of_end.with_columns(wrong).to_pandas().astype(PRICES.dtypes)
    with Lake(data) as lake:
        lake.land(PRICES, frame, "simulated", after)


def _reconciled(
    world: World, said: Said, chains: Mapping[pd.Timestamp, Chain], days: Mapping[str, str]
) -> dict[str, Reconciliation]:
    grown = _grown(world)
    more = len(grown.days) - len(said.direction)
    columns = [
        np.concatenate([values, np.full(more, unknown, dtype=values.dtype)])
        for values, unknown in zip(
            vars(said).values(), (-1, np.nan, -1, np.nan, False), strict=True
        )
    ]
    asked = Asked(grown, Said(*columns), np.empty(0), lambda _: None)
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


def _grown(world: World) -> History:
    """Return the history as it is known now, and the weeks after it: the backtest is of then."""
    first = world.day(0)
    now, _ = histories_of(world.run.home.data, [TICKER], first, world.clock)
    market = chosen(world.run.home.data, None, None)
    clock = decision_time(pd.DatetimeIndex([LAST]))[0]
    source = Simulated(seed=market.seed, signal_strength=market.signal_strength, as_of=clock)
    return later_than(now[TICKER], simulated_history(source, TICKER))


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
