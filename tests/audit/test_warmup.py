"""The measured history of features, and a lookback that is declared too short."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from audit.warmup import measured, warmup
from feature_repo.features.catalogue import GROUPS
from market.errors import InputError
from tests.audit.conftest import TICKERS, Built

Build = Callable[[str], Built]


def test_declared_lookbacks_are_enough(build: Build) -> None:
    report = warmup(build("with vintages").data, TICKERS, probes=3)
    assert report.too_short == ()
    found = {row.feature: (row.declared, row.measured) for row in report.features}
    assert found["returns_5d"] == (6, 6)
    assert found["hv_20"] == (21, 21)
    assert found["iv_rank"] == (252, None), "188 sessions hold no value of it"


def test_a_lookback_too_short_is_named(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    group = GROUPS["technical"]
    rows = tuple(
        replace(row, lookback=12) if row.name == "hv_20" else row for row in group.features
    )
    monkeypatch.setitem(GROUPS, "technical", replace(group, features=rows))
    (row,) = warmup(build("with vintages").data, ["SPY"], probes=3).too_short
    assert (row.view, row.feature, row.declared, row.measured) == ("technical", "hv_20", 12, 21)


def test_measured_leaves_out_what_has_no_value(build: Build) -> None:
    lengths = measured(build("with vintages").data, ["SPY"], probes=2)
    assert lengths["returns_1d"] == 2
    assert "iv_rank" not in lengths


def test_a_ticker_without_features_is_refused(build: Build) -> None:
    with pytest.raises(InputError, match="no features of IWM in this home"):
        warmup(build("with vintages").data, ["IWM"])
