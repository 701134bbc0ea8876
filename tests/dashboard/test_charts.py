"""Figures say what their frames say."""

import math

import pandas as pd
import pytest

from dashboard import charts, money_charts
from dashboard.money_view import shown
from dashboard.queries import drift as queries_drift
from dashboard.queries import models as queries_models
from market.iv_rank import REGIMES
from trading.strategies.selector import MATRIX
from training.tasks.catalogue import REGISTERED


def test_every_strategy_has_a_colour_of_its_own() -> None:
    assert set(charts.STRATEGY_COLOURS) == {row.name for row in MATRIX}
    assert len(set(charts.STRATEGY_COLOURS.values())) == len(MATRIX)


def test_forecasts_draws_both_models_and_the_threshold() -> None:
    chances = dict(zip(REGIMES, (0.2, 0.7, 0.1), strict=True))
    figure = charts.forecasts(0.44, 0.46, chances, "NORMAL")
    (bars,) = figure.data
    assert list(bars.y) == ["UP", "IV LOW", "IV NORMAL", "IV HIGH"]
    assert list(bars.x) == [0.44, 0.2, 0.7, 0.1]
    assert [colour == charts.BLUE for colour in bars.marker.color] == [False, False, True, False]
    assert figure.layout.shapes[0].x0 == figure.layout.shapes[0].x1 == 0.46


def test_reliability_labels_every_point_with_its_n() -> None:
    table = pd.DataFrame(
        {"n": [3, 40], "forecast": [0.2, 0.6], "came": [0.0, 0.5], "enough": [False, True]}
    )
    _, enough, few = charts.reliability(table).data
    assert (list(enough.text), list(few.text)) == (["n=40"], ["n=3"])
    assert enough.marker.size[0] == charts.LARGEST_MARKER > few.marker.size[0]


def test_reliability_of_nothing_is_an_empty_figure() -> None:
    table = pd.DataFrame(columns=["n", "forecast", "came", "enough"])
    assert [len(trace.x) for trace in charts.reliability(table).data] == [2, 0, 0]


def test_periods_without_a_decided_signal_are_no_point() -> None:
    table = pd.DataFrame(
        {
            "period": pd.to_datetime(["2025-01-01", "2025-02-01"]),
            "decided": [4, 0],
            "direction_rate": [0.5, None],
            "up_share": [0.75, None],
        }
    )
    base, hits = charts.hit_rate_over_time(table, "month").data
    assert (list(base.y), list(hits.y), list(hits.customdata)) == ([0.75], [0.5], [4])


def test_profits_are_a_line_a_strategy_and_one_of_all() -> None:
    days = pd.to_datetime(["2025-01-02", "2025-01-10"])
    table = pd.DataFrame(
        {
            "strategy": ["Buy Calls"] * 2 + ["all strategies"] * 2,
            "session": [*days, *days],
            "profit": [0.0, 5.0, 0.0, -7.0],
        }
    )
    calls, total = money_charts.accrued(table).data
    assert (calls.name, list(calls.y)) == ("Buy Calls", [0.0, 5.0])
    assert calls.line.color == charts.STRATEGY_COLOURS["Buy Calls"]
    assert (list(total.y), total.line.color) == ([0.0, -7.0], charts.INK)


def test_an_interval_is_shown_in_percent_of_the_risk_and_where_there_is_none_that() -> None:
    table = pd.DataFrame(
        {"strategy": ["a", "b"], "mean_of_risk": [0.125, None], "low": [-0.034, None],
         "high": [0.2, None]}
    )  # fmt: skip
    told = shown(table)
    assert list(told.columns) == ["strategy", "mean_of_risk", "interval"]
    assert told["interval"].tolist() == ["-3.4 to +20.0 %", "too few"]
    assert told["mean_of_risk"].iloc[0] == 12.5


def test_a_book_that_never_fell_has_a_drawdown_of_nothing() -> None:
    days = pd.to_datetime(["2025-01-02", "2025-01-03"])
    table = pd.DataFrame({"session": days, "equity": [1.0, 2.0], "drawdown": [0.0, 0.0]})
    figure = money_charts.equity(table)
    line, fallen = figure.data
    assert (list(line.y), list(fallen.y)) == ([1.0, 2.0], [0.0, 0.0])
    assert figure.layout.yaxis2.range[0] < 0.0 == figure.layout.yaxis2.range[1]


def test_strategies_are_stacked_in_the_order_of_the_matrix() -> None:
    month = pd.Timestamp("2025-01-01")
    names = ["NO TRADE", "Buy Calls", "something new"]
    table = pd.DataFrame({"period": month, "strategy": names, "signals": [1, 2, 3]})
    bars = charts.strategies_over_time(table, "month").data
    assert [bar.name for bar in bars] == ["Buy Calls", "NO TRADE", "something new"]
    assert [bar.y[0] for bar in bars] == [2, 1, 3]


def test_a_single_session_stands_in_a_month_and_is_counted_in_whole_numbers() -> None:
    day = pd.Timestamp("2025-06-30")
    table = pd.DataFrame({"period": [day], "strategy": ["Buy Calls"], "signals": [3]})
    layout = charts.strategies_over_time(table, "session").layout
    first, last = layout.xaxis.range
    assert last - first >= pd.Timedelta(days=31)
    assert list(layout.xaxis.tickvals) == [day]
    assert (layout.xaxis.tickformat, layout.xaxis.tickangle) == ("%-d %b", 0)
    assert (layout.yaxis.dtick, layout.showlegend) == (1, True)


@pytest.mark.parametrize(("count", "period"), [(1, "session"), (22, "session"), (300, "month")])
def test_an_axis_of_time_holds_no_more_marks_than_can_be_read(count: int, period: str) -> None:
    days = pd.date_range("2000-01-03", periods=count, freq="B" if period == "session" else "MS")
    table = pd.DataFrame({"period": days, "strategy": "Buy Calls", "signals": 1})
    ticks = charts.strategies_over_time(table, period).layout.xaxis.tickvals
    assert min(count, charts.MOST_TICKS) / 2 <= len(ticks) <= charts.MOST_TICKS
    assert set(ticks) <= set(days)


def test_improvements_draw_the_interval_as_it_is() -> None:
    table = pd.DataFrame(
        {
            "name": ["direction_SPY", "regime_SPY", "unknown"],
            "baseline": "class_prior",
            "improvement": [0.05, -0.02, None],
            "low": [0.01, -0.05, None],
            "high": [0.07, 0.02, None],
            "standing": ["proven", "unproven", "refuted"],
        }
    )
    figure = charts.improvements(table, "log_loss")
    assert figure.layout.xaxis.title.text.startswith("log loss better than the baseline by (nats;")
    proven, other, refuted = figure.data
    assert [part.name for part in (proven, other, refuted)] == ["proven", "unproven", "refuted"]
    assert (list(proven.y), list(other.y)) == (["direction_SPY"], ["regime_SPY"])
    assert proven.error_x.array[0] == pytest.approx(0.02)
    assert proven.error_x.arrayminus[0] == pytest.approx(0.04)


def test_every_metric_of_a_gate_has_its_own_unit() -> None:
    assert set(charts.UNITS) == {task.headline[0] for task in REGISTERED.values()}


def test_folds_of_a_real_evidence_keep_sign_and_interval(filled) -> None:
    versions = queries_models.model_versions(filled / "mlruns" / "mlflow.db")
    path = queries_models.evidence_path(filled / "mlruns" / "artifacts", versions["run_id"][0])
    table = queries_models.folds(queries_models.read_evidence(path))
    (bars,) = charts.folds(table, "class_prior").data
    assert len(bars.x) == 5
    assert list(bars.y) == list(table["difference"])
    for y, up, high in zip(bars.y, bars.error_y.array, table["high"], strict=True):
        assert math.isclose(y + up, high)
    assert [c == charts.GREEN for c in bars.marker.color] == [y > 0 for y in bars.y]


def test_drift_puts_the_worst_on_top_and_leaves_out_what_was_not_compared(filled) -> None:
    path = filled / "reports" / "drift" / "SPY" / "drift.json"
    features = queries_drift.feature_table(queries_drift.read_report(path))
    bars, levels = charts.drift(features).data
    assert list(bars.y) == ["still", "moved"]  # Plotly draws the last on top
    assert [colour == charts.RED for colour in bars.marker.color] == [False, True]
    assert list(levels.x) == list(features.set_index("name")["alarm_level"][list(bars.y)])


def test_drift_draws_no_more_than_asked() -> None:
    table = pd.DataFrame(
        {
            "name": [f"f{n}" for n in range(40)], "view": "iv", "psi": range(40),
            "alarm_level": 10.0, "alarm": [n > 10 for n in range(40)],
        }
    )  # fmt: skip
    assert list(charts.drift(table, most=3).data[0].y) == ["f37", "f38", "f39"]
