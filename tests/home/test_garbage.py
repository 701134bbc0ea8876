"""Garbage is looked for again after a body that asked for none of it, however it ends."""

import gc

import pytest

from home.garbage import uncollected


def test_it_is_off_in_the_body_and_on_again_after_it() -> None:
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), uncollected():
        assert not gc.isenabled()
        1 / 0  # noqa: B018
    assert gc.isenabled()


def test_one_inside_another_leaves_it_off() -> None:
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()
