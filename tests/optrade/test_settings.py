"""Numbers from the environment have a range: what lies outside is refused in one line."""

import re

import pytest
import typer

from market.errors import InputError
from optrade.cli.options import parse_capital
from optrade.limits import CAPITAL
from optrade.settings import Settings, load_settings

WILD = ("1e400", "1e308", "inf", "-inf", "nan", "-1", "9" * 20, "9" * 5000, "much")
NUMBERS = [
    field.validation_alias
    for field in Settings.model_fields.values()
    if re.search(r"\b(int|float)\b", str(field.annotation))
]


@pytest.mark.parametrize("value", WILD, ids=lambda value: value[:20])
@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_of_the_environment_is_without_bounds(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError) as refused:
        load_settings()
    line = str(refused.value)
    assert line.startswith(f"environment variable {name}: got {value[:20]}, allowed is a ")
    assert len(line) < 150


def test_the_numbers_are_found_and_their_ends_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = {
        "OPTRADE_SETTLE_MINUTES": ("0", "10080"),
        "OPTRADE_CAPITAL": ("1", "1e12"),
        "OPTRADE_WORKERS": ("1", "1024"),
    }
    assert {*NUMBERS} == {*ends}
    for place in (0, 1):
        for name, pair in ends.items():
            monkeypatch.setenv(name, pair[place])
        load_settings()


@pytest.mark.parametrize("value", [float(text) for text in ("inf", "nan", "1e308", "0.99", "-5")])
def test_the_option_has_the_range_of_the_variable(value: float) -> None:
    with pytest.raises(typer.BadParameter) as refused:
        parse_capital(value)
    assert "finite number from 1 to 1,000,000,000,000 (USD)" in refused.value.message
    assert parse_capital(None) is None
    assert parse_capital(CAPITAL.most) == CAPITAL.most
