"""The serving configuration: what is written is what is read, and nothing else passes."""

import json

import pandas as pd
import pytest

from market.errors import ConfigurationError
from serving.reading.configuration import Configuration, read_configuration, write_configuration

NOW = pd.Timestamp("2026-01-05 12:00", tz="America/New_York")
FULL = Configuration(
    as_of="2025-06-30T20:30:00+00:00",
    origin="recorded",
    require_proven=True,
    settle_minutes=30,
    feature_store="data/feast/feature_store.yaml",
)


@pytest.mark.parametrize("configuration", [Configuration(), FULL])
def test_it_comes_back_as_written(tmp_path, configuration):
    path = write_configuration(tmp_path / "data", configuration)
    assert path == tmp_path / "data" / "serving.json"
    assert read_configuration(tmp_path / "data") == configuration
    assert [p.name for p in path.parent.iterdir()] == ["serving.json"]


def test_the_file_names_every_field(tmp_path):
    document = json.loads(write_configuration(tmp_path, FULL).read_text())
    assert document == {
        "as_of": "2025-06-30T20:30:00+00:00", "origin": "recorded", "require_proven": True,
        "settle_minutes": 30, "feature_store": "data/feast/feature_store.yaml",
        "capital": None, "require_edge": False,
    }  # fmt: skip


def test_without_a_file_the_clock_is_now(tmp_path):
    configuration = read_configuration(tmp_path)
    assert configuration.clock(NOW) == NOW
    assert str(configuration.clock(NOW).tz) == "UTC"
    assert configuration.settle == pd.Timedelta(hours=2)
    assert not configuration.require_proven


def test_a_told_clock_stands_still():
    assert FULL.clock(NOW) == pd.Timestamp("2025-06-30 20:30", tz="UTC")
    assert FULL.settle == pd.Timedelta(minutes=30)


def test_writing_again_replaces(tmp_path):
    write_configuration(tmp_path, FULL)
    write_configuration(tmp_path, Configuration())
    assert read_configuration(tmp_path) == Configuration()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "document"),
        ("[]", "document"),
        ('{"as_of": "yesterday evening"}', "as_of"),
        ('{"as_of": "2025-06-30T20:30:00"}', "as_of"),
        ('{"as_of": ""}', "as_of"),
        ('{"as_of": "2025-99-99T00:00:00Z"}', "as_of"),
        ('{"origin": "dreamed"}', "origin"),
        ('{"require_proven": "yes"}', "require_proven"),
        ('{"require_proven": 1}', "require_proven"),
        ('{"settle_minutes": -1}', "settle_minutes"),
        ('{"settle_minutes": 1.5}', "settle_minutes"),
        ('{"feature_store": ""}', "feature_store"),
        ('{"more": 1}', "more"),
    ],
)
def test_a_malformed_file_is_named_with_its_field(tmp_path, text, named):
    (tmp_path / "serving.json").write_text(text)
    with pytest.raises(ConfigurationError, match=rf"serving\.json: {named}: .*optrade serve"):
        read_configuration(tmp_path)
