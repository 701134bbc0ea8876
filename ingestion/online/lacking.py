"""Tickers of which a view holds nothing yet: they are left out and named, others are published."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from feature_repo.features.catalogue import GROUPS
from home.layout import source_options
from home.manifest import Manifest
from ingestion.online.pointer import Materialization
from ingestion.views.catalogue import VIEW_OF


def without_lacking(done: Materialization, manifest: Manifest) -> Materialization:
    """Return what was found without the tickers of which a required view holds no row.

    One that holds an older row lags: it has been answered with, and may catch up within the hour.
    Where every ticker lacks something nothing is left out, as nothing is published then.

    Parameters
    ----------
    done
        What a run found for every ticker.
    manifest
        Of the home, to say why a row is not there.
    """
    lacks = {ticker: _empty(done.sessions, ticker) for ticker in done.tickers}
    kept = tuple(ticker for ticker, views in lacks.items() if not views)
    if not kept:
        return done
    return replace(
        done,
        tickers=kept,
        sessions=_of(kept, done.sessions),
        optional=_of(kept, done.optional),
        lacking={
            ticker: _words(done, manifest, ticker, views, kept)
            for ticker, views in lacks.items()
            if views
        },
    )


def not_landed(manifest: Manifest, view: str, ticker: str) -> list[str]:
    """Return `key of table` for what a ticker's rows of a view need and has not landed."""
    needed = VIEW_OF[view].needs(ticker)
    return [f"{key} of {table}" for table, key in needed if (table, key) not in manifest.entries]


def cure(manifest: Manifest, kept: Sequence[str]) -> str:
    """Return what to do where tickers lack what has not landed, and `kept` lack nothing."""
    if manifest.origin != "recorded":
        return f"run `optrade ingest {source_options(manifest)}`"
    later = "ingest with a later `--as-of`, where the recorded folder begins later"
    if not kept:
        return later
    return (
        f"{later}; or begin another home (OPTRADE_HOME) without it: "
        f"`optrade ingest {source_options(manifest)} --tickers {','.join(kept)}`"
    )


def _empty(sessions: Mapping[str, Mapping[str, str | None]], ticker: str) -> list[str]:
    return [
        view
        for view, held in sessions.items()
        if GROUPS[view].entity == "ticker" and held[ticker] is None
    ]


def _of(
    tickers: Sequence[str], views: Mapping[str, Mapping[str, str | None]]
) -> dict[str, dict[str, str | None]]:
    return {
        view: {ticker: held[ticker] for ticker in tickers if ticker in held}
        for view, held in views.items()
    }


def _words(
    done: Materialization,
    manifest: Manifest,
    ticker: str,
    views: Sequence[str],
    kept: Sequence[str],
) -> str:
    missing = dict.fromkeys(name for view in views for name in not_landed(manifest, view, ticker))
    why = f", as nothing of {', '.join(missing)} has landed" if missing else ""
    return (
        f"no row of it in {', '.join(views)} by {done.as_of:%Y-%m-%d %H:%M} UTC{why}: "
        f"{cure(manifest, kept)}"
    )
