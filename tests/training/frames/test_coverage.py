import pytest

from feature_repo.features.catalogue import FLAG_GROUPS, GROUPS
from feature_repo.features.services import SERVICES
from home.manifest import Entry, Manifest
from market.errors import InputError
from market.underlyings import UNDERLYINGS
from training.frames.coverage import optional_views, require_optional_views

BARE = [ticker for ticker, row in UNDERLYINGS.items() if not row.baskets]


def holding(*keys: tuple[str, str]) -> Manifest:
    entries = {
        (view, key): Entry(view, key, 1, "x", 1, "2024-01-02", "2024-01-02", "0", "now")
        for view, key in keys
    }
    return Manifest("live", entries=entries)


@pytest.mark.parametrize("service", SERVICES)
def test_the_name_of_a_service_says_what_it_needs(service: str) -> None:
    assert optional_views(service) == tuple(v for v in FLAG_GROUPS if v in service.split("_"))


def test_an_unknown_service_is_left_to_the_store() -> None:
    assert optional_views("moon") == ()
    require_optional_views("moon", "SPY", holding())


@pytest.mark.parametrize("service", SERVICES)
def test_what_the_home_holds_is_let_through(service: str) -> None:
    held = holding(*((view, "SPY") for view in optional_views(service)))
    require_optional_views(service, "SPY", held)


@pytest.mark.parametrize("view", FLAG_GROUPS)
def test_a_view_without_a_row_of_the_ticker_is_named_with_what_to_do(view: str) -> None:
    for held in (holding(), holding((view, "QQQ"), ("technical", "SPY"))):
        with pytest.raises(InputError) as refused:
            require_optional_views(f"direction_{view}", "SPY", held)
        said = str(refused.value)
        assert said.startswith(f"--{view}: this home has no row of SPY in the {view} view; ")
        assert GROUPS[view].requires in said
        assert said.endswith(f"or train without --{view}")


def test_of_two_views_the_one_that_is_not_there_is_named() -> None:
    for held, lacking in zip(FLAG_GROUPS, reversed(FLAG_GROUPS), strict=True):
        with pytest.raises(InputError, match=f"--{lacking}: this home has no row"):
            require_optional_views("direction_sentiment_earnings", "SPY", holding((held, "SPY")))


@pytest.mark.parametrize("ticker", BARE)
def test_a_ticker_without_a_basket_has_no_earnings(ticker: str) -> None:
    held = holding(("earnings", ticker), ("sentiment", ticker))
    with pytest.raises(InputError, match=f"no basket of companies stands for {ticker}") as refused:
        require_optional_views("direction_earnings", ticker, held)
    assert "train without --earnings" in str(refused.value)
    assert "SPY, QQQ" in str(refused.value)
    require_optional_views("direction_sentiment", ticker, held)


def test_there_is_an_underlying_without_a_basket() -> None:
    assert BARE == ["IWM"]
