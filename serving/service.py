"""The HTTP service: `bentoml serve serving.service:SignalService`.

It binds to this machine alone unless a host is given, and answers from one home.
"""
# ruff: noqa: E402 - what follows may fail to load, and BentoML would report that too

from serving.http import telemetry

telemetry.switch_off()

from serving.http import orphan

# As early as can be: it may be gone before the rest is loaded.
orphan.watch_supervisor()

import logging
from http import HTTPStatus
from pathlib import Path
from typing import Final

import bentoml
import pandas as pd
from feast import FeatureView
from starlette.exceptions import HTTPException
from starlette.responses import Response

from feature_repo import definitions
from feature_repo.store.repo_config import REPO
from home.records.signal import Signal
from market.errors import InputError
from serving.answer.predictions import Question
from serving.answer.served_home import ServedHome
from serving.http import deprecations
from serving.http.checks import Checks, problem
from serving.http.documentation import Documentation, document
from serving.http.front_page import FrontPage
from serving.http.metrics import count_prediction, count_refusal, count_signal
from serving.http.schema import (
    PredictAnswer,
    PredictRequest,
    SignalRequest,
    SignalsAnswer,
    SignalsRequest,
    TickerProblem,
)
from serving.reading.refusal import LATER, CallerFault, Refusal, known_ticker

deprecations.hide()

HOST: Final = "127.0.0.1"
PORT: Final = 3000
# A frozen Redis holds a thread for its timeout: the others are still answered.
THREADS: Final = 8
INPUTS: Final = {"/signal": SignalRequest, "/signals": SignalsRequest, "/predict": PredictRequest}

logger = logging.getLogger("optrade.serving")


def defined_home() -> Path:
    """Return the home whose feature files the definitions name: OPTRADE_HOME or the default one.

    A server started by `bentoml serve` has no composition root that could say so.
    """
    view = next(row for row in vars(definitions).values() if isinstance(row, FeatureView))
    # A view's files are <home>/data/features/<view>, and a relative path counts from the repo.
    return (REPO / view.batch_source.path).resolve().parents[2]


@bentoml.service(
    name="SignalService",
    http={"host": HOST, "port": PORT},
    workers=1,
    threads=THREADS,
    traffic={"timeout": 10},
)
class SignalService:
    """Options signals of one home: direction, implied volatility, strategy and evidence."""

    def __init__(self) -> None:
        self.served = ServedHome(defined_home())

    @bentoml.api(route="/signal", input_spec=SignalRequest, output_spec=Signal)
    def signal(self, ticker: str) -> Signal | Response:
        """Give the signal of one underlying for the last complete session."""
        try:
            return self._signal(ticker, pd.Timestamp.now(tz="UTC"))
        except (Refusal, InputError) as error:
            return _response(_fault("/signal", error))

    @bentoml.api(route="/signals", input_spec=SignalsRequest, output_spec=SignalsAnswer)
    def signals(self, tickers: list[str]) -> SignalsAnswer:
        """Give a signal or an error for each ticker, in the order asked, all by one clock."""
        now = pd.Timestamp.now(tz="UTC")
        found = {ticker: self._entry(ticker, now) for ticker in dict.fromkeys(tickers)}
        return SignalsAnswer([found[ticker] for ticker in tickers])

    @bentoml.api(route="/predict", input_spec=PredictRequest, output_spec=PredictAnswer)
    def predict(
        self, ticker: str, date: str, features: dict[str, float]
    ) -> PredictAnswer | Response:
        """Give a prediction for features that the caller brings."""
        try:
            found = self.served.predict(Question(ticker, date, features))
        except (Refusal, InputError) as error:
            return _response(_fault("/predict", error))
        count_prediction(found)
        return found

    def _signal(self, ticker: str, now: pd.Timestamp) -> Signal:
        found = self.served.signal_for(known_ticker(ticker), now)
        count_signal(found)
        return found

    def _entry(self, ticker: str, now: pd.Timestamp) -> Signal | TickerProblem:
        try:
            return self._signal(ticker, now)
        except (Refusal, InputError) as error:
            _, word, detail, _ = _fault("/signals", error)
            return TickerProblem(ticker=ticker, error=word, detail=detail)

    def __is_ready__(self) -> bool:
        """Return whether signals can be asked for.

        Raises
        ------
        HTTPException
            503 with the reason, where BentoML would give none.
        """
        try:
            self.served.check_ready()
        except (Refusal, InputError) as error:
            status, headers, body = problem(*_described(error))
            raise HTTPException(status, body.decode(), headers) from error
        return True


Fault = tuple[HTTPStatus, str, str, dict[str, str]]


def _fault(endpoint: str, error: Refusal | InputError) -> Fault:
    """Count and log an answer that is none; return its status, word, sentence and headers."""
    fault = _described(error)
    status, word, detail, _ = fault
    count_refusal(endpoint, word)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        logger.warning("%s: %s: %s", endpoint, word, detail)
    return fault


def _described(error: Refusal | InputError) -> Fault:
    if isinstance(error, CallerFault):
        return error.status, error.error, error.detail, {}
    ours = HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(error, Refusal):
        return ours, error.error, error.detail, {"retry-after": str(error.retry_after)}
    # The question was good, so what is bad is a file of ours.
    return ours, "not_configured", str(error), {"retry-after": str(LATER)}


def _response(fault: Fault) -> Response:
    status, headers, body = problem(*fault)
    return Response(body, status, headers)


SignalService.add_asgi_middleware(Checks, inputs=INPUTS)
SignalService.add_asgi_middleware(Documentation, source=document)
SignalService.add_asgi_middleware(FrontPage, source=document)
