"""The command that looks into a recipe: history, single features, drift, its worst days."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table

if TYPE_CHECKING:
    from optrade.flows.train.diagnose import HomeDiagnosis
    from training.diagnose.features import Moved
    from training.diagnose.found import Learned, SecondOpinion, WorstDay

SHOWN = 10  # rows of each table; --json has all


def diagnose(
    ticker: options.Ticker,
    task: Annotated[str, typer.Option("--task", help="{tasks}.")] = "direction",
    model_type: Annotated[
        str, typer.Option("--model-type", help="Model type, such as logistic.")
    ] = "logistic",
    pooled: Annotated[
        bool, typer.Option("--pooled", help="Train on the rows of all underlyings.")
    ] = False,
    period: options.Period = "5y",
    start: options.Start = None,
    end: Annotated[
        str | None,
        typer.Option("--end", help="Last session; by default the last before the locked window."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Show a learning curve, leakage suspects, drift of features between folds, worst days."""
    from optrade.flows.train.diagnose import diagnose_home
    from optrade.runtime import runtime

    name = options.parse_ticker(ticker)
    found = diagnose_home(runtime(), task, name, model_type, (period, start, end), pooled=pooled)
    if as_json:
        print_json(found.document())
        return
    window = found.window
    typer.echo(
        f"{task} {model_type} {name}, {window.start} to {window.end}, "
        f"{window.sessions} sessions, of which {window.locked_sessions} in the locked window"
    )
    _print_curve(found.found.learning_curve, found.score)
    _print_second_opinion(found.found.second_opinion)
    _print_features(found)
    _print_drift(found.found.drift)
    _print_days(found.found.worst_days)


def _print_second_opinion(found: "SecondOpinion") -> None:
    if not found.splits:
        typer.echo("combinatorial folds: none could be fitted")
        return
    typer.echo(
        f"combinatorial folds, {found.splits} splits: better than the baseline in "
        f"{found.better:.0%}, by {found.mean:+.4f} on average "
        f"({found.lowest:+.4f} to {found.highest:+.4f})"
    )


def _print_curve(rows: "list[Learned]", score: str) -> None:
    columns = [
        "trained on",
        "from",
        "log loss",
        "baseline's",
        "better by",
        "95 % interval",
        score,
    ]
    print_table(
        "learning curve, on the last test part",
        [*columns, "not fitted"],
        [
            [
                row.sessions,
                row.start,
                _number(row.log_loss),
                _named(row.baseline_log_loss, row.baseline),
                _signed(row.difference),
                _interval(row.interval),
                _number(row.score),
                row.why_not,
            ]
            for row in rows
        ],
    )


def _print_features(found: "HomeDiagnosis") -> None:
    audit = found.audit
    print_table(
        f"single features out of fold: {len(found.suspects)} suspect; look-ahead audit: "
        f"{audit.findings} findings in {audit.compared} values",
        ["feature", "nats", "bound beyond reference", "auc", "suspect", "reads later sessions"],
        [
            [
                row.name,
                _signed(row.information),
                _signed(row.bound),
                _number(row.auc),
                _yes(row.suspect),
                _yes(row.name in audit.features),
            ]
            for at, row in enumerate(found.found.features)
            if at < SHOWN or row.suspect
        ],
    )


def _print_drift(moved: "list[Moved]") -> None:
    print_table(
        "drift from training to test parts, worst first",
        ["feature", "KS", "fold", "mean KS", "more nulls"],
        [
            [
                row.name,
                _number(row.ks),
                row.fold,
                _number(row.mean_ks),
                f"{row.null_shift:+.1%}",
            ]
            for row in moved[:SHOWN]
        ],
    )


def _print_days(days: "list[WorstDay]") -> None:
    print_table(
        "worst days, by log loss",
        ["session", "loss", "said", "happened", "furthest from training"],
        [
            [
                row.session,
                _number(row.loss),
                ", ".join(f"{name} {chance:.2f}" for name, chance in row.probabilities.items()),
                row.happened,
                ", ".join(f"{far.name} {far.deviations:+.1f} sd" for far in row.furthest),
            ]
            for row in days
        ],
    )


def _number(figure: float | None) -> str | None:
    return None if figure is None else f"{figure:.3f}"


def _named(figure: float | None, name: str | None) -> str | None:
    if figure is None or name is None:
        return None
    return f"{figure:.3f} ({name.replace('_', ' ')})"


def _signed(figure: float | None) -> str | None:
    return None if figure is None else f"{figure:+.4f}"


def _interval(spread: list[float] | None) -> str | None:
    return None if spread is None else f"{spread[0]:+.4f} to {spread[1]:+.4f}"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


COMMANDS = {"diagnose": diagnose}
