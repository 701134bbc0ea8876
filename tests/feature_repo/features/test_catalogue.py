import json
from pathlib import Path

import pytest

from feature_repo.features.catalogue import (
    GROUPS,
    ON_DEMAND,
    OPTIONAL_GROUPS,
    SERVICES,
    UNSAFE,
    VOLATILITY_INPUTS,
    definition_hash,
    find,
    hash_of,
    names,
    sources_below,
)
from market.errors import ConfigurationError, InputError

ROOT = Path(__file__).resolve().parents[3]
SPEC = ROOT.parent / "shared" / "spec" / "features.json"
STORED = {
    "technical": 83,
    "iv": 18,
    "iv_lags": 5,
    "iv_path": 10,
    "macro": 34,
    "sentiment": 12,
    "earnings": 11,
}
COUNTS = STORED | {"cross": 5}
# Views that the platform adds to the catalogue it was given.
ADDED = {"iv_path"}


@pytest.fixture(scope="module")
def spec():
    if not SPEC.is_file():
        pytest.skip(f"the feature catalogue is not at {SPEC.relative_to(ROOT.parent)}")
    return json.loads(SPEC.read_text("utf-8"))


def test_counts_and_unique_names():
    assert {name: len(names(name)) for name in GROUPS} == STORED
    assert {name: len(names(name)) for name in ON_DEMAND} == {"cross": 5}
    assert set(OPTIONAL_GROUPS) == {"sentiment", "earnings"} <= set(GROUPS)
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
        "iv": "ticker",
        "iv_lags": "ticker",
        "iv_path": "ticker",
        "macro": "market",
        "sentiment": "ticker",
        "earnings": "ticker",
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


SOURCE = '''
"""Module."""
from a import b

def f(x):
    """Docstring."""
    # comment
    return x + 1

class C:
    """Docstring."""

    n = 2
'''


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("# comment", "# another", True),
        ('"""Docstring."""', '"""Other words."""', True),
        ('    """Docstring."""\n', "", True),
        ('"""Module."""\n', "", True),
        ("return x + 1", "return (x+1)", True),
        ("x + 1", "x + 2", False),
        ("n = 2", "n = 3", False),
        ("from a import b", "from a import c", False),
    ],
)
def test_the_hash_feels_formulas_and_not_words_about_them(old, new, same):
    assert old in SOURCE
    changed = hash_of({"m.py": SOURCE.replace(old, new)})
    assert (changed == hash_of({"m.py": SOURCE})) is same


def test_the_hash_is_the_same_in_every_python_version():
    """Nested quotes and functions are where the versions' syntax trees and texts differ."""
    source = "def f(x: list[str]) -> str:\n    return f'{\", \".join(x)!r:>{len(x)}} and it\\'s'\n"
    assert (
        hash_of({"m.py": source})
        == "12c847f25e5c19934aabc6a573d5fd749c02fe16be83cff88b4c0140f938d7a5"
    )


def test_constants_of_different_types_differ():
    assert (
        len({hash_of({"m.py": f"x = {value}"}) for value in ("1", "1.0", "'1'", "True", "None")})
        == 5
    )


def test_the_hash_feels_which_module_a_formula_is_in():
    assert hash_of({"a.py": "x = 1", "b.py": "y = 2"}) == hash_of(
        {"b.py": "y = 2", "a.py": "x = 1"}
    )
    assert hash_of({"a.py": "x = 1", "b.py": "y = 2"}) != hash_of(
        {"a.py": "y = 2", "b.py": "x = 1"}
    )


# Of each, what no formula may change without: one name for every module from raw to feature rows.
DEFINING = (
    "feature_repo/features/sentiment/group.py",
    "feature_repo/features/sentiment/windows.py",
    "feature_repo/features/earnings/reports.py",
    "feature_repo/features/cross.py",
    "market/availability.py",
    "market/baskets.py",
    "market/calendar.py",
    "market/underlyings.py",
    "market/adjust.py",
    "market/targets.py",
    "ingestion/views/aligned.py",
    "ingestion/views/earnings.py",
    "ingestion/views/sentiment.py",
    "ingestion/views/compute.py",
    "ingestion/views/events.py",
    "ingestion/views/feature_rows.py",
    "ingestion/views/raw.py",
)


def test_the_definition_hash_covers_all_from_raw_rows_to_feature_rows():
    sources = sources_below(ROOT)
    assert definition_hash() == hash_of(sources)
    assert len(definition_hash()) == 64
    assert {*DEFINING} < {*sources}


@pytest.mark.parametrize("name", DEFINING)
def test_a_change_of_any_of_them_is_another_definition(name):
    sources = sources_below(ROOT)
    changed = sources | {name: sources[name] + "\nX = 1\n"}
    reworded = sources | {name: sources[name] + "\n# A remark.\n"}
    assert hash_of(changed) != hash_of(sources) == hash_of(reworded)


def test_what_lacks_a_module_is_no_definition(tmp_path):
    for name, source in sources_below(ROOT).items():
        if not name.startswith("ingestion/"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(source)
    with pytest.raises(ConfigurationError, match=r"got no ingestion/views/\*\.py, .* install"):
        sources_below(tmp_path)
