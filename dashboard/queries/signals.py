"""What the ledger recorded for one session."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dashboard.queries.documents import NothingYet, interval, known, pick, read_only
from dashboard.queries.ledger import check_ledger
from market.errors import InputError
from market.targets import REGIMES

_SESSIONS: Final = "SELECT DISTINCT session FROM signals ORDER BY session DESC"
# The newest recording of each ticker, and how many there are of it for the session.
_OF_SESSION: Final = """
SELECT max(id), count(*) AS recordings, recorded_at, document
FROM signals WHERE session = ? GROUP BY ticker ORDER BY ticker
"""
TASKS: Final = ("direction", "regime")


@dataclass(frozen=True)
class ModelEvidence:
    """One model of a signal and how it fared against its baseline.

    Attributes
    ----------
    improvement, low, high
        Of the gate's metric over the baseline, positive is better, with its 95 % interval;
        None where it was not known.
    """

    task: str
    name: str
    version: int
    alias: str
    sha256: str
    proven: bool
    metric: str
    baseline: str
    improvement: float | None
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True)
class DailySignal:
    """A recorded signal, every field checked.

    Attributes
    ----------
    recordings
        How many the ledger holds for this ticker and session; this is the newest.
    probability_up
        Calibrated P(UP), 0 to 1 (Decision 6).
    ages
        Sessions completed since the data of each view.
    """

    ticker: str
    session: str
    recorded_at: str
    recordings: int
    as_of: str
    origin: str
    strategy: str
    position_size: str
    direction: str
    direction_confidence: float
    overall_confidence: float
    probability_up: float
    threshold: float
    iv_regime: str
    iv_confidence: float
    regime_probabilities: dict[str, float]
    expected_iv_direction: str
    iv_rank: float
    iv_band: str
    iv_hv_spread: float
    reasoning: str
    parameters: dict[str, str]
    alternatives: tuple[tuple[str, str], ...]
    structure: dict[str, Any] | None
    proven: bool
    models: tuple[ModelEvidence, ...]
    ages: dict[str, int]


def recorded_sessions(ledger: Path) -> list[str]:
    """Return the sessions with a recorded signal as ISO dates, newest first.

    Raises
    ------
    NothingYet
        If no signal has been recorded.
    InputError
        If the file is no ledger of this version.
    """
    check_ledger(ledger)
    with read_only(ledger, "ledger") as connection:
        found = [row["session"] for row in connection.execute(_SESSIONS)]
    if not found:
        raise NothingYet("No signal has been recorded: run `optrade signal-all --record`.")
    return found


def signals_of(ledger: Path, session: str) -> list[DailySignal]:
    """Return the newest signal of each ticker for a session, by ticker.

    Raises
    ------
    InputError
        If the file is no ledger of this version, or a signal lacks a field.
    """
    check_ledger(ledger)
    with read_only(ledger, "ledger") as connection:
        rows = connection.execute(_OF_SESSION, (session,)).fetchall()
    return [_signal(row["document"], row["recorded_at"], row["recordings"]) for row in rows]


def _signal(text: str, recorded_at: str, recordings: int) -> DailySignal:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InputError(f"a signal in the ledger is no JSON: {error!s:.80}") from error
    if not isinstance(document, dict):
        raise InputError(f"a signal in the ledger is {text:.40}, allowed is a JSON object")
    source = "signal {ticker} {session}".format_map(
        {name: document.get(name, "?") for name in ("ticker", "session")}
    )

    def word(place: str) -> str:
        return pick(document, place, str, source)

    def number(place: str) -> float:
        return pick(document, place, float, source)

    def table(place: str) -> dict[str, Any]:
        return dict(pick(document, place, dict, source))

    return DailySignal(
        ticker=word("ticker"),
        session=word("session"),
        recorded_at=recorded_at,
        recordings=recordings,
        as_of=word("provenance.as_of"),
        origin=word("provenance.origin"),
        strategy=word("strategy"),
        position_size=word("position_size"),
        direction=word("direction"),
        direction_confidence=number("direction_confidence"),
        overall_confidence=number("overall_confidence"),
        probability_up=number("prediction.probability"),
        threshold=number("prediction.threshold_used"),
        iv_regime=word("iv_regime"),
        iv_confidence=number("iv_confidence"),
        regime_probabilities={
            name: number(f"volatility.regime_probabilities.{name}") for name in REGIMES
        },
        expected_iv_direction=word("volatility.expected_iv_direction"),
        iv_rank=number("iv_context.iv_rank"),
        iv_band=word("iv_context.iv_regime"),
        iv_hv_spread=number("iv_context.iv_hv_spread"),
        reasoning=word("reasoning"),
        parameters=table("trade_parameters"),
        alternatives=_alternatives(document, source),
        structure=known(document, "structure", dict, source),
        proven=pick(document, "evidence.proven", bool, source),
        models=tuple(_model(document, task, source) for task in TASKS),
        ages=table("provenance.age_in_sessions"),
    )


def _alternatives(document: Mapping[str, Any], source: str) -> tuple[tuple[str, str], ...]:
    rows = pick(document, "alternatives", list, source)
    return tuple(
        (pick(row, "strategy", str, source), pick(row, "why_not", str, source)) for row in rows
    )


def _model(document: Mapping[str, Any], task: str, source: str) -> ModelEvidence:
    served = pick(document, f"provenance.models.{task}", dict, source)
    evidence = pick(document, f"evidence.{task}", dict, source)
    low, high = interval(evidence, source)
    return ModelEvidence(
        task=task,
        name=pick(served, "name", str, source),
        version=pick(served, "version", int, source),
        alias=pick(served, "alias", str, source),
        sha256=pick(served, "artifact_sha256", str, source),
        proven=pick(evidence, "proven", bool, source),
        metric=pick(evidence, "metric", str, source),
        baseline=pick(evidence, "baseline", str, source),
        improvement=known(evidence, "improvement", float, source),
        low=low,
        high=high,
        verdict=pick(evidence, "verdict", str, source),
    )
