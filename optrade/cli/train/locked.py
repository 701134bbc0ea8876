"""`optrade locked`: the last two years of a home, opened once per model family."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table

if TYPE_CHECKING:
    from training.locked.window import Opening

app = typer.Typer(
    help="Score the locked last two years of the home, once per model family.",
    cls=options.Group,
)
COLUMNS = ["family", "opened", "window", "sessions", "log loss", "baseline's", "better by"]


@app.command("open", cls=options.Command)
def open_window(
    task: Annotated[str, typer.Option("--task", help="{tasks}.")],
    model: Annotated[str, typer.Option("--model", help="Model type, such as logistic.")],
    tickers: Annotated[
        str, typer.Option("--ticker", "--tickers", help="Underlyings, separated by commas.")
    ],
    pooled: Annotated[
        bool, typer.Option("--pooled", help="Train on the rows of all underlyings.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Fit a family on all that was known before the window, score it once, keep the result.

    A family is a task, a model type and a ticker; a second opening is refused.
    """
    from optrade.flows.train.locked import open_locked
    from optrade.runtime import runtime

    run = runtime()
    names = options.parse_tickers(tickers)
    _show([open_locked(run, task, model, name, pooled=pooled) for name in names], as_json)


@app.command("list")
def list_openings(as_json: options.AsJson = False) -> None:
    """Show every opening with its result, whatever it is."""
    from optrade.flows.train.locked import locked_openings
    from optrade.runtime import runtime

    _show(list(locked_openings(runtime())), as_json)


def _show(opened: "list[Opening]", as_json: bool) -> None:
    if as_json:
        print_json([one.document() for one in opened])
        return
    print_table("locked window", COLUMNS, [_row(one) for one in opened])


def _row(opening: "Opening") -> list[object]:
    from training.locked.window import words_of

    family, opened = words_of(opening.family), ", ".join(at[:10] for at in opening.opened_at)
    if (result := opening.result) is None:
        return [family, opened, "cut off before there was a result", *[None] * 4]
    window, gate = result.window, result.gate
    spread = gate.interval
    between = "no interval" if spread is None else f"{spread[0]:+.4f} to {spread[1]:+.4f}"
    return [
        family,
        opened,
        f"{window.start} to {window.end}",
        window.decided,
        f"{gate.value:.4f}",
        f"{gate.baseline_value:.4f} ({gate.baseline.replace('_', ' ')})",
        f"{gate.improvement:+.4f} ({between})",
    ]
