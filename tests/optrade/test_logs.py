"""Libraries' logs follow stderr, and what a library calls information stays out of it."""

import io
import logging
import sys

import pytest

from optrade.logs import configure_logs


@pytest.fixture(autouse=True)
def handlers():
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = kept, level


def test_logs_follow_stderr_when_it_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    configure_logs("warning")
    first.close()
    monkeypatch.setattr(sys, "stderr", second)
    logging.getLogger("some.library").warning("look")
    assert "look" in second.getvalue()
    assert "Logging error" not in second.getvalue()


def test_a_library_that_raises_its_own_level_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure_logs("debug")
    library = logging.getLogger("talkative")
    library.setLevel(logging.INFO)
    library.info("GET /data?api_key=secret")
    assert written.getvalue() == ""
