"""The tearsheet of a backtest: one page, the verdict first. Pure."""

from typing import Final

from home.origin import Origin
from trading.backtest.policies import MATRIX
from trading.backtest.positions import CROSSED, MID
from trading.backtest.result import Backtest
from trading.report import cells, ends, policies, worst
from trading.report.closed import every_trade, filled_trades
from trading.report.page import Chart, Page, Section, page_html
from trading.report.style import dates
from trading.strategies.plans import MAX_LOSS

#: What is said of a market that a random number generator made.
MADE_UP: Final = (
    "The market is simulated: made up by a random number generator, so none of this says anything "
    "about a real one"
)


def tearsheet_html(backtest: Backtest, origin: Origin | None = None) -> str:
    """Return what a backtest came to as one HTML page that needs no other file.

    Parameters
    ----------
    origin
        Of the data; a simulated market is told before anything else is.
    """
    first, *words = backtest.words()
    words = [*([f"{MADE_UP}."] if origin == "simulated" else []), *words]
    return page_html(
        Page(
            title=_title(backtest) + (", a simulated market" if origin == "simulated" else ""),
            lead=first[:1].upper() + first[1:],
            good=bool(backtest.judgement.survivors),
            words=words,
            facts=_facts(backtest),
            sections=_sections(backtest),
            series={"@days": dates(backtest.days)},
        )
    )


def _title(backtest: Backtest) -> str:
    tickers = ", ".join(backtest.entered)
    return f"Backtest of {tickers}, {backtest.days[0].date()} to {backtest.days[-1].date()}"


def _facts(backtest: Backtest) -> list[str]:
    rules = backtest.rules
    when = "the next session's open" if rules.fill == "open" else "the session's close"
    crossed = {CROSSED: "across the whole spread", MID: "at mid"}.get(
        rules.crossing, f"paying {rules.crossing:g} of the half-spread"
    )
    counts = backtest.prices()
    priced = "every price by the synthetic smile"
    if quoted := counts.get("chain", 0):
        share = 100.0 * quoted / sum(counts.values())
        priced = (
            f"{quoted:,} trades ({share:.1f} %) on real chains, the others by the synthetic smile"
        )
    return [
        f"entered at {when}, {crossed}",
        f"{rules.capital:,.0f} USD at the start",
        f"at most {100 * MAX_LOSS:.0f} % of the equity at risk in a position, "
        f"{100 * rules.cap:.0f} % in all",
        "signals of models that had not seen their session",
        priced,
    ]


def _sections(backtest: Backtest) -> list[Section]:
    every = every_trade(backtest)
    matrix = next(one for one in backtest.policies if one.name == MATRIX)
    taken = filled_trades(backtest, [] if matrix.book is None else matrix.book.fills)
    returns = (every["profit"] / every["risk"]).to_numpy()
    held = ends.held_figure(every["held"].to_numpy(), returns, of_risk=True)
    known = f"{len(every):,} trades: every structure after every session with forecasts."
    return [
        Section("Policies", tables=[policies.policies_table(backtest)]),
        Section(
            "Equity and drawdown",
            lines=["Other policies are in the legend: a click shows them."],
            charts=[Chart(policies.equity_figure(backtest))],
        ),
        Section(
            "Cells: direction and regime by structure",
            lines=[known, f"{cells.cells_note(backtest.judgement)} {cells.MINE}: the matrix's."],
            tables=cells.heat_tables(backtest.judgement, list(backtest.entered)),
        ),
        Section(
            "Trades by exit",
            charts=[Chart(ends.exits_figure(every), "How trades of each structure ended")],
            tables=[ends.exits_table(every)],
            columns=2,
        ),
        Section(
            "P&L against days held",
            lines=["Boxes from 25 % to 75 %, whiskers from 5 % to 95 %; the line is the mean."],
            charts=[Chart(held)],
        ),
        Section(
            "Worst trades of the matrix",
            lines=["Closes of the underlying with the stop, and what the position was worth with "
                   "its target and what was paid, from the signal to the end."],
            charts=worst.worst_charts(backtest, taken),
            columns=4,
        ),
        Section(
            "Months of the matrix",
            tables=[policies.monthly_table(backtest.days, matrix.equity)],
        ),
        Section("Costs", tables=[ends.costs_table(every)]),
    ]  # fmt: skip
