"""Symbols of contracts, read and written."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import InputError
from market.options.contract_symbols import Contract, parse_contract

SPY = Contract("SPY", date(2025, 7, 18), -1, 550.0)


@pytest.mark.parametrize(
    "symbol", ["SPY   250718P00550000", "SPY250718P00550000", "O:SPY250718P00550000"]
)
def test_the_three_forms_name_one_contract(symbol: str) -> None:
    assert parse_contract(symbol) == SPY
    assert symbol in (SPY.occ(), SPY.compact(), SPY.prefixed())


@pytest.mark.parametrize("root", ["SPX", "SPXW", "XSP", "RUTW", "QQQ", "BRKB", "F"])
def test_index_roots_are_roots_of_their_own(root: str) -> None:
    one = Contract(root, date(2026, 1, 2), 1, 4012.5)
    assert parse_contract(one.occ()) == one == parse_contract(one.compact())
    assert len(one.occ()) == 21


@given(
    root=st.from_regex(r"\A[A-Z]{1,6}\Z"), day=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    sign=st.sampled_from([1, -1]), mills=st.integers(1, 99_999_999),
)  # fmt: skip
def test_what_is_written_is_read(root: str, day: date, sign: int, mills: int) -> None:
    one = Contract(root, day, sign, mills / 1000)
    for form in (one.occ(), one.compact(), one.prefixed()):
        assert parse_contract(form) == one


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("SPY1  250718P00550000", "root: got SPY1, a contract adjusted .* those of SPY"),
        ("SPY1250718P00550000", "root: got SPY1, a contract adjusted"),
        ("SPY7  250718P00550000", "root: got SPY7, a mini contract"),
        ("AMZN7250718C00150000", "root: got AMZN7, a mini contract"),
        ("SPY250732P00550000", "got the day 250732"),
        ("SPY250718P00000000", "got the strike 0"),
        ("SPY250718X00550000", "option symbol: got 'SPY250718X00550000', allowed are forms as"),
        ("spy250718P00550000", "option symbol: got"),
        ("SPY", "option symbol: got 'SPY'"),
        ("", "option symbol: got ''"),
    ],
)
def test_what_names_no_standard_contract_is_refused(symbol: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_contract(symbol)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strike": 0.0}, "strike: got 0.0"),
        ({"strike": 100_000.0}, "strike: got 100000.0"),
        ({"strike": 1.0005}, "strike: got 1.0005, allowed are tenths of a cent"),
        ({"sign": 0}, "sign: got 0"),
        ({"root": "SPY2"}, "root: got SPY2, a contract adjusted"),
        ({"root": "TOOLONG"}, "root: got 'TOOLONG'"),
        ({"expiration": date(1999, 1, 1)}, "expiration: got 1999-01-01"),
    ],
)
def test_what_has_no_symbol_is_refused(change: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        SPY._replace(**change).occ()
