"""Commands that bring data in: fetch, build features, materialize."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import typer

from home.strict_json import Json
from optrade.cli import options
from optrade.cli.output import print_json, print_table, progress_bar

if TYPE_CHECKING:
    from ingestion.build.build import ViewReport
    from ingestion.landing.report import TableReport
    from optrade.flows.data import Ingested


# Told on standard error, a line each: no columns.
IN_LINES: Final = ("refused",)


def fetch_all(
    source: options.Source = None,
    tickers: options.Tickers = None,
    ticker: options.Ticker = "",
    recorded_dir: options.RecordedDir = None,
    seed: options.Seed = None,
    signal_strength: options.SignalStrength = None,
    as_of: options.AsOf = None,
    as_json: options.AsJson = False,
) -> None:
    """Fetch raw data, check it and land it: prices, volatility indices, macro series."""
    from optrade.flows.data import Ingested, fetch
    from optrade.runtime import runtime

    run = runtime()
    chosen = run.source(source, recorded_dir, seed, signal_strength, as_of)
    names = options.chosen_tickers(run, ticker or tickers)
    with progress_bar() as progress:
        report = fetch(run.home, chosen, names, progress)
    show_ingest(Ingested(fetched=report), as_json)


def build_features(as_of: options.AsOf = None, as_json: options.AsJson = False) -> None:
    """Compute the features of every landed session."""
    from optrade.flows.data import Ingested, build
    from optrade.runtime import runtime

    run = runtime()
    with progress_bar() as progress:
        report = build(run.home, run.landing_time(as_of), progress, run.settings.placement())
    show_ingest(Ingested(built=report), as_json)


def materialize(as_of: options.AsOf = None, as_json: options.AsJson = False) -> None:
    """Bring the newest features into the online store."""
    from optrade.flows.data import Ingested, publish
    from optrade.runtime import runtime

    run = runtime()
    show_ingest(Ingested(online=publish(run, run.as_of(as_of))), as_json)


def ingest(
    source: options.Source = None,
    tickers: options.Tickers = None,
    recorded_dir: options.RecordedDir = None,
    seed: options.Seed = None,
    signal_strength: options.SignalStrength = None,
    plant_leak: options.PlantLeak = False,
    as_of: options.AsOf = None,
    as_json: options.AsJson = False,
) -> None:
    """Fetch, build features and materialize, in a row."""
    from optrade.flows.data import fetch_and_build, publish_built
    from optrade.runtime import runtime

    run = runtime()
    chosen = run.source(source, recorded_dir, seed, signal_strength, as_of)
    names = options.chosen_tickers(run, tickers)
    with progress_bar() as progress:
        done = fetch_and_build(
            run.home,
            chosen,
            names,
            progress,
            plant_leak=plant_leak,
            placement=run.settings.placement(),
        )
    # Where no vendor answered in a new home there is nothing to publish: the fetch says why.
    if any(view.keys for view in done.built or ()):
        done = publish_built(run, done, chosen.as_of)
    show_ingest(done, as_json)


def show_ingest(
    done: "Ingested", as_json: bool, after: Mapping[str, Json] = MappingProxyType({})
) -> None:
    """Print what landed, and what came after it; exit code 3 where a key was left behind."""
    report = {**_document(done), **after}
    fetched = done.fetched or []
    if as_json:
        print_json(report)
    else:
        _print_tables(report)
        for line in filter(None, (table.refused_line() for table in fetched)):
            typer.echo(line, err=True)
        for finding in (found for table in fetched for found in table.findings):
            typer.echo(finding.line(), err=True)
    undone = [*map(_stale_line, filter(lambda table: table.stale, fetched)), *_failed_lines(done)]
    for line in undone:
        typer.echo(f"optrade: {line}", err=True)
    if undone:
        raise typer.Exit(3)


def _stale_line(table: "TableReport") -> str:
    return f"{table.table} of {', '.join(table.stale_keys)} did not land: {table.stale}"


def _failed_lines(done: "Ingested") -> list[str]:
    """Return what could not be built or published, and why: a line a key and reason."""
    failed = _failed(done.built or ())
    lines = [f"{words} were not built: {why}" for words, why in _not_built(failed)]
    if done.unpublished is not None:
        lines.append(f"nothing was published: {done.unpublished}")
    if done.online is None:
        return lines
    named = {key for key, _ in failed}
    damaged = {key: why for key, why in done.online.damaged.items() if key not in named}
    left_out = {**damaged, **done.online.lacking}
    lines += [f"{key} was not published: {why}" for key, why in left_out.items()]
    if done.online.session is None:
        lines.append(f"no session was published: behind are {', '.join(done.online.behind())}")
    return lines


def _failed(built: "Sequence[ViewReport]") -> dict[tuple[str, str], list[str]]:
    """Return the views that were not built, by key and reason."""
    failed: dict[tuple[str, str], list[str]] = {}
    for view in built:
        for key, why in view.failed.items():
            failed.setdefault((key, why), []).append(view.view)
    return failed


def _not_built(failed: Mapping[tuple[str, str], list[str]]) -> Iterator[tuple[str, str]]:
    """Yield what was not built and why: keys together that lack the same for the same reason."""
    from feature_repo.features.catalogue import GROUPS

    together: dict[tuple[str, str], list[str]] = {}
    for (key, why), views in failed.items():
        entity = GROUPS[views[0]].entity
        is_all = len(views) == sum(group.entity == entity for group in GROUPS.values())
        together.setdefault(("the features" if is_all else ", ".join(views), why), []).append(key)
    for (what, why), keys in together.items():
        yield f"{what} of {', '.join(keys)}", why


def _document(done: "Ingested") -> dict[str, Json]:
    """Return the steps that were tried, in their order."""
    steps: dict[str, Json] = {}
    if done.fetched is not None:
        steps["fetch"] = [table.document() for table in done.fetched]
    if done.built is not None:
        steps["features"] = [view.document() for view in done.built]
    if done.online is not None:
        steps["online"] = done.online.document()
    return steps


def _print_tables(report: Mapping[str, Json]) -> None:
    for title, rows in report.items():
        table = rows if isinstance(rows, list) else [rows]
        if table:
            columns = [name for name in table[0] if name not in IN_LINES]
            cells = [[_cell(row[name]) for name in columns] for row in table]
            print_table(title, columns, cells)


def _cell(value: Json) -> Json:
    return len(value) if isinstance(value, list) else value


COMMANDS = {
    "ingest": ingest,
    "fetch-all": fetch_all,
    "build-features": build_features,
    "materialize": materialize,
}
