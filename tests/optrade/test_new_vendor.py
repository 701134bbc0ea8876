"""A new vendor is a room, a row and a field of the settings: opened, asked and checked by these."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace

import httpx2
import pandas as pd
import pytest
from pydantic import Field, SecretStr
from pytest_httpserver import HTTPServer

from ingestion.sources.live import LIVE, open_live
from ingestion.sources.vendor import KeyVerdict, LiveOptions, Vendor, VendorKey
from ingestion.tables.catalogue import TABLES
from optrade.flows.doctor.vendors import check_keys
from optrade.settings import Settings

END = pd.Timestamp("2024-01-03")
KEY = "orats-0123456789"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in LIVE:
        if vendor.key:
            monkeypatch.delenv(vendor.key.variable, raising=False)


class WithOrats(Settings):
    orats_api_key: SecretStr | None = Field(default=None, validation_alias="ORATS_API_KEY")


class Orats:
    name = "orats"
    origin = "live"
    tables = ("option_chains",)

    def __init__(self, key: str | None) -> None:
        self.key = key
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        self.asked.append((table, tuple(keys)))
        return TABLES[table].empty()


def without_chains(vendor: Vendor) -> Vendor:
    """Return a vendor that is not asked for what the new one gives."""
    asked = {
        name: tuple(table for table in getattr(vendor, name) if table not in Orats.tables)
        for name in ("tables", "fallback_for")
    }
    return replace(vendor, **asked)


def verdict(status: int, _words: str) -> KeyVerdict | None:
    return {200: KeyVerdict("ok", "set, Orats accepts it")}.get(status)


def row(url: str = "https://api.orats.com/v1/user/profile") -> Vendor:
    return Vendor(
        word="orats",
        title="Orats",
        open=lambda options: Orats(options.key("orats")),
        tables=Orats.tables,
        key=VendorKey(
            setting="orats_api_key",
            form=re.compile(r"orats-[0-9]{10}"),
            unset="no live chains",
            url=url,
            request=lambda url, key: httpx2.Request("GET", url, headers={"Authorization": key}),
            verdict=verdict,
        ),
    )


def test_every_key_of_a_vendor_is_a_setting_under_its_variable() -> None:
    keys = [vendor.key for vendor in LIVE if vendor.key]
    aliases = [Settings.model_fields[key.setting].validation_alias for key in keys]
    assert aliases == [key.variable for key in keys] == [
        "FRED_API_KEY", "FINNHUB_API_KEY", "TRADIER_API_KEY", "MASSIVE_API_KEY",
    ]  # fmt: skip


def test_new_vendor_is_opened_with_its_key_and_asked_for_its_table() -> None:
    vendors = (*map(without_chains, LIVE), row())
    keys = WithOrats(ORATS_API_KEY=KEY).vendor_keys(vendors)
    assert keys == {"orats": SecretStr(KEY)}
    live = open_live(LiveOptions(lambda: END.tz_localize("UTC"), keys, chains="orats"), vendors)
    assert set(live.tables) == set(TABLES)
    assert live.fetch("option_chains", ["SPY"], None, END).empty
    orats = live.sources["orats"]
    assert (orats.key, orats.asked) == (KEY, [("option_chains", ("SPY",))])


@pytest.mark.parametrize(
    ("given", "level", "words"),
    [
        ({}, "ok", "not set: not needed, as OPTRADE_CHAINS names no vendor"),
        ({"ORATS_API_KEY": "nonsense"}, "error", "8 characters that are no key of Orats"),
        ({"ORATS_API_KEY": KEY}, "ok", "set, not tried"),
    ],
)
def test_doctor_checks_a_new_vendor(given: dict[str, str], level: str, words: str) -> None:
    (finding,) = check_keys(WithOrats(**given), [row()], online=False)
    assert (finding.check, finding.level) == ("ORATS_API_KEY", level)
    assert words in finding.found


@pytest.mark.integration
@pytest.mark.parametrize(
    ("status", "level", "words"),
    [(200, "ok", "Orats accepts it"), (500, "warning", "Orats could not be asked (HTTP 500")],
)
def test_doctor_asks_a_new_vendor(
    httpserver: HTTPServer, status: int, level: str, words: str
) -> None:
    httpserver.expect_request("/profile", headers={"Authorization": KEY}).respond_with_data(
        json.dumps({}), status
    )
    vendors = [*LIVE, row(httpserver.url_for("/profile"))]
    *_, finding = check_keys(WithOrats(ORATS_API_KEY=KEY), vendors, online=True)
    assert (finding.level, words in finding.found) == (level, True)
