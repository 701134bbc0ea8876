"""The locked window: the last two years of a home, scored once per model family.

A family is a task, a model type and a ticker. What was seen of it is kept in `locked.jsonl` below
the data folder, whatever it is: a line before the window is looked at, one with the result, one
with the MLflow run that holds it too.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from home.line_log import append, locked, read_log
from home.records.training.judged import Gate
from home.records.training.locked import LockedFigures, LockedResult, LockedSessions
from home.strict_json import Json, canonical
from market.arrays import BoolArray, DateArray
from market.errors import InputError
from training.frames.folds import Fold
from training.judge.gate import gain
from training.judge.measures import measure, measure_all_days, session_weights
from training.judge.out_of_fold import OutOfFold
from training.tasks.declare import Task

YEARS: Final = 2
FAMILY: Final = ("task", "model", "ticker")

#: Looks at the window and returns its figures.
Score = Callable[[], LockedFigures]


@dataclass(frozen=True)
class Opening:
    """What the log holds of one family.

    Attributes
    ----------
    opened_at
        Of every time that the window was opened, in UTC; more than one if the first was cut off.
    result
        None where every opening was cut off before it had one.
    run_id
        The MLflow run that holds the result too, None where there is none yet.
    """

    family: dict[str, str]
    opened_at: tuple[str, ...]
    result: LockedResult | None
    run_id: str | None

    def document(self) -> dict[str, Json]:
        """Return the opening as plain values, the fields of the result in the log's order."""
        result = self.result
        return {
            **self.family,
            "opened_at": list(self.opened_at),
            "run_id": self.run_id,
            "result": None if result is None else json.loads(canonical(result.document())),
        }


def window_start(last_session: pd.Timestamp) -> pd.Timestamp:
    """Return the day that the locked window of a home begins with."""
    return last_session + pd.Timedelta(days=1) - pd.DateOffset(years=YEARS)


def locked_sessions(sessions: DateArray, last_session: pd.Timestamp) -> int:
    """Return how many different sessions lie in the locked window of a home.

    Parameters
    ----------
    sessions
        Several rows a session allowed; shape (n_rows,).
    last_session
        Of the prices that the home holds.
    """
    start = window_start(last_session).to_datetime64()
    return len(np.unique(sessions[sessions >= start]))


def locked_fold(
    sessions: DateArray,
    label_ends: DateArray,
    last_session: pd.Timestamp,
    tested: BoolArray | None = None,
) -> Fold:
    """Return the one fold of a locked window: all that was known before it, and what lies in it.

    Parameters
    ----------
    sessions, label_ends
        As in `validation.walk_forward`.
    tested
        Rows that may be tested, all if None; shape (n_rows,).

    Raises
    ------
    InputError
        If there is nothing to fit on, or nothing to test.
    """
    start = window_start(last_session).to_datetime64()
    inside = sessions >= start
    test = inside if tested is None else inside & tested
    known = (sessions < start) & (label_ends < start)
    if not (known.any() and test.any()):
        raise InputError(
            f"the locked window {start:.10} to {last_session.date()} cannot be opened: got "
            f"{known.sum()} labelled rows before it and {test.sum()} in it, needed some of both; "
            "ingest a longer history"
        )
    return Fold(*(np.flatnonzero(part).astype(np.int64) for part in (known, test)))


def scored(task: Task, tested: OutOfFold, resamples: int, seed: int) -> LockedFigures:
    """Return the figures of a locked window: scores, baselines, differences with intervals.

    Raises
    ------
    InputError
        If no session of it could be scored.
    """
    decided = int(tested.decided.sum())
    if not decided:
        raise InputError(
            f"no session of the locked window could be scored: of {len(tested.sessions)} none has "
            "all features and a class"
        )
    weights = session_weights(len(tested.sessions), resamples, seed)
    found = measure(task, tested, weights)
    baseline = tested.gate
    return LockedFigures(
        window=LockedSessions(
            start=f"{tested.sessions[0]:.10}",
            end=f"{tested.sessions[-1]:.10}",
            sessions=len(tested.sessions),
            decided=decided,
            dropped=int((~tested.scored).sum()),
        ),
        scores=found.scores,
        baselines=found.baselines,
        difference=found.difference,
        comparison=found.comparison,
        all_days=measure_all_days(task, tested, weights) if task.has_flat else None,
        gate=Gate.against(baseline, found.difference[baseline]),
    )


def open_once(
    log: Path,
    family: Mapping[str, str],
    facts: Mapping[str, Json],
    now: Callable[[], pd.Timestamp],
    prepare: Callable[[], Score],
    record: Callable[[Opening], str],
) -> Opening:
    """Score the locked window for a family that has not been scored, and keep the result.

    Parameters
    ----------
    log
        The file; made if missing.
    family
        `task`, `model` and `ticker`.
    facts
        What the result is kept with: definition hash, settings.
    now
        The time, UTC.
    prepare
        Reads what the scoring needs and returns the scoring; called before the window counts as
        opened, so that what is missing costs nothing.
    record
        Writes a kept result to MLflow and returns the id of the run.

    Raises
    ------
    InputError
        If the family has a result, telling it; or as `prepare` and the scoring.
    """
    with locked(log):
        found = _of(log, family)
        if found is None or found.result is None:
            score = prepare()
            append(log, {"event": "opened", **family, "at": str(now()), **facts})
            figures = score().document()
            append(log, {"event": "result", **family, "at": str(now()), **facts, **figures})
            return _recorded(log, family, record)
        _recorded(log, family, record)
    raise InputError(
        f"the locked window was opened for {words_of(family)} on {found.opened_at[0]:.19}, and is "
        f"opened once: {told(found)}; see `optrade locked list`, or develop on sessions before it"
    )


def openings(log: Path) -> tuple[Opening, ...]:
    """Return what the log holds of every family, the first opened first."""
    by_family: dict[tuple[str, ...], list[Mapping[str, Json]]] = {}
    for line in read_log(log):
        by_family.setdefault(tuple(line[name] for name in FAMILY), []).append(line)
    return tuple(_opening(log, family, lines) for family, lines in by_family.items())


def told(opening: Opening) -> str:
    """Return the result of an opening in words, with its interval and baseline."""
    if opening.result is None:
        return "cut off before there was a result"
    window, gate = opening.result.window, opening.result.gate
    baseline = gate.baseline.replace("_", " ")
    spread = "no interval"
    if gate.interval is not None:
        low, high = gate.interval
        spread = f"95 % interval {low:+.4f} to {high:+.4f}"
    return (
        f"{window.start} to {window.end}, {window.decided} sessions, log loss "
        f"{gate.value:.4f} against the {baseline}'s {gate.baseline_value:.4f}, "
        f"{gain(gate.improvement)} ({spread})"
    )


def words_of(family: Mapping[str, str]) -> str:
    """Return the name of a family."""
    return f"{family['task']} {family['model']} {family['ticker']}"


def _recorded(log: Path, family: Mapping[str, str], record: Callable[[Opening], str]) -> Opening:
    """Return the opening of a family with its run, which is made if a kill has prevented it."""
    found = _of(log, family)
    if found is None or found.result is None:
        raise RuntimeError(f"{log} lacks the result of {words_of(family)} just written to it")
    if found.run_id is None:
        append(log, {"event": "recorded", **family, "run_id": record(found)})
    return _of(log, family) or found


def _of(log: Path, family: Mapping[str, str]) -> Opening | None:
    return next((one for one in openings(log) if one.family == dict(family)), None)


def _opening(log: Path, family: tuple[str, ...], lines: Sequence[Mapping[str, Json]]) -> Opening:
    kept = [line for line in lines if line["event"] == "result"]
    runs = [str(line["run_id"]) for line in lines if line["event"] == "recorded"]
    named = dict(zip(FAMILY, family, strict=True))
    return Opening(
        family=named,
        opened_at=tuple(str(line["at"]) for line in lines if line["event"] == "opened"),
        result=_result(kept[0], f"{log}, {words_of(named)}") if kept else None,
        run_id=runs[0] if runs else None,
    )


def _result(line: Mapping[str, Json], source: str) -> LockedResult:
    own = {name: value for name, value in line.items() if name not in ("event", *FAMILY)}
    return LockedResult.parse(own, source)
