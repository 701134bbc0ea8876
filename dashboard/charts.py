"""Plotly figures out of frames. Pure."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from monitoring.scores import FIRST_MONTH, Period

INK: Final = "#1c2733"
GRID: Final = "#e3e9ef"
BLUE: Final = "#1f5f8b"
GREEN: Final = "#2e8b57"
RED: Final = "#c0392b"
GREY: Final = "#8a97a5"
AMBER: Final = "#d98e04"
# Colour-blind safe (Okabe and Ito), in the order of the strategy matrix; NO TRADE is grey.
STRATEGY_COLOURS: Final = {
    "Buy Calls": "#0072b2",
    "Bull Call Spread": "#56b4e9",
    "Bull Put Spread": "#009e73",
    "Buy Puts": "#d55e00",
    "Bear Put Spread": "#e69f00",
    "Bear Call Spread": "#cc79a7",
    "Iron Condor": "#7f6bb3",
    "NO TRADE": "#b8c2cc",
}
STANDING_COLOURS: Final = {"proven": GREEN, "unproven": AMBER, "refuted": RED}
#: What a gate's metric is called, and its unit: one chart each.
UNITS: Final = {"log_loss": ("log loss", "nats"), "crps": ("CRPS", "% of the price")}
LARGEST_MARKER: Final = 26
SMALLEST_MARKER: Final = 5
PERIOD_MARKER: Final = 12
MOST_TICKS: Final = 12
FEW: Final = 8  # signals of a period that are counted one by one on the axis
DATES: Final[dict[Period, str]] = {"session": "%-d %b %Y", "month": "%b %Y"}
TICKS: Final[dict[Period, str]] = {"session": "%-d %b", "month": "%b %Y"}
WIDTHS: Final[dict[Period, pd.Timedelta]] = {
    "session": pd.Timedelta(days=1),
    "month": pd.Timedelta(days=30),
}


def styled(figure: go.Figure, height: int, **layout: Any) -> go.Figure:  # noqa: ANN401 - Plotly's own keywords
    """Return a figure in the style of all: its height in pixels, and what else of the layout."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 36, "b": 8},
        font={"size": 13, "color": INK},
        plot_bgcolor="white",
        paper_bgcolor="white",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        title={"font": {"size": 14}},
        **layout,
    )
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=GREY, automargin=True)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GREY, automargin=True)
    return figure


def _error_bars(frame: pd.DataFrame, value: str) -> dict[str, Any]:
    """Return the interval from `low` to `high` around a value as Plotly's error bars."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (frame["high"] - frame[value]).astype(float),
        "arrayminus": (frame[value] - frame["low"]).astype(float),
        "thickness": 1.6,
        "width": 5,
    }


def forecasts(
    probability_up: float, threshold: float, regimes: Mapping[str, float], predicted: str
) -> go.Figure:
    """Return the probabilities of both forecasts as bars; the threshold of UP is a mark."""
    names = ["UP", *(f"IV {name}" for name in regimes)]
    values = [probability_up, *regimes.values()]
    chosen = [probability_up > threshold, *(name == predicted for name in regimes)]
    bars = go.Bar(
        x=values,
        y=names,
        orientation="h",
        marker_color=[BLUE if mark else "#b9cfe0" for mark in chosen],
        text=[f"{value:.1%}" for value in values],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.4f}<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.add_shape(
        type="line", x0=threshold, x1=threshold, y0=-0.45, y1=0.45, line={"color": RED, "width": 2}
    )
    figure.add_annotation(
        x=threshold, y=-0.5, text=f"UP above {threshold:.2f}", showarrow=False, yshift=8,
        font={"color": RED, "size": 11},
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(range=[0, 1.12], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1])
    return styled(figure, 220, showlegend=False)


def reliability(table: pd.DataFrame) -> go.Figure:
    """Return what P(UP) promised against what came, each point as large as its n."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="calibrated", line={"color": GREY, "dash": "dot"}
    )
    for enough, name, colour in ((True, "n of 10 or more", BLUE), (False, "n below 10", "#b9cfe0")):
        part = table[table["enough"] == enough]
        figure.add_scatter(
            x=part["forecast"],
            y=part["came"],
            mode="markers+text",
            name=name,
            text=[f"n={n}" for n in part["n"]],
            textposition="top center",
            marker={"size": _sizes(part["n"], max(table["n"], default=1)), "color": colour},
            hovertemplate="forecast %{x:.3f}, came %{y:.3f}, %{text}<extra></extra>",
        )
    figure.update_xaxes(title="mean P(UP) forecast", range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(title="share that went UP", range=[-0.03, 1.08], tickformat=".0%")
    return styled(figure, 380)


def _sizes(counts: pd.Series, most: int, largest: int = LARGEST_MARKER) -> list[float]:
    span = largest - SMALLEST_MARKER
    return [SMALLEST_MARKER + span * (count / most) ** 0.5 for count in counts]


def hit_rate_over_time(table: pd.DataFrame, period: Period) -> go.Figure:
    """Return the direction's hit rate of each period, as large as its n, and the share of UP."""
    rows = table[table["decided"] > 0]
    figure = go.Figure()
    figure.add_scatter(
        x=rows["period"], y=rows["up_share"], mode="lines", name="always UP",
        line={"color": GREY, "width": 1.5},
        hovertemplate=f"%{{x|{DATES[period]}}}: always UP %{{y:.1%}}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=rows["period"], y=rows["direction_rate"], mode="markers", name="direction right",
        marker={
            "size": _sizes(rows["decided"], max(rows["decided"], default=1), PERIOD_MARKER),
            "color": BLUE, "opacity": 0.8,
        },
        customdata=rows["decided"],
        hovertemplate=f"%{{x|{DATES[period]}}}: %{{y:.1%}}, n=%{{customdata}}<extra></extra>",
    )  # fmt: skip
    _time_axis(figure, table["period"], period)
    figure.update_yaxes(range=[-0.05, 1.05], tickformat=".0%", title="of decided signals")
    return styled(figure, 320)


def strategies_over_time(table: pd.DataFrame, period: Period) -> go.Figure:
    """Return the number of signals of each strategy by period, stacked."""
    figure = go.Figure()
    names = [name for name in STRATEGY_COLOURS if name in set(table["strategy"])]
    names += sorted(set(table["strategy"]) - set(names))
    for name in names:
        part = table[table["strategy"] == name]
        figure.add_bar(
            x=part["period"], y=part["signals"], name=name,
            width=0.8 * WIDTHS[period] / pd.Timedelta(milliseconds=1),
            marker_color=STRATEGY_COLOURS.get(name, GREY),
            hovertemplate=f"{name}, %{{x|{DATES[period]}}}: %{{y}}<extra></extra>",
        )  # fmt: skip
    _time_axis(figure, table["period"], period)
    most = table.groupby("period")["signals"].sum().max()
    figure.update_yaxes(
        title="signals", rangemode="tozero", tickformat="d", dtick=1 if most <= FEW else None
    )
    styled(figure, 320, barmode="stack", showlegend=True)
    return figure.update_layout(legend_traceorder="normal")


def _time_axis(figure: go.Figure, periods: pd.Series, period: Period) -> None:
    """Keep one session as wide as in a full month, and each mark at a period that there is."""
    step = WIDTHS[period]
    first, last = periods.min() - step, periods.max() + step
    if period == "session":
        last = max(last, first + FIRST_MONTH)
    ticks = pd.Series(sorted(periods.unique()))
    figure.update_xaxes(
        type="date",
        range=[first, last],
        tickvals=ticks[:: -(-len(ticks) // MOST_TICKS) or 1],
        tickformat=TICKS[period],
        tickangle=0,
    )


def improvements(table: pd.DataFrame, metric: str) -> go.Figure:
    """Return by how much each serving model beats its baseline, with the 95 % interval.

    Parameters
    ----------
    metric
        What all of them are compared by, a key of `UNITS`.
    """
    rows = table.dropna(subset=["improvement"])
    figure = go.Figure()
    for name, colour in STANDING_COLOURS.items():
        part = rows[rows["standing"] == name]
        figure.add_scatter(
            x=part["improvement"],
            y=part["name"],
            mode="markers",
            name=name,
            marker={"color": colour, "size": 11},
            error_x=_error_bars(part, "improvement") | {"color": colour},
            customdata=part[["baseline", "low", "high"]],
            hovertemplate="%{y}: %{x:+.4f} over %{customdata[0]}, 95 % %{customdata[1]:+.4f} to "
            "%{customdata[2]:+.4f}<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": INK, "width": 1.2})
    what, unit = UNITS[metric]
    figure.update_xaxes(title=f"{what} better than the baseline by ({unit}; right of 0 is better)")
    figure.update_yaxes(categoryorder="category descending", showgrid=False)
    return styled(figure, 120 + 34 * max(1, len(rows)), showlegend=True)


def folds(table: pd.DataFrame, baseline: str) -> go.Figure:
    """Return the improvement over the baseline, fold by fold, with its 95 % interval."""
    rows = table.dropna(subset=["difference"])
    names = [
        f"fold {row.fold}<br>{row.test_start[:7]} to {row.test_end[:7]}"
        for row in rows.itertuples()
    ]
    figure = go.Figure(
        go.Bar(
            x=names,
            y=rows["difference"],
            marker_color=[GREEN if value > 0 else RED for value in rows["difference"]],
            opacity=0.85,
            error_y=_error_bars(rows, "difference") | {"color": INK},
            customdata=rows[["test_n", "model", "baseline_value"]],
            hovertemplate="%{x}<br>better by %{y:+.4f}, n=%{customdata[0]}<br>model "
            "%{customdata[1]:.4f}, baseline %{customdata[2]:.4f}<extra></extra>",
        )
    )
    figure.add_hline(y=0, line={"color": INK, "width": 1.2})
    figure.update_xaxes(tickangle=0)
    figure.update_yaxes(title=f"log loss better than {baseline.replace('_', ' ')} by")
    return styled(figure, 340, showlegend=False)


def drift(features: pd.DataFrame, most: int = 25) -> go.Figure:
    """Return the features nearest to, or furthest above, their alarm level: PSI beside level."""
    rows = features.dropna(subset=["psi", "alarm_level"])
    ratio = rows["psi"] / rows["alarm_level"].where(rows["alarm_level"] > 0)
    rows = rows.assign(ratio=ratio).nlargest(most, "ratio").iloc[::-1]
    figure = go.Figure()
    figure.add_bar(
        x=rows["psi"],
        y=rows["name"],
        orientation="h",
        name="PSI",
        marker_color=[RED if alarm else "#9bbdd6" for alarm in rows["alarm"]],
        customdata=rows["view"],
        hovertemplate="%{y} (%{customdata}): PSI %{x:.3f}<extra></extra>",
    )
    figure.add_scatter(
        x=rows["alarm_level"],
        y=rows["name"],
        mode="markers",
        name="alarm level",
        marker={"symbol": "line-ns", "size": 14, "line": {"width": 2.5, "color": INK}},
        hovertemplate="%{y}: alarm above %{x:.3f}<extra></extra>",
    )
    figure.update_xaxes(title="population stability index", rangemode="tozero")
    return styled(figure, 110 + 22 * max(1, len(rows)))
