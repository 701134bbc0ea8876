import json
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from home.line_log import append, read_log
from home.records.training.judged import Gate
from home.records.training.locked import LockedFigures, LockedSessions
from market.calendar import session_shift, sessions
from market.errors import InputError
from training.fit.forecast import Forecast
from training.judge.out_of_fold import OutOfFold
from training.locked.window import (
    Opening,
    Score,
    locked_fold,
    locked_sessions,
    open_once,
    openings,
    scored,
    told,
    window_start,
)
from training.tasks.baselines import COIN
from training.tasks.direction import DIRECTION
from training.tasks.regime import REGIME

LAST = pd.Timestamp("2025-06-30")
DAYS = sessions("2021-01-04", "2025-06-30")
ENDS = session_shift(DAYS, 5).to_numpy()
FAMILY = {"task": "regime", "model": "paths", "ticker": "SPY"}
FACTS = {"definition_hash": "feed", "settings": {"seed": 0}}
RESULT = LockedFigures(
    window=LockedSessions(
        start="2023-07-03", end="2025-06-20", sessions=495, decided=490, dropped=0
    ),
    scores={"log_loss": 0.5, "accuracy": 0.8},
    baselines={"transition_table": {"log_loss": 0.53, "accuracy": 0.7}},
    difference={},
    comparison=[],
    gate=Gate(
        metric="log_loss",
        baseline="transition_table",
        value=0.5,
        baseline_value=0.53,
        improvement=0.03,
        interval=[0.01, 0.05],
        bound=0.015,
    ),
)


def test_the_window_is_the_last_two_years_of_the_home() -> None:
    assert window_start(LAST) == pd.Timestamp("2023-07-01")
    assert window_start(pd.Timestamp("2024-02-29")) == pd.Timestamp("2022-03-01")
    days = DAYS.to_numpy()
    inside = (DAYS >= "2023-07-01").sum()
    assert locked_sessions(np.repeat(days, 3), LAST) == inside > 490
    assert locked_sessions(days[DAYS < "2023-07-01"], LAST) == 0


def test_what_is_fitted_on_was_known_before_the_window() -> None:
    days = DAYS.to_numpy()
    fold = locked_fold(days, ENDS, LAST)
    assert days[fold.test].min() == np.datetime64("2023-07-03")
    assert len(fold.test) == locked_sessions(days, LAST)
    assert ENDS[fold.train].max() == np.datetime64("2023-06-30"), "the last label before it"
    assert fold.train.tolist() == list(range(len(fold.train)))


def test_only_the_ticker_that_is_forecast_is_tested() -> None:
    mine = np.tile([True, False], len(DAYS))
    fold = locked_fold(np.repeat(DAYS.to_numpy(), 2), np.repeat(ENDS, 2), LAST, mine)
    assert mine[fold.test].all()
    assert not mine[fold.train].all()


def test_a_home_without_anything_before_its_window_is_refused() -> None:
    late = DAYS >= "2023-07-01"
    with pytest.raises(InputError, match=r"got 0 labelled rows before it and 5\d\d in it"):
        locked_fold(DAYS.to_numpy()[late], ENDS[late], LAST)


def forecast(count: int, seed: int, n_classes: int) -> OutOfFold:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, count)
    chance = np.full((count, n_classes), 0.2 / (n_classes - 1))
    chance[np.arange(count), labels] = 0.8
    even = Forecast(np.zeros(count, dtype=np.int64), np.full((count, n_classes), 1.0 / n_classes))
    model = Forecast(labels, chance, rng.standard_normal(count))
    scored = np.ones(count, dtype=np.bool_)
    scored[:7] = False
    return OutOfFold(
        DAYS[-count:].to_numpy(), np.ones(count, np.int64), labels, labels, scored, model,
        {COIN: even}, COIN,
    )  # fmt: skip


def test_a_result_holds_scores_baseline_and_interval() -> None:
    found = scored(REGIME, forecast(400, 0, 3), 200, 0)
    assert found.window.decided == 393
    assert found.window.dropped == 7
    gate = found.gate
    assert gate.value == pytest.approx(-np.log(0.8))
    assert gate.baseline_value == pytest.approx(np.log(3))
    assert gate.improvement == pytest.approx(np.log(3 * 0.8))
    assert gate.interval[0] <= gate.improvement <= gate.interval[1] + 1e-9
    assert found.all_days is None
    assert scored(DIRECTION, forecast(400, 0, 2), 200, 0).all_days is not None
    assert "all_days" not in json.loads(json.dumps(found.document(), allow_nan=False))


def test_a_window_in_which_nothing_could_be_forecast_is_refused() -> None:
    nothing = forecast(7, 0, 3)
    with pytest.raises(InputError, match="of 7 none has all features and a class"):
        scored(REGIME, nothing, 50, 0)


class Mlflow:
    """Gives run ids, and remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[Opening] = []

    def __call__(self, opening: Opening) -> str:
        self.given.append(opening)
        return f"run{len(self.given)}"


def opened(
    log: Path,
    record: Callable[[Opening], str],
    score: Score = lambda: RESULT,
    **change: str,
) -> Opening:
    family = FAMILY | change
    now = pd.Timestamp("2025-07-01", tz="UTC")
    return open_once(log, family, FACTS, lambda: now, lambda: score, record)


def forbidden() -> LockedFigures:
    raise AssertionError("the window was looked at again")


def test_a_window_is_opened_once_and_the_result_kept(tmp_path: Path) -> None:
    log, mlflow = tmp_path / "data" / "locked.jsonl", Mlflow()
    found = opened(log, mlflow)
    assert found.run_id == "run1"
    assert found.result is not None
    assert found.result.gate == RESULT.gate
    assert found.result.definition_hash == "feed"
    with pytest.raises(InputError) as refused:
        opened(log, mlflow, forbidden)
    for part in ("regime paths SPY on 2025-07-01", "log loss 0.5000 against the transition table's "
                 "0.5300, better by 0.0300 (95 % interval +0.0100 to +0.0500)"):  # fmt: skip
        assert part in str(refused.value)
    assert openings(log) == (found,)
    assert len(mlflow.given) == 1


def test_a_result_is_told_in_the_order_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "locked.jsonl"
    document = opened(log, Mlflow()).document()
    kept = next(line for line in read_log(log) if line["event"] == "result")
    own = {name: kept[name] for name in kept if name not in {"event", *FAMILY}}
    assert json.dumps(document["result"]) == json.dumps(own)


def test_a_result_that_lacks_a_figure_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "locked.jsonl"
    append(log, {"event": "result", **FAMILY, "at": "2025-07-01", **FACTS})
    with pytest.raises(InputError, match="regime paths SPY: scores is missing"):
        openings(log)


def test_other_families_are_opened_on_their_own(tmp_path: Path) -> None:
    log, mlflow = tmp_path / "locked.jsonl", Mlflow()
    opened(log, mlflow)
    for change in ({"ticker": "QQQ"}, {"model": "table"}, {"task": "direction"}):
        opened(log, mlflow, **change)
    assert [one.family["ticker"] for one in openings(log)] == ["SPY", "QQQ", "SPY", "SPY"]


def test_an_opening_cut_off_before_its_result_is_told_and_can_be_made_again(tmp_path: Path) -> None:
    log = tmp_path / "locked.jsonl"

    def kill() -> LockedFigures:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(log, Mlflow(), kill)
    (cut,) = openings(log)
    assert cut.result is None
    assert told(cut) == "cut off before there was a result"
    found = opened(log, Mlflow())
    assert len(found.opened_at) == 2, "both looks are on record"
    assert found.result is not None


def test_what_is_missing_before_the_window_is_looked_at_opens_nothing(tmp_path: Path) -> None:
    def prepare() -> Score:
        raise InputError("no prices of SPY in this home")

    log = tmp_path / "locked.jsonl"
    with pytest.raises(InputError, match="no prices"):
        open_once(log, FAMILY, FACTS, lambda: LAST, prepare, Mlflow())
    assert openings(log) == ()


def test_a_result_without_its_run_gets_one_and_is_not_scored_again(tmp_path: Path) -> None:
    log = tmp_path / "locked.jsonl"

    def kill(_: Opening) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(log, kill)
    assert openings(log)[0].run_id is None
    mlflow = Mlflow()
    with pytest.raises(InputError, match="opened once"):
        opened(log, mlflow, forbidden)
    (found,) = openings(log)
    assert found.run_id == "run1"
    assert mlflow.given[0].result == found.result


def test_a_line_cut_off_by_a_kill_is_no_line(tmp_path: Path) -> None:
    log = tmp_path / "locked.jsonl"
    append(log, {"a": 1})
    whole = log.read_bytes()
    log.write_bytes(whole + b'{"event": "resu')
    assert read_log(log) == [{"a": 1}]
    append(log, {"b": 2})
    assert log.read_bytes() == whole + b'{"b": 2}\n'
    log.write_bytes(b"not json\n")
    with pytest.raises(InputError, match="line 1 is no JSON"):
        read_log(log)
    assert read_log(tmp_path / "none") == []


def open_and_count(log: str, counted: str) -> None:
    def score() -> LockedFigures:
        with Path(counted).open("ab") as file:
            file.write(b"x")
            os.fsync(file.fileno())
        return RESULT

    try:
        opened(Path(log), Mlflow(), score)
    except InputError:
        return


def test_of_several_commands_at_once_one_looks(tmp_path: Path) -> None:
    log, counted = tmp_path / "locked.jsonl", tmp_path / "counted"
    context = multiprocessing.get_context("fork")
    several = [
        context.Process(target=open_and_count, args=(str(log), str(counted))) for _ in range(4)
    ]
    for process in several:
        process.start()
    for process in several:
        process.join(60)
        assert process.exitcode == 0
    assert counted.read_bytes() == b"x"
