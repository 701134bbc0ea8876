"""Structured logs, to stderr: readable on a terminal, JSON lines elsewhere."""

import logging
import sys

import structlog

from feature_repo.errors import InputError

LEVELS = ("debug", "info", "warning", "error")


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
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, force=True)
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
