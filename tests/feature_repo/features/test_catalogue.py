import json
from pathlib import Path

import pytest

from feature_repo.features.catalogue import (
    FLAG_GROUPS,
    GROUPS,
    ON_DEMAND,
    OPTIONAL_GROUPS,
    UNSAFE,
    find,
    names,
)
from feature_repo.features.services import SERVICES, VOLATILITY_INPUTS
from market.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
SPEC = ROOT.parent / "shared" / "spec" / "features.json"
STORED = {
    "technical": 83,
    "variance": 5,
    "iv": 18,
    "iv_lags": 5,
    "iv_path": 10,
    "macro": 34,
    "sentiment": 12,
    "earnings": 11,
    "option_chain": 6,
}
COUNTS = STORED | {"cross": 5}
# Views that the platform adds to the catalogue it was given.
ADDED = {"iv_path", "variance", "option_chain"}


@pytest.fixture(scope="module")
def spec():
    if not SPEC.is_file():
        pytest.skip(f"the feature catalogue is not at {SPEC.relative_to(ROOT.parent)}")
    return json.loads(SPEC.read_text("utf-8"))


def test_counts_and_unique_names():
    assert {name: len(names(name)) for name in GROUPS} == STORED
    assert {name: len(names(name)) for name in ON_DEMAND} == {"cross": 5}
    assert set(OPTIONAL_GROUPS) == {*FLAG_GROUPS, "option_chain"} <= set(GROUPS)
    assert set(FLAG_GROUPS) == {"sentiment", "earnings"}
    everything = [feature for name in COUNTS for feature in names(name)]
    assert len(set(everything)) == sum(COUNTS.values())


def test_eight_price_levels_are_not_safe():
    assert UNSAFE == (
        "sma_20",
        "sma_50",
        "sma_200",
        "ema_12",
        "ema_26",
        "atr_14",
        "high_52w",
        "low_52w",
    )


def test_services():
    assert {name: len(refs) for name, refs in SERVICES.items()} == {
        "direction": 135,
        "direction_sentiment": 135 + 12 + 3,
        "direction_earnings": 135 + 11 + 2,
        "direction_sentiment_earnings": 135 + 12 + 11 + 5,
        "volatility": 27,
        "volatility_paths": 37,
        "distribution": 6,
    }
    for refs in SERVICES.values():
        assert len(set(refs)) == len(refs)
        for ref in refs:
            view, name = ref.split(":")
            assert name in names(view)
    assert len(VOLATILITY_INPUTS) == len(set(VOLATILITY_INPUTS)) == 27
    assert {ref.split(":")[0] for ref in SERVICES["volatility"]} == {"technical", "iv", "iv_lags"}


def test_what_is_on_demand_comes_with_all_it_is_made_of():
    def parts(service):
        refs = [ref.split(":") for ref in SERVICES[service]]
        return tuple([n for v, n in refs if (v in GROUPS) == stored] for stored in (True, False))

    base, nothing = parts("direction")
    assert nothing == []
    bullish, bearish, divergence, runup, crush = names("cross")
    for service, views, crossed in (
        ("direction_sentiment", ["sentiment"], [bullish, bearish, divergence]),
        ("direction_earnings", ["earnings"], [runup, crush]),
        ("direction_sentiment_earnings", ["sentiment", "earnings"], list(names("cross"))),
    ):
        stored, on_demand = parts(service)
        assert stored == base + [name for view in views for name in names(view)]
        assert on_demand == crossed
        assert {i for name in on_demand for i in find(name)[1].inputs} <= set(stored)
    assert set(ON_DEMAND["cross"].sources) <= {name for group in GROUPS for name in names(group)}


@pytest.mark.parametrize("view", sorted(COUNTS.keys() - ADDED))
def test_declarations_are_those_of_the_catalogue(view, spec):
    fields = ("name", "unit", "formula", "safe")
    group = (GROUPS | ON_DEMAND)[view]
    declared = [tuple(getattr(row, field) for field in fields) for row in group.features]
    listed = [
        tuple(row[field] for field in fields) for row in spec["features"] if row["view"] == view
    ]
    assert declared == listed


def test_lists_and_totals_are_those_of_the_catalogue(spec):
    assert list(UNSAFE) == spec["unsafe"]
    assert list(VOLATILITY_INPUTS) == spec["volatility_inputs"]
    assert spec["counts"] == {view: n for view, n in COUNTS.items() if view not in ADDED}
    stored = {
        service: sum(ref.split(":")[0] in GROUPS for ref in refs)
        for service, refs in SERVICES.items()
    }
    assert spec["totals"] == {
        "base_pool_technical_iv_macro": stored["direction"],
        "safe_pool": stored["direction"] - len(UNSAFE),
        "with_sentiment": stored["direction_sentiment"],
        "with_earnings": stored["direction_earnings"],
        "with_both": stored["direction_sentiment_earnings"],
    }


def test_entities():
    assert {name: group.entity for name, group in (GROUPS | ON_DEMAND).items()} == {
        "technical": "ticker",
        "variance": "ticker",
        "iv": "ticker",
        "iv_lags": "ticker",
        "iv_path": "ticker",
        "macro": "market",
        "sentiment": "ticker",
        "earnings": "ticker",
        "option_chain": "ticker",
        "cross": "ticker",
    }


def test_features_are_found_by_name():
    group, row = find("iv_rank")
    assert (group.name, row.name, row.lookback) == ("iv", "iv_rank", 252)
    assert find("earnings_iv_runup")[0] is ON_DEMAND["cross"]
    with pytest.raises(InputError, match="unknown feature: got 'nothing'"):
        find("nothing")
    with pytest.raises(InputError, match="unknown feature group: got 'x', allowed are technical"):
        names("x")
