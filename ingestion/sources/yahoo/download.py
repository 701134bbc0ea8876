"""yfinance behind one call: daily bars of a symbol, or an error that says what to do."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import pandas as pd

from ingestion.sources.wire.http import redact
from ingestion.sources.wire.patience import TryAgain
from market.errors import SourceUnavailable

T = TypeVar("T")

# One try: the symbol, the first day (None: all history) and the seconds it may take. Returns bars
# up to the vendor's newest, as of yfinance with auto_adjust=False. Raises `TryAgain` or
# `SourceUnavailable`, whose text says only why.
Download = Callable[[str, pd.Timestamp | None, float], pd.DataFrame]

# What yfinance lets through beside its own errors and the network's: it meets whatever Yahoo
# sends in place of the answer that it expects.
UNREADABLE: Final = (ValueError, LookupError, TypeError, AttributeError)


def yfinance_download(cache_dir: Path | None = None) -> Download:
    """Return a download through yfinance.

    Parameters
    ----------
    cache_dir
        The folder for the time zones and cookies that yfinance keeps; None leaves it to yfinance,
        which takes the user's cache folder.
    """

    def download(symbol: str, start: pd.Timestamp | None, seconds: float) -> pd.DataFrame:
        if cache_dir is not None:
            _keep_cache_in(cache_dir)
        return _history(symbol, start, seconds)

    return download


class Options(Protocol):
    """The option chains of a symbol at Yahoo, as yfinance's ticker gives them."""

    @property
    def options(self) -> Sequence[str]:
        """The expirations, YYYY-MM-DD."""
        ...

    def option_chain(self, date: str) -> Any:  # noqa: ANN401 - yfinance's own shape
        """Return the `calls` and `puts` of an expiration, frames, and the `underlying`."""
        ...


# The chains of a symbol. Whatever is asked of them may raise as `Download` does.
OpenOptions = Callable[[str], Options]


def yfinance_options(cache_dir: Path | None = None) -> OpenOptions:
    """Return what opens the chains of a symbol through yfinance; see `yfinance_download`."""

    def opened(symbol: str) -> Options:
        import yfinance

        if cache_dir is not None:
            _keep_cache_in(cache_dir)
        yfinance.config.debug.hide_exceptions = False
        ticker: Options = yfinance.Ticker(symbol)
        return ticker

    return opened


def _history(symbol: str, start: pd.Timestamp | None, seconds: float) -> pd.DataFrame:
    import yfinance

    period = {"period": "max"} if start is None else {"start": start.strftime("%Y-%m-%d")}
    # Otherwise yfinance logs its errors, and answers with an empty frame.
    yfinance.config.debug.hide_exceptions = False
    return asked(
        lambda: yfinance.Ticker(symbol).history(
            **period, auto_adjust=False, actions=True, keepna=True, timeout=seconds
        )
    )


def asked(ask: Callable[[], T]) -> T:
    """Return what a question through yfinance gives, its errors told apart.

    Raises
    ------
    TryAgain, SourceUnavailable
        If there is no useful answer; the text says only why.
    """
    from yfinance.exceptions import YFException, YFRateLimitError

    fault: SourceUnavailable
    try:
        return ask()
    except YFRateLimitError:
        # Asking again at once makes it last longer.
        fault = SourceUnavailable("Yahoo limits the rate of this address, wait some minutes")
    except YFException as error:
        fault = SourceUnavailable(f"Yahoo has nothing ({redact(str(error)):.200})")
    except UNREADABLE as error:
        kind = type(error).__name__
        fault = SourceUnavailable(
            f"yfinance cannot read the answer ({kind}: {redact(str(error)):.200}); Yahoo sends a "
            "page when it is down or blocks a client"
        )
    except OSError as error:
        fault = TryAgain(f"the connection failed ({redact(str(error)):.200})")
    raise fault


@cache
def _keep_cache_in(folder: Path) -> None:
    # Once: yfinance closes the files it has open at each call.
    import yfinance

    yfinance.set_tz_cache_location(str(folder))
