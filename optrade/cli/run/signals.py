"""Commands that answer: what to trade for the last complete session, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table

if TYPE_CHECKING:
    from home.records.evidence import Evidence
    from home.records.signal import ServedModel, Signal
    from market.errors import StoreUnavailable
    from optrade.flows.serve.shadows import Shadow
    from optrade.runtime import Runtime
    from serving.http.schema import TickerProblem
    from trading.ledger.signals import Recorded

Record = Annotated[bool, typer.Option("--record", help="Write the signals into the ledger.")]
COLUMNS = [
    "ticker", "session", "strategy", "size", "P(UP)", "regime", "overall", "direction by",
    "regime by",
]  # fmt: skip
WIDTH = 120  # characters, where nothing says how wide the terminal is


def signal(
    ticker: options.Ticker,
    record: Record = False,
    as_of: options.AsOf = None,
    capital: options.Capital = None,
    require_edge: options.RequireEdge = False,
    as_json: options.AsJson = False,
) -> None:
    """Give the signal of one underlying."""
    from optrade.flows.serve.signals import compute_signals
    from optrade.flows.train.trained import require_served
    from optrade.runtime import runtime

    run = runtime().pricing(capital, require_edge=require_edge)
    asked = options.parse_ticker(ticker)
    require_served(run.home)
    signals = compute_signals(run, [asked], run.as_of(as_of))
    failed = _recorded(run, signals, as_json) if record else None
    if as_json:
        print_json(signals[0].document())
    else:
        show_signals(signals)
    if failed is not None:
        raise failed
    if record:
        _tell_shadows(run, signals, as_json)


def signal_all(
    tickers: options.Tickers = None,
    record: Record = False,
    as_of: options.AsOf = None,
    capital: options.Capital = None,
    require_edge: options.RequireEdge = False,
    as_json: options.AsJson = False,
) -> None:
    """Give the signals of several underlyings; exit code 3 where one has none."""
    from home.records.signal import Signal
    from optrade.flows.serve.signals import answer_each
    from optrade.flows.train.trained import require_served
    from optrade.runtime import runtime

    run = runtime().pricing(capital, require_edge=require_edge)
    asked = options.chosen_tickers(run, tickers)
    require_served(run.home)
    answers = answer_each(run, asked, run.as_of(as_of))
    signals = [row for row in answers if isinstance(row, Signal)]
    failed = _recorded(run, signals, as_json) if record else None
    if as_json:
        print_json([row.document() for row in answers])
    else:
        show_signals(signals)
    refused = tell_refused(answers)
    if failed is not None:
        raise failed
    if record:
        _tell_shadows(run, signals, as_json)
    if refused:
        raise typer.Exit(3)


def _recorded(run: "Runtime", signals: "list[Signal]", as_json: bool) -> "StoreUnavailable | None":
    """Record signals; return why not all were: a ledger that fails takes no answer away."""
    from market.errors import StoreUnavailable
    from optrade.flows.serve.signals import record_signals

    try:
        kept = record_signals(run, signals)
    except StoreUnavailable as error:
        return StoreUnavailable(f"the signals were not all recorded: {error}")
    for row, one in zip(signals, kept, strict=True):
        typer.echo(f"{row.ticker}: {recorded_words(one)}", err=as_json)
    return None


def _tell_shadows(run: "Runtime", signals: "list[Signal]", as_json: bool) -> None:
    """Record what the rivals of the models say, once the signals are written and shown."""
    from optrade.flows.serve.shadows import record_shadows

    for one in record_shadows(run, signals):
        if one.signal is not None and one.kept is not None:
            words = (
                f"{one.ticker}: beside it {shadow_words(one.signal)}, {recorded_words(one.kept)}"
            )
            typer.echo(words, err=as_json)
        tell_silent([one])


def tell_silent(shadows: "list[Shadow]") -> None:
    """Say on stderr of each rival that stands by and has no row why."""
    for one in shadows:
        if one.why_none is not None:
            typer.echo(f"optrade: {one.ticker}: no shadow recorded: {one.why_none}", err=True)


def shadow_words(signal: "Signal") -> str:
    """Return which versions a shadow is of."""
    models = signal.provenance.models
    return ", ".join(
        f"{task} version {model.version} ({model.model})"
        for task, model in (("direction", models.direction), ("regime", models.regime))
    )


def recorded_words(one: "Recorded") -> str:
    """Return what became of a signal in the ledger, and the number that `replay` knows it by."""
    when = f"{one.recorded_at:%Y-%m-%d %H:%M} UTC"
    if one.new:
        return f"recorded as {'shadow' if one.shadow else 'signal'} {one.number}" + (
            ", backfilled: the session it is filled at had opened" if one.backfilled else ""
        )
    same = "says the same" if one.same else "says otherwise, and stays"
    kind = "shadow" if one.shadow else "signal"
    return f"{kind} {one.number} of {when} {same}"


def tell_refused(answers: "list[Signal | TickerProblem]") -> bool:
    """Say on stderr of each ticker without a signal why; return whether there is one."""
    from serving.http.schema import TickerProblem

    problems = [row for row in answers if isinstance(row, TickerProblem)]
    for row in problems:
        typer.echo(f"optrade: {row.ticker}: {row.error}: {row.detail}", err=True)
    return bool(problems)


def show_signals(signals: "list[Signal]") -> None:
    """Print signals as a table, and below it why each is as it is."""
    print_table("signals", COLUMNS, [signal_row(row) for row in signals], width=WIDTH)
    for row in signals:
        typer.echo(f"{row.ticker}: {row.reasoning}")
        typer.echo(f"{row.ticker}: {position_words(row)}")
        if row.provenance.carried:
            months = ", ".join(row.provenance.carried)
            typer.echo(f"{row.ticker}: carried from the month before: {months}, never released")


def position_words(row: "Signal") -> str:
    """Return a signal's position in a sentence, or why it has none."""
    from trading.structures.words import in_words

    if row.structure is None:
        return f"no position: {row.structure_note or 'recorded before positions were priced'}"
    return in_words(row.structure)


def signal_row(row: "Signal") -> list[str]:
    """Return the cells of a signal, in the order of `COLUMNS`."""
    from trading.strategies.selector import shown

    return [
        row.ticker,
        row.session,
        row.strategy,
        row.position_size,
        shown(row.prediction.probability),
        row.volatility.predicted_regime,
        shown(row.overall_confidence),
        answered_by(row.provenance.models.direction, row.evidence.direction),
        answered_by(row.provenance.models.regime, row.evidence.regime),
    ]


def answered_by(model: "ServedModel", evidence: "Evidence") -> str:
    """Return which model answered, of which type, how it stands, and why it is this one."""
    if model.alias == "baseline":
        return f"{model.model}, {model.note}"
    words = f"{model.model or 'unknown type'} version {model.version}, {evidence.standing}"
    return words if model.note is None else f"{words}: {model.note}"


COMMANDS = {"signal": signal, "signal-all": signal_all}
