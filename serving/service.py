"""The HTTP service: `bentoml serve serving.service:SignalService`.

It binds to this machine alone unless a host is given, and answers from one home.
"""

import logging
from http import HTTPStatus
from pathlib import Path
from typing import Final

import bentoml
import pandas as pd
from feast import FeatureView
from starlette.responses import Response

from feature_repo import definitions
from feature_repo.errors import InputError
from feature_repo.markets import underlying
from feature_repo.repo_config import REPO
from serving.checks import Checks, problem
from serving.refusal import Refusal
from serving.schema import Signal, SignalRequest
from serving.served_home import ServedHome

HOST: Final = "127.0.0.1"
PORT: Final = 3000
# A frozen Redis holds a thread for its timeout: the others are still answered.
THREADS: Final = 8

logger = logging.getLogger("optrade.serving")


def defined_home() -> Path:
    """Return the home whose feature files the definitions name: OPTRADE_HOME or the checkout.

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
            underlying(ticker)
        except InputError as error:
            return _response(HTTPStatus.NOT_FOUND, "unknown_ticker", str(error))
        try:
            found = self.served.signal_for(ticker, pd.Timestamp.now(tz="UTC"))
        except Refusal as refusal:
            logger.warning("no signal for %s: %s", ticker, refusal)
            return _response(
                HTTPStatus.SERVICE_UNAVAILABLE,
                refusal.error,
                refusal.detail,
                {"retry-after": str(refusal.retry_after)},
            )
        except InputError as error:
            # The question was good, so what is bad is a file of ours.
            logger.warning("no signal for %s: %s", ticker, error)
            return _response(HTTPStatus.SERVICE_UNAVAILABLE, "not_configured", str(error))
        return Signal.model_validate(found)

    def __is_ready__(self) -> bool:
        """Return whether the home is open and its online store answers."""
        return self.served.ready()


def _response(
    status: HTTPStatus, error: str, detail: str, headers: dict[str, str] | None = None
) -> Response:
    code, fields, body = problem(status, error, detail, headers)
    return Response(body, code, fields)


SignalService.add_asgi_middleware(Checks, inputs={"/signal": SignalRequest})
