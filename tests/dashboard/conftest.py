"""Homes for the dashboard: an empty one, and one filled by the platform's own writers."""

import hashlib
import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from home.records.signal import Signal
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import MACRO_SERIES, MENTIONS, PRICES
from market.calendar import close, session_shift, sessions
from market.iv_rank import band, expected_iv_direction
from tests.dashboard.worth import fill_book, settle, write_backtest
from tests.once import made_once
from tests.trading.structures.boards import board, life, outlook
from trading.ledger.outcomes import outcome_of, record_outcomes
from trading.ledger.signals import Ledger
from trading.strategies.selector import NO_TRADE, Forecasts, select
from trading.structures.price import price_structure
from training.registry.tracking_database import come_home

TICKERS = ("IWM", "QQQ", "SPY")
LAST = "2025-06-30"
NULL_FEATURE = "rsi_14"
MakeSignal = Callable[..., Signal]


def evidence(proven: bool, baseline: str, improvement: float) -> dict:
    return {
        "proven": proven,
        "standing": "proven" if proven else "unproven",
        "metric": "log_loss",
        "baseline": baseline,
        "improvement": improvement,
        "interval": [improvement - 0.02, improvement + 0.02],
        "verdict": "proven: better" if proven else "unproven: no better",
    }


def served(task: str, ticker: str, service: str) -> dict:
    return {
        "name": f"{task}_{ticker}",
        "model": {"direction": "logistic", "regime": "paths"}[task],
        "version": 1,
        "alias": "challenger",
        "note": None,
        "run_id": "a1b2",
        "artifact_sha256": hashlib.sha256(f"{task}{ticker}".encode()).hexdigest(),
        "feature_service": service,
    }


@cache
def position(ticker: str, strategy: str) -> dict | None:
    """Return a priced position; of IWM none is, and that of QQQ has no chances."""
    if why_none(ticker, strategy) is not None:
        return None
    seen, notes = (outlook(), []) if ticker == "SPY" else (None, ["its chances are unknown"])
    return price_structure(strategy, board(), life(), seen, notes).document()


def why_none(ticker: str, strategy: str) -> str | None:
    if strategy == NO_TRADE.name:
        return "the strategy takes no position"
    return "IWM: its index RVX is nan, so no structure is priced" if ticker == "IWM" else None


def make_signal(
    ticker: str = "SPY",
    session: str = LAST,
    up: float = 0.61,
    regimes: tuple[float, float, float] = (0.7, 0.2, 0.1),
    iv_rank: float = 18.0,
    proven: bool = False,
    origin: str = "simulated",
) -> Signal:
    """Return a signal as served, its trade chosen by the selector itself."""
    chances = dict(zip(("LOW", "NORMAL", "HIGH"), regimes, strict=True))
    regime = max(chances, key=chances.__getitem__)
    direction = "UP" if up > 0.5 else "DOWN"
    confidence = up if direction == "UP" else 1.0 - up
    chosen = select(Forecasts(direction, confidence, regime, chances[regime]), proven=proven)
    as_of = close(pd.DatetimeIndex([session]))[0] + pd.Timedelta(minutes=30)
    document = {
        "ticker": ticker,
        "session": session,
        "strategy": chosen.strategy,
        "direction": direction,
        "iv_regime": regime,
        "direction_confidence": confidence,
        "iv_confidence": chances[regime],
        "overall_confidence": chosen.overall_confidence,
        "position_size": chosen.position_size,
        "reasoning": chosen.reasoning,
        "trade_parameters": dict(chosen.trade_parameters),
        "prediction": {
            "direction": direction,
            "probability": up,
            "confidence": max(up, 1.0 - up),
            "threshold_used": 0.5,
        },
        "iv_context": {
            "iv_rank": iv_rank,
            "iv_regime": band(iv_rank).lower(),
            "iv_hv_spread": 2.25,
        },
        "volatility": {
            "predicted_regime": regime,
            "regime_probabilities": chances,
            "expected_iv_direction": expected_iv_direction(regime, iv_rank),
            "confidence": chances[regime],
            "iv_rank_forecast": None,
        },
        "alternatives": [
            {"strategy": choice.strategy, "why_not": choice.why_not}
            for choice in chosen.alternatives
        ],
        "structure": position(ticker, chosen.strategy),
        "structure_note": why_none(ticker, chosen.strategy),
        "evidence": {
            "proven": proven,
            "direction": evidence(proven, "class_prior", 0.031 if proven else -0.0123),
            "regime": evidence(proven, "transition_table", 0.012 if proven else -0.0045),
        },
        "provenance": {
            "as_of": as_of.isoformat(),
            "origin": origin,
            "definition_hash": "d" * 64,
            "models": {
                "direction": served("direction", ticker, "direction"),
                "regime": served("regime", ticker, "volatility"),
            },
            "age_in_sessions": {"technical": 0, "iv": 0, "iv_lags": 0, "macro": 1},
            "carried": ["CPIAUCSL 2025-10"],
        },
    }
    return Signal.parse(document, "signal")


def fill_ledger(path: Path, count: int, last: str = LAST, seed: int = 0) -> None:
    """Record signals of `count` sessions and settle all but the last five, with a weak signal."""
    days = sessions("2015-01-02", last)[-count:]
    random = np.random.default_rng(seed)
    settled, ended = [], []
    with Ledger(path) as ledger:
        for place, day in enumerate(days):
            for ticker in TICKERS:
                up = float(random.beta(9, 7))
                signal = make_signal(
                    ticker, str(day.date()), up,
                    tuple(random.dirichlet((4, 2, 1))), float(random.uniform(0, 100)),
                )  # fmt: skip
                ledger.record(signal, pd.Timestamp(signal.provenance.as_of))
                if place < count - 5:
                    end = str(session_shift(pd.DatetimeIndex([day]), 5)[0].date())
                    moved = 0.02 * random.normal() + 0.05 * (up - 0.5)
                    settled.append(outcome_of(signal, end, moved, float(random.uniform(0, 100))))
                    ended.append(signal)
    if settled:
        record_outcomes(path, settled, close(days[-1:])[0])
        settle(path, ended, close(days[-1:])[0])


def fill_lake(
    data: Path,
    count: int = 40,
    origin: str = "simulated",
    last: str = LAST,
    features: bool = True,
) -> None:
    """Land prices, a monthly series, counts with their times, refused rows, a view with a null."""
    days = sessions("2015-01-02", last)[-count:]
    at = close(days[-1:])[0]
    steps = np.linspace(100.0, 110.0, count)
    with Lake(data) as lake:
        for ticker in TICKERS:
            frame = pd.DataFrame(
                {
                    "ticker": ticker, "session": days, "open": steps, "high": steps + 1,
                    "low": steps - 1, "close": steps, "volume": 1e6, "dividend": 0.0,
                    "split": 1.0, "adj_close": steps,
                }
            )[list(PRICES.names)]  # fmt: skip
            refused = frame.head(1).assign(close=-1.0, reason="close > 0")
            lake.land(PRICES, frame, origin, at, refused if ticker == "QQQ" else None)
        monthly = pd.DataFrame(
            {
                "series": "UNRATE",
                "observation_date": pd.DatetimeIndex(["2025-04-01", "2025-05-01"]),
                "vintage_date": pd.NaT,
                "value": [4.2, 4.3],
            }
        )
        lake.land(MACRO_SERIES, monthly, origin, at)
        counted = {"ticker": "SPY", "filter": "wallstreetbets", "recorded_at": at}
        told = pd.DataFrame([counted | dict.fromkeys(MENTIONS.names[3:], 1.0)])
        lake.land(MENTIONS, told.astype(MENTIONS.dtypes), origin, at)
        if not features:
            return
        lake.open_view("technical", "ticker", "e" * 64)
        for ticker in TICKERS:
            lake.write_features("technical", ticker, feature_rows(ticker, days), at)
        lake.commit()


def feature_rows(ticker: str, days: pd.DatetimeIndex) -> pl.DataFrame:
    times = pl.Series(close(days).to_pydatetime().tolist()).cast(pl.Datetime("us", "UTC"))
    values = np.linspace(0.0, 1.0, len(days))
    return pl.DataFrame(
        {
            "ticker": ticker,
            "session": pl.Series(days.date.tolist(), dtype=pl.Date),
            "event_timestamp": times,
            "created_timestamp": times,
            "hv_20": values,
            NULL_FEATURE: [*values[:-1], None],
        }
    )


def fill_models(home: Path) -> None:
    """Train and register two small direction models and one regime model, as `optrade` does."""
    from training.registry.register import register
    from training.settings import Settings
    from training.tasks.direction import DIRECTION
    from training.tasks.regime import REGIME
    from training.walk import walk

    frame, prices, regime_frame = market()
    direction = walk(DIRECTION, frame, prices, Settings("SPY", resamples=50))
    regime = walk(REGIME, regime_frame, None, Settings("SPY", resamples=50))
    for hour, trained in enumerate((direction, direction, regime)):
        register(
            trained,
            mlruns_dir=home / "mlruns",
            models_dir=home / "models",
            reports_dir=home / "reports" / "models",
            definition_hash="e" * 64,
            trained_at=pd.Timestamp("2025-06-30 21:00", tz="UTC") + pd.Timedelta(hours=hour),
        )


def market(count: int = 700) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return features that show the forward return, the prices, and a persistent rank."""
    days = sessions("2015-01-02", LAST)[-count:]
    random = np.random.default_rng(1)
    levels = 100.0 * np.exp(np.cumsum(0.0004 + 0.011 * random.standard_normal(count)))
    prices = pd.DataFrame(
        {
            "session": days, "open": levels, "high": levels * 1.01, "low": levels * 0.99,
            "close": levels, "volume": 1e6, "dividend": 0.0, "split": 1.0,
        }
    )  # fmt: skip
    ahead = np.append(levels[5:] / levels[:-5] - 1.0, np.zeros(5))
    noise = random.standard_normal((count, 4))
    noise[:, 0] += ahead / 0.01
    frame = pd.DataFrame({f"f{at}": noise[:, at] for at in range(4)})
    frame = frame.assign(ticker="SPY", session=days)
    drift = np.zeros(count)
    for at in range(1, count):
        drift[at] = 0.93 * drift[at - 1] + random.standard_normal()
    rank = 100.0 / (1.0 + np.exp(-drift / 1.5))
    other = random.standard_normal(count)
    regime = pd.DataFrame({"ticker": "SPY", "session": days, "iv_rank": rank, "other": other})
    return frame, prices, regime


def drift_document(shifted: float = 3.0) -> dict:
    """Return a drift report: one feature moved, one stood still, one is null."""
    from monitoring.drift.measure import drift_report

    days = sessions("2015-01-02", LAST)[-463:]
    values = np.random.default_rng(0).normal(size=(463, 3))
    frame = pd.DataFrame(values, columns=["moved", "still", "gone"]).assign(session=days)
    frame.loc[400:, "moved"] += shifted
    frame.loc[400:, "gone"] = np.nan
    views = {"moved": "technical", "still": "iv", "gone": "macro"}
    report = drift_report("SPY", frame.iloc[:400], frame.iloc[400:], views, resamples=50)
    return report.document()


def write_drift(home: Path, name: str = "SPY", **options: float) -> Path:
    path = home / "reports" / "drift" / name / "drift.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(drift_document(**options)), "utf-8")
    (path.parent / "index.html").write_text("<!doctype html><title>drift</title>", "utf-8")
    return path


@pytest.fixture(scope="session")
def signal() -> MakeSignal:
    return make_signal


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, tracking_database: Path) -> Path:
    """A home of 60 sessions, with a paper book and a backtest; tests only read it.

    It is a copy of the one of all workers.
    """

    def fill(folder: Path) -> None:
        home = folder / "home"
        fill_lake(home / "data")
        fill_ledger(home / "data" / "ledger.db", 60)
        fill_book(home / "data" / "ledger.db")
        write_backtest(home / "reports" / "backtests")
        home.joinpath("mlruns").mkdir()
        shutil.copy(tracking_database, home / "mlruns")
        fill_models(home)
        write_drift(home)

    first = made_once(tmp_path_factory, "filled", fill) / "home"
    home = Path(shutil.copytree(first, tmp_path_factory.mktemp("filled") / "home"))
    come_home(home / "mlruns")
    return home


def serve_baseline(home: Path) -> None:
    """Train and register the transition table, which is the baseline of its own gate."""
    from training.registry.register import register
    from training.settings import Settings
    from training.tasks.regime import REGIME
    from training.walk import walk

    frame = market()[2].assign(ticker="QQQ")
    register(
        walk(REGIME, frame, None, Settings("QQQ", "table", resamples=50)),
        mlruns_dir=home / "mlruns",
        models_dir=home / "models",
        reports_dir=home / "reports" / "models",
        definition_hash="e" * 64,
        trained_at=pd.Timestamp("2025-06-30 23:00", tz="UTC"),
    )


@pytest.fixture(scope="session")
def states(filled: Path) -> dict[str, Callable[[Path], object]]:
    """What makes a home of each state at a path."""

    def but(*gone: str) -> Callable[[Path], object]:
        return lambda home: shutil.copytree(filled, home, ignore=shutil.ignore_patterns(*gone))

    def damaged(file: str) -> Callable[[Path], object]:
        def make(home: Path) -> None:
            shutil.copytree(filled, home)
            (home / "data" / file).write_bytes(b"{ neither JSON nor a database" * 100)

        return make

    def first_month(home: Path) -> None:
        but("ledger.db*", "drift", "backtests")(home)
        fill_ledger(home / "data" / "ledger.db", 16)

    def baseline(home: Path) -> None:
        but("ledger.db*", "drift", "backtests")(home)
        serve_baseline(home)

    return {
        "no home": lambda _: None,
        "empty": lambda home: home.mkdir(),
        "landed only": lambda home: fill_lake(home / "data", features=False),
        "features": lambda home: fill_lake(home / "data"),
        "live": lambda home: fill_lake(home / "data", origin="live"),
        "recorded": lambda home: fill_lake(home / "data", origin="recorded"),
        "models": but("ledger.db*", "drift", "backtests"),
        "first month": first_month,
        "whole": but(),
        "baseline": baseline,
        "damaged ledger": damaged("ledger.db"),
        "damaged manifest": damaged("manifest.json"),
    }


@pytest.fixture
def own(filled: Path, tmp_path: Path) -> Path:
    """A copy of the filled home that a test may damage."""
    return Path(shutil.copytree(filled, tmp_path / "own"))


@pytest.fixture
def land() -> Callable[..., None]:
    return fill_lake


@pytest.fixture
def record() -> Callable[..., None]:
    return fill_ledger


@pytest.fixture
def report() -> Callable[..., Path]:
    return write_drift


@pytest.fixture
def keep() -> Callable[[Path, list[Signal]], None]:
    """Record signals in a home that holds nothing else."""

    def keep(home: Path, signals: list[Signal]) -> None:
        with Ledger(home / "data" / "ledger.db") as ledger:
            for one in signals:
                ledger.record(one, pd.Timestamp(one.provenance.as_of))

    return keep
