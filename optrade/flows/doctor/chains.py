"""Checks of option chains: who gives live ones, and what each ticker's positions are priced on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pandas as pd

from home.layout import source_options
from home.manifest import Manifest, read_manifest
from ingestion.sources.live import check_chains as check_vendor
from market.calendar import last_complete_session
from market.errors import ConfigurationError, InputError
from market.options.chain import Chain
from market.options.roots import chain_keys
from optrade.flows.doctor.finding import Finding
from serving.reading.chains import TABLE, LandedChains

if TYPE_CHECKING:
    from optrade.runtime import Runtime

VARIABLE: Final = "OPTRADE_CHAINS"
SYNTHETIC: Final = "positions are priced by the volatility index, a point lower or higher"
NAME_ONE: Final = (
    "set OPTRADE_CHAINS to cboe, yahoo, tradier or massive, whose terms docs/chains.md tells, "
    "then run `optrade ingest`"
)


def check_chains(run: "Runtime") -> Iterator[Finding]:
    """Yield who gives a live home its chains, and for each ticker what prices its positions."""
    try:
        manifest = read_manifest(run.home.data)
        tickers = manifest.keys("prices")
        session = last_complete_session(run.as_of()) if tickers else None
    except (InputError, OSError):
        return  # a finding on the data says so
    if manifest.origin == "live":
        yield _vendor(run.settings.chains)
    if session is None:
        return
    chains = LandedChains(run.home.data)
    for ticker in tickers:
        yield _ticker(run, manifest, chains, ticker, session)


def _vendor(word: str | None) -> Finding:
    if word is None:
        words = f"not set: no live option chains land, so {SYNTHETIC}; to have quotes, {NAME_ONE}"
        return Finding(VARIABLE, "ok", words)
    try:
        check_vendor(word)
    except ConfigurationError as error:
        return Finding(VARIABLE, "error", str(error))
    return Finding(VARIABLE, "ok", f"{word}: `optrade ingest` lands its live option chains")


def _ticker(
    run: "Runtime",
    manifest: Manifest,
    chains: LandedChains,
    ticker: str,
    session: pd.Timestamp,
) -> Finding:
    """Return what prices a ticker's positions, and where none of what landed does, what to do."""
    check, why = f"chains {ticker}", []
    for chain in chains.quoted(ticker, session, run.as_of()).candidates():
        if isinstance(chain, Chain):
            scaled = "" if chain.underlying == ticker else ", scaled"
            age = (run.as_of() - chain.quote_time) / pd.Timedelta(hours=1)
            words = (
                f"positions are priced on quotes of {chain.underlying} of "
                f"{chain.quote_time:%Y-%m-%d %H:%M} UTC, {age:.1f} hours old{scaled}"
            )
            return Finding(check, "ok", "; ".join([words, *why]))
        why.append(chain)
    landed = any((TABLE, key) in manifest.entries for key in chain_keys(ticker))
    words = "; ".join([f"{SYNTHETIC}: {' and '.join(why)}", _cure(run, manifest)])
    # Without any it is how the home is kept; with some, they have been left behind.
    return Finding(check, "warning" if landed else "ok", words)


def _cure(run: "Runtime", manifest: Manifest) -> str:
    if manifest.origin == "live":
        return "run `optrade ingest`" if run.settings.chains else NAME_ONE
    words = f"run `optrade ingest {source_options(manifest)}`"
    if manifest.origin == "recorded":
        return f"put chains of that session into option_chains/ of the folder, then {words}"
    return words
