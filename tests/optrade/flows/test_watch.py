"""The watch fills the store anew when the service was refused a row, but not all the time."""

import os
from dataclasses import dataclass

import pandas as pd
import pytest
from redis import Redis

from optrade.flows.serve import watch
from optrade.redis import server as redis_server
from optrade.redis.content import refill_asked
from serving.reading.online import ask_refill

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Run:
    now: pd.Timestamp

    def redis_url(self) -> str:
        return "redis://127.0.0.1/0"


def test_a_refill_is_asked_for_once(tmp_path) -> None:
    address = redis_server.start(tmp_path)
    try:
        assert not refill_asked(address.url)
        ask_refill(Redis.from_url(address.url))
        assert refill_asked(address.url)
        assert not refill_asked(address.url)
    finally:
        redis_server.stop(tmp_path)
    ask_refill(Redis.from_url(address.url))  # nobody is there, nothing is said


def test_refills_that_do_not_mend_are_seconds_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, filled = [0.0], []

    def tick(seconds: float) -> None:
        clock[0] += seconds

    def refill(run: Run) -> pd.Series:
        filled.append(clock[0])
        return pd.Series({"session": "2025-06-30"})

    monkeypatch.setattr(watch, "ready_store", lambda _: None)
    monkeypatch.setattr(watch, "refill_asked", lambda _: True)
    monkeypatch.setattr(watch, "refill", refill)
    monkeypatch.setattr(watch.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(watch.time, "sleep", tick)
    monkeypatch.setattr(os, "getppid", lambda: 1 if clock[0] < 12 else 2)
    watch.watch(Run(pd.Timestamp("2025-07-01", tz="UTC")), 1)
    assert filled == [0.0, 5.0, 10.0]
