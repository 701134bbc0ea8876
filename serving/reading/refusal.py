"""Why there is no answer: ours to fix and worth asking again, or the caller's to change."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from market.errors import InputError, SourceUnavailable
from market.underlyings import underlying

SOON: Final = 5
LATER: Final = 60
#: Refusals of rows that are lost, or not as they were published: filling the store anew mends them.
LOST_ROWS: Final = ("missing_views", "damaged_row", "foreign_row")


class Refusal(SourceUnavailable):
    """No signal for a good question (HTTP 503): ask again later.

    Attributes
    ----------
    error
        The reason in one word, for programs.
    detail
        The reason in a sentence, for people: what was found, what is needed, what to do.
    retry_after
        After how many seconds asking again makes sense.
    """

    def __init__(self, error: str, detail: str, retry_after: int = LATER) -> None:
        super().__init__(f"{error}: {detail}")
        self.error = error
        self.detail = detail
        self.retry_after = retry_after


class NullFeatures(Refusal):
    """Features that a model reads have no value; `names` are theirs."""

    def __init__(self, detail: str, names: Iterable[str]) -> None:
        super().__init__("null_features", detail)
        self.names = frozenset(names)


class CallerFault(InputError):
    """A question that cannot be answered as it is asked (HTTP 404 or 422): change it.

    Attributes
    ----------
    error
        The reason in one word, for programs.
    detail
        The reason in a sentence, for people: what was got, what is allowed.
    status
        The HTTP status.
    """

    def __init__(
        self, error: str, detail: str, status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
    ) -> None:
        super().__init__(f"{error}: {detail}")
        self.error = error
        self.detail = detail
        self.status = status


def known_ticker(ticker: str) -> str:
    """Return a ticker that is an underlying, in capitals, however it was written.

    Raises
    ------
    CallerFault
        `unknown_ticker` (404), naming those that are.
    """
    try:
        # Some letters of other alphabets have a capital in ours: they are no tickers.
        return underlying(ticker.upper() if ticker.isascii() else ticker).ticker
    except InputError as error:
        raise CallerFault("unknown_ticker", str(error), HTTPStatus.NOT_FOUND) from None
