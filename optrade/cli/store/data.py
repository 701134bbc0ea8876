"""Commands that bring data in: fetch, build features, materialize."""

from typing import Any

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table, progress_bar


def fetch_all(
    source: options.Source,
    tickers: options.Tickers = options.EVERY_TICKER,
    ticker: options.Ticker = "",
    recorded_dir: options.RecordedDir = None,
    seed: options.Seed = 7,
    signal_strength: options.SignalStrength = 0.0,
    as_of: options.AsOf = None,
    as_json: options.AsJson = False,
) -> None:
    """Fetch raw data, check it and land it: prices, volatility indices, macro series."""
    from optrade.flows.data import fetch
    from optrade.runtime import runtime

    run = runtime()
    chosen = run.source(source, recorded_dir, seed, signal_strength, as_of)
    names = options.parse_tickers(ticker or tickers)
    with progress_bar() as progress:
        report = fetch(run.home, chosen, names, progress)
    show_ingest({"fetch": report}, as_json)


def build_features(as_of: options.AsOf = None, as_json: options.AsJson = False) -> None:
    """Compute the features of every landed session."""
    from optrade.flows.data import build
    from optrade.runtime import runtime

    run = runtime()
    with progress_bar() as progress:
        report = build(run.home, run.landing_time(as_of), progress, run.settings.placement())
    show_ingest({"features": report}, as_json)


def materialize(as_of: options.AsOf = None, as_json: options.AsJson = False) -> None:
    """Bring the newest features into the online store."""
    from optrade.flows.data import publish
    from optrade.runtime import runtime

    run = runtime()
    show_ingest({"online": publish(run, run.as_of(as_of))}, as_json)


def ingest(
    source: options.Source,
    tickers: options.Tickers = options.EVERY_TICKER,
    recorded_dir: options.RecordedDir = None,
    seed: options.Seed = 7,
    signal_strength: options.SignalStrength = 0.0,
    plant_leak: options.PlantLeak = False,
    as_of: options.AsOf = None,
    as_json: options.AsJson = False,
) -> None:
    """Fetch, build features and materialize, in a row."""
    from optrade.flows.data import fetch_and_build, publish
    from optrade.runtime import runtime

    run = runtime()
    chosen = run.source(source, recorded_dir, seed, signal_strength, as_of)
    names = options.parse_tickers(tickers)
    with progress_bar() as progress:
        report: dict[str, Any] = fetch_and_build(
            run.home,
            chosen,
            names,
            progress,
            plant_leak=plant_leak,
            placement=run.settings.placement(),
        )
    # Where no vendor answered in a new home there is nothing to publish: the fetch says why.
    if any(row["keys"] for row in report["features"]):
        report["online"] = publish(run, chosen.as_of)
    show_ingest(report, as_json)


def show_ingest(report: dict[str, Any], as_json: bool) -> None:
    """Print what landed; exit code 3 where a source did not answer."""
    if as_json:
        print_json(report)
    else:
        _print_tables(report)
    stale = [row["table"] for row in report.get("fetch", []) if row["stale"]]
    if stale:
        typer.echo(f"optrade: stale, as its source did not answer: {', '.join(stale)}", err=True)
        raise typer.Exit(3)


def _print_tables(report: dict[str, Any]) -> None:
    for title, rows in report.items():
        table = rows if isinstance(rows, list) else [rows]
        if table:
            cells = [[_cell(value) for value in row.values()] for row in table]
            print_table(title, list(table[0]), cells)
    for row in report.get("fetch", []):
        for finding in row["findings"]:
            typer.echo(f"{finding['table']} {finding['key'] or ''}: {finding['detail']}", err=True)


def _cell(value: Any) -> Any:  # noqa: ANN401 - whatever a report holds
    return len(value) if isinstance(value, list) else value


COMMANDS = {
    "ingest": ingest,
    "fetch-all": fetch_all,
    "build-features": build_features,
    "materialize": materialize,
}
