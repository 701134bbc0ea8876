"""Structured logs, to stderr: readable on a terminal, JSON lines elsewhere."""

import logging
import sys
from typing import TextIO

import structlog

from market.errors import InputError

LEVELS = ("debug", "info", "warning", "error")


class StderrHandler(logging.StreamHandler):
    """Libraries' logs to whatever stderr is at that moment; its level holds for each of them."""

    def __init__(self, level: int) -> None:
        logging.Handler.__init__(self, level)
        self.setFormatter(logging.Formatter(logging.BASIC_FORMAT))

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Standard error, looked up anew: whoever replaces it still gets the logs."""
        return sys.stderr


def configure_logs(level: str) -> None:
    """Send structured logs of `level` and above to stderr.

    Raises
    ------
    InputError
        If the level is not one of `LEVELS`.
    """
    if level not in LEVELS:
        raise InputError(f"OPTRADE_LOG_LEVEL: got {level!r:.20}, allowed are {', '.join(LEVELS)}")
    number = logging.getLevelNamesMapping()[level.upper()]
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=True)
            if terminal
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # Looked up at each line: whoever replaces stderr later still gets the logs.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries speak up only when something is wrong; their deprecations are for developers.
    logging.captureWarnings(capture=True)
    handler = StderrHandler(max(number, logging.WARNING))
    logging.basicConfig(level=handler.level, handlers=[handler], force=True)
    for name in (
        "py.warnings",
        "mlflow",
        "alembic",
        "great_expectations",
        "feast",
        "yfinance",
        "exchange_calendars",
    ):
        logging.getLogger(name).setLevel(max(number, logging.ERROR))
