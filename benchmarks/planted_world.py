"""A simulated home in which signals are recorded as if each session had been live, and spoiled."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import polars as pl

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
from ingestion.tables.catalogue import OPTION_CHAINS
from market.calendar import decision_time, sessions
from market.options.chain import Chain
from market.options.chain_rows import chains_of
from market.underlyings import underlying
from optrade.flows.paper.histories import histories_of
from optrade.flows.replay.row import row_of
from optrade.runtime import Runtime
from optrade.settings import Settings
from serving.answer.signals import Models, build_signal
from serving.answer.structure import Pricing
from serving.http.examples import SIGNAL_ANSWER
from serving.reading.artifact import load_artifact
from serving.reading.row import FeatureRow
from trading.backtest.history import History
from trading.reconcile.profits import later_than
from trading.structures.quote import Closing, synthetic_quote

TICKER: Final = "SPY"
#: What a correction or a late value lands after, beside its clock.
LATE: Final = timedelta(minutes=30)
#: How long the backtest's data goes on, so that every position has ended in it.
AFTER: Final = pd.Timedelta(days=60)
#: Of the feature that the planted direction models read.
READ: Final = "rsi_14"


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


def world_of(home: Path) -> World:
    """Return a home as it stands, with two models that turn each other around."""
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


def value_of(world: World, session: str) -> float:
    """Return what the planted models read of a session."""
    rows = current_rows(world.run.home.data, "technical", [TICKER])
    held = rows.filter(pl.col("session") == pd.Timestamp(session).date())
    return float(held[READ][0])


def put_late(world: World, view: str, key: str, session: str, **values: float | None) -> None:
    """Let a row say something else at the clock of its signal, and what it says now after it."""
    late = decision_time(pd.DatetimeIndex([session]))[0].to_pydatetime() + LATE
    of_session = pl.col("session") == pd.Timestamp(session).date()
    rows = read_rows(world.run.home.data, view, [key])
    mine = rows.filter(of_session)
    then = mine.with_columns(
        pl.lit(value, dtype=pl.Float64).alias(name) for name, value in values.items()
    )
    created = pl.lit(late).cast(rows.schema["created_timestamp"]).alias("created_timestamp")
    write_rows(
        world, view, key, pl.concat([rows.filter(~of_session), then, mine.with_columns(created)])
    )


def write_rows(world: World, view: str, key: str, rows: pl.DataFrame) -> None:
    """Write the rows of a view anew, with every version of each."""
    with Lake(world.run.home.data) as lake, lake.all_or_nothing():
        held = lake.manifest.tables[view]
        lake.open_view(view, held.key[0], str(held.definition_hash))
        ordered = rows.sort("session", "created_timestamp")
        lake.write_features(view, key, ordered, world.clock)
        lake.commit()


def landed_chain(world: World, session: str) -> dict[pd.Timestamp, Chain]:
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


def grown(world: World) -> History:
    """Return the history as it is known now, and the weeks after it: the backtest is of then."""
    first = world.day(0)
    now, _ = histories_of(world.run.home.data, [TICKER], first, world.clock)
    market = chosen(world.run.home.data, None, None)
    last = sessions(world.history.days[-1], world.history.days[-1] + AFTER)[-1]
    clock = decision_time(pd.DatetimeIndex([last]))[0]
    source = Simulated(seed=market.seed, signal_strength=market.signal_strength, as_of=clock)
    return later_than(now[TICKER], simulated_history(source, TICKER, last))
