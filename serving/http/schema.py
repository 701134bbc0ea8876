"""What goes in and out over HTTP: strict, nothing extra, every number finite."""

from typing import Annotated, Final

from pydantic import Field, RootModel

from home.records.record import Record
from home.records.signal import Day, IvContext, Prediction, Signal

# More than there are underlyings, and few enough to answer within the time that a request has.
MAX_TICKERS: Final = 50


class SignalRequest(Record):
    """Which ticker a signal is wanted for."""

    ticker: str


class SignalsRequest(Record):
    """Which tickers signals are wanted for: in this order, twice if named twice."""

    tickers: Annotated[list[str], Field(min_length=1, max_length=MAX_TICKERS)]


class PredictRequest(Record):
    """The design's prediction input: the features of a ticker and session, by name."""

    ticker: str
    date: Day
    features: dict[str, float]


class Problem(Record):
    """Why there is no signal: one word for programs, one sentence for people."""

    error: str
    detail: str


class TickerProblem(Problem):
    """Why there is no signal of one ticker of several."""

    ticker: str


class SignalsAnswer(RootModel[list[Signal | TickerProblem]]):
    """One entry for each ticker, in the order asked: its signal, or why there is none."""


class StrategySuggestion(Record):
    """A position in words, and the rule that chose it."""

    primary: str
    reasoning: str


class PredictAnswer(Record):
    """The design's prediction output."""

    ticker: str
    date: Day
    prediction: Prediction
    iv_context: IvContext
    strategy_suggestion: StrategySuggestion
