"""Plots of a report, each a drawing as SVG text that stands inside a page. Pure.

No window system and no global state: every plot is a figure of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from home.records.training.evidence import FoldEvidence
from home.records.training.explained import Bin, LinearWeight, OverTime, Rise, Roc

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MODEL: Final = "#1f5fa8"
BASELINE: Final = "#8a8f98"
WORSE: Final = "#b3392f"
SECOND: Final = "#d08a1d"
CLASSES: Final = ("#2a8c82", "#d08a1d", "#b3392f")  # of three, calm to wild
DASHES: Final = (0, (4, 3))
LINE: Final = "#d9dce1"
INK: Final = "#3c4149"
SHOWN: Final = 20  # bars of a plot; the tables hold the rest
NEGLIGIBLE: Final = 0.01  # of the longest bar: too short to be seen
INCHES_A_LETTER: Final = 0.07  # of a feature's name beside its bar

STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",  # text stays text: small, searchable, in the page's font
    "svg.hashsalt": "report",  # the same evidence gives the same page
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.edgecolor": "#9aa0a8",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#eceef1",
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def reliability_plot(bins: Mapping[str, Mapping[str, Sequence[Bin]]]) -> str:
    """Return stated probability against frequency, a panel a class; `bins` by label and class."""
    classes = list(next(iter(bins.values())))
    width = 4.6 if len(classes) == 1 else 9.4
    with _figure(width, 3.7 if len(classes) == 1 else 3.2, len(classes)) as (draw, panels):
        for name, axes in zip(classes, panels, strict=True):
            shown = {label: of[name] for label, of in bins.items()}
            low, high = _reach([row for rows in shown.values() for row in rows])
            axes.plot([low, high], [low, high], color=BASELINE, linewidth=1, linestyle=DASHES)
            for (label, rows), colour in zip(shown.items(), (MODEL, SECOND), strict=False):
                _reliability_line(axes, rows, colour, label if len(shown) > 1 else name)
            axes.set(xlabel=f"probability of {name} stated", xlim=(low, high), ylim=(low, high))
            axes.legend(loc="upper left")
        panels[0].set(ylabel="share that happened")
        return draw()


def roc_plot(curves: Mapping[str, Roc]) -> str:
    """Return ROC curves by label, each with the point of its calls."""
    with _figure(4.6, 3.7) as (draw, (axes,)):
        axes.plot([0, 1], [0, 1], color=BASELINE, linewidth=1, linestyle=DASHES)
        for (label, curve), colour in zip(curves.items(), (MODEL, SECOND), strict=False):
            axes.plot(
                curve.false_positive_rate,
                curve.true_positive_rate,
                color=colour,
                linewidth=1.4,
                label=label,
            )
            axes.plot(*curve.calls, "o", color=colour, markersize=6, clip_on=False)
        axes.set(xlabel="share of DOWN called UP", ylabel="share of UP called UP")
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        axes.legend(loc="lower right")
        return draw()


def folds_plot(folds: Sequence[FoldEvidence], baseline: str) -> str:
    """Return each fold's gain in log loss with its interval."""
    with _figure(9.4, 2.5) as (draw, (axes,)):
        axes.axhline(0.0, color=BASELINE, linewidth=1)
        for at, fold in enumerate(folds):
            gain = fold.difference[baseline]
            if gain.value is None:
                continue
            colour = MODEL if gain.value > 0.0 else WORSE
            if gain.interval is not None:
                axes.vlines(at, *gain.interval, color=colour, linewidth=2, alpha=0.55)
            axes.plot(at, gain.value, "o", color=colour, markersize=6)
        labels = [f"fold {fold.fold}\n{_span(fold)}" for fold in folds]
        axes.set_xticks(range(len(folds)), labels)
        axes.set(ylabel="gain in log loss (nats)", xlim=(-0.5, len(folds) - 0.5))
        return draw()


def rolling_plot(over_time: OverTime, baseline: str) -> str:
    """Return the rolling mean loss of model and baseline."""
    rolling = over_time.rolling
    with _figure(9.4, 2.6, top=0.3) as (draw, (axes,)):
        days = _dates(rolling.sessions)
        axes.plot(days, _known(rolling.baseline), color=BASELINE, linewidth=1.3, label=baseline)
        axes.plot(days, _known(rolling.model), color=MODEL, linewidth=1.5, label="model")
        _over_the_folds(axes, over_time)
        axes.set(ylabel="log loss (nats)")
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=2)
        return draw()


def cumulative_plot(over_time: OverTime) -> str:
    """Return the summed gain over the baseline: rising where the model is better."""
    gained = over_time.cumulative
    with _figure(9.4, 2.4) as (draw, (axes,)):
        days, sums = _dates(gained.sessions), _known(gained.difference)
        axes.axhline(0.0, color=BASELINE, linewidth=1)
        axes.fill_between(days, sums, 0.0, where=sums >= 0.0, color=MODEL, alpha=0.15, linewidth=0)
        axes.fill_between(days, sums, 0.0, where=sums < 0.0, color=WORSE, alpha=0.15, linewidth=0)
        axes.plot(days, sums, color=MODEL, linewidth=1.4)
        _over_the_folds(axes, over_time)
        axes.set(ylabel="summed gain (nats)")
        return draw()


def importance_plot(rows: Sequence[Rise]) -> str:
    """Return the rise of the loss by feature or view, the highest on top."""
    least = NEGLIGIBLE * max(abs(row.increase) for row in rows)
    shown = [row for row in rows if abs(row.increase) >= least][:SHOWN]
    with _bars(shown) as (draw, axes):
        rise = [row.increase for row in shown]
        axes.barh(
            range(len(shown)),
            rise,
            xerr=[row.spread or 0.0 for row in shown],
            color=[MODEL if figure > 0.0 else WORSE for figure in rise],
            height=0.65,
            ecolor=INK,
            error_kw={"elinewidth": 0.8},
        )
        axes.set(xlabel="rise of log loss (nats)")
        return draw()


def weights_plot(rows: Sequence[LinearWeight]) -> str:
    """Return weights by feature, the largest on top, each class a mark with its folds' range."""
    shown = list(rows)[:SHOWN]
    classes = list(shown[0].weights)
    several = len(classes) > 1
    with _bars(shown) as (draw, axes):
        axes.axvline(0.0, color=BASELINE, linewidth=1)
        for step, (name, colour) in enumerate(
            zip(classes, CLASSES if several else (MODEL,), strict=True)
        ):
            height = np.arange(len(shown)) + 0.22 * (step - (len(classes) - 1) / 2.0)
            for at, row in zip(height, shown, strict=True):
                if row.low is not None:
                    ends = row.low[name], row.high[name]
                    axes.hlines(at, *ends, color=colour, linewidth=2, alpha=0.35)
            weights = [row.weights[name] for row in shown]
            axes.plot(weights, height, "o", color=colour, markersize=4, label=name)
        whose = "" if several else f" of {classes[0]}"
        axes.set(xlabel=f"log-odds{whose} per standard deviation")
        if several:
            axes.legend(loc="lower right")
        return draw()


@contextmanager
def _figure(
    width: float, height: float, panels: int = 1, left: float = 0.8, top: float = 0.08
) -> "Iterator[tuple[Callable[[], str], list[Axes]]]":
    """Give empty plots side by side and what turns them into SVG text; sizes in inches."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        plots = figure.subplots(1, panels, squeeze=False)[0]
        # Set by hand: a layout engine draws every plot twice, and no two line up.
        figure.subplots_adjust(
            left=left / width,
            right=1.0 - 0.12 / width,
            bottom=0.48 / height,
            top=1.0 - top / height,
            wspace=0.22,
        )
        yield lambda: _svg(figure), list(plots)


@contextmanager
def _bars(
    rows: Sequence[Rise] | Sequence[LinearWeight],
) -> "Iterator[tuple[Callable[[], str], Axes]]":
    """Give a plot with a line for each row's name, the first on top."""
    longest = max(len(row.name) for row in rows)
    height = 0.6 + 0.21 * max(len(rows), 3)
    with _figure(4.6, height, left=0.2 + INCHES_A_LETTER * longest) as (draw, (axes,)):
        axes.grid(visible=False, axis="y")
        axes.set_yticks(range(len(rows)), [row.name for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.locator_params(axis="x", nbins=5)
        axes.ticklabel_format(axis="x", scilimits=(-2, 4))
        yield draw, axes


def _reliability_line(axes: "Axes", rows: Sequence[Bin], colour: str, label: str) -> None:
    hit = np.array([row.frequency for row in rows])
    ends = np.array([row.interval for row in rows])
    axes.errorbar(
        [row.stated for row in rows],
        hit,
        yerr=np.abs(ends.T - hit),
        fmt="o-",
        color=colour,
        markersize=4,
        linewidth=1.2,
        elinewidth=0.8,
        label=label,
    )


def _reach(rows: Sequence[Bin]) -> tuple[float, float]:
    """Return the range of probabilities that all marks and intervals lie in, with a margin."""
    found = [end for row in rows for end in (row.stated, *row.interval)]
    margin = 0.05 * (max(found) - min(found))
    return min(found) - margin, max(found) + margin


def _svg(figure: "Figure") -> str:
    text = StringIO()
    figure.savefig(
        text,
        format="svg",
        transparent=True,
        metadata={"Date": None, "Creator": None},
    )
    drawn = text.getvalue()
    return drawn[drawn.index("<svg") :]


def _over_the_folds(axes: "Axes", over_time: OverTime) -> None:
    """Let a plot span all tested sessions, a line where each test part starts."""
    starts = _dates(over_time.folds)
    axes.set_xlim(starts[0], _dates(over_time.cumulative.sessions)[-1])
    for day in starts[1:]:
        axes.axvline(day, color=LINE, linewidth=1, zorder=0)


def _dates(days: Sequence[str]) -> "np.ndarray[Any, Any]":
    return np.array(days, dtype="datetime64[D]")


def _known(figures: Sequence[float | None]) -> "np.ndarray[Any, Any]":
    return np.array([np.nan if figure is None else figure for figure in figures])


def _span(fold: FoldEvidence) -> str:
    return f"{fold.test_start[:7]} to {fold.test_end[:7]}"
