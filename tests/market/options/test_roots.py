"""Whose chains there are, and which roots are theirs."""

import pytest

from market.errors import InputError
from market.options.contract_symbols import written_contract
from market.options.roots import chain_keys, chain_roots, check_root


def test_a_chain_of_an_index_may_price_an_underlying() -> None:
    assert chain_keys("SPY") == ("SPY", "SPX")
    assert chain_keys("QQQ") == ("QQQ",)
    assert chain_roots("SPY") == ("SPY",)
    assert chain_roots("SPX") == ("SPX", "SPXW", "SPXPM")


@pytest.mark.parametrize("name", ["XSP", "NONESUCH", "VIX"])
def test_what_prices_no_underlying_has_no_chain(name: str) -> None:
    with pytest.raises(InputError, match=f"got '{name}', allowed are SPY, QQQ, IWM, SPX"):
        chain_roots(name)


def test_only_an_underlying_is_priced() -> None:
    with pytest.raises(InputError, match="unknown ticker: got 'SPX'"):
        chain_keys("SPX")


@pytest.mark.parametrize(
    ("name", "root", "words"),
    [
        ("SPY", "SPY7", "a mini contract"),
        ("SPY", "SPY1", "adjusted after a corporate action"),
        ("SPX", "XSP", "allowed are SPX, SPXW, SPXPM"),
        ("SPY", "SPX", "allowed is SPY"),
        ("SPY", "spy", "capital letters"),
    ],
)
def test_another_root_is_refused_by_name(name: str, root: str, words: str) -> None:
    check_root(name, chain_roots(name)[0])
    with pytest.raises(InputError, match=words):
        check_root(name, root)


def test_the_root_is_read_as_written() -> None:
    assert written_contract("SPY7  250718P00550000").root == "SPY7"
    assert written_contract("O:SPXW250718P05500000").root == "SPXW"
    with pytest.raises(InputError, match="got 'SPY 550 put', allowed are forms"):
        written_contract("SPY 550 put")
