import pickle

import pytest

from market.errors import UnknownName


def test_an_unknown_name_says_what_was_got_what_is_allowed_and_what_to_do():
    fault = UnknownName("unknown fruit", "pear", {"apple": 1, "plum": 2}, "plant it")
    assert (fault.what, fault.got, fault.allowed) == ("unknown fruit", "pear", ("apple", "plum"))
    assert str(fault) == "unknown fruit: got 'pear', allowed are apple, plum; plant it"


def test_one_allowed_name_is_one():
    assert str(UnknownName("scope", "x" * 50, ["market"])) == (
        f"scope: got '{'x' * 39}, allowed is market"
    )


def test_an_unknown_name_comes_out_of_another_process_as_it_went_in():
    fault = UnknownName("unknown fruit", "pear", ["apple"], "plant it")
    back = pickle.loads(pickle.dumps(fault))  # noqa: S301 - our own words
    assert (str(back), back.got, back.allowed) == (str(fault), fault.got, fault.allowed)


@pytest.mark.parametrize("got", [None, 3, ("a", "b")])
def test_what_is_no_name_at_all_is_shown(got):
    assert f"got {got!r}, " in str(UnknownName("scope", got, ["market"]))
