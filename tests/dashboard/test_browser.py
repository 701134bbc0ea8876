"""Every page of a home in every state, in a real browser: no fault, and nothing from elsewhere."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard.page import PAGES
from tests.dashboard.browser import Pages, opened

pytestmark = pytest.mark.integration

TITLES = [title for _, title, _ in PAGES]
Make = Callable[[Path], object]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    with opened(tmp_path_factory.mktemp("browser")) as shown:
        yield shown


# What a page of a home in a state says; a page that is not named here says only its title.
STATES: dict[str, dict[str, str]] = {
    "no home": dict.fromkeys(TITLES, "There is no folder"),
    "empty": dict.fromkeys(TITLES, "run optrade"),
    "landed only": {"Data Health": "No features yet", "Models": "No model has been trained"},
    "features": {"Data Health": "nothing has landed in them", "Models": "No model has been"},
    "live": {"Data Health": "of a live home to now"},
    "recorded": {"Data Health": "--recorded-dir"},
    "models": {
        "Models": "Fold by fold",
        "Performance": "No signal has been recorded",
        "Backtests": "run optrade backtest",
    },
    "first month": {
        "Performance": "Over time",
        "Daily Signals": "SPY",
        "Paper Book": "run optrade paper",
    },
    "whole": {
        "Drift": "Current window",
        "Performance": "Calibration",
        "Paper Book": "Signals passed over",
        "Backtests": "None survives",
        "Data Health": "the gate",
    },
    "baseline": {"Models": "regime_QQQ"},
    "damaged ledger": dict.fromkeys(("Daily Signals", "Performance", "Paper Book"), "ledger.db"),
    "damaged manifest": dict.fromkeys(TITLES, "manifest.json"),
}


# Pages that read one file alone: only in states that are of it, or of every page.
READ: dict[str, set[str]] = {
    "Paper Book": {"empty", "first month", "whole", "damaged ledger", "damaged manifest"},
    "Backtests": {"empty", "models", "whole", "damaged manifest"},
}
SHOWN = [(state, title) for title in TITLES for state in STATES if state in READ.get(title, STATES)]


@pytest.fixture(scope="session")
def homes(states: dict[str, Make], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("states")
    for place, make in states.items():
        make(folder / place)
    return {place: folder / place for place in states}


@pytest.mark.parametrize(("state", "title"), SHOWN)
def test_a_page_of_a_home_in_any_state(
    pages: Pages, homes: dict[str, Path], state: str, title: str
) -> None:
    text = pages.open(homes[state], title)
    assert STATES[state].get(title, title) in text
    assert pages.count("[data-testid=stException]") == 0, text
    assert "Traceback" not in text
    assert pages.outside == []
    assert pages.faults == []


def test_what_would_load_from_elsewhere_is_seen(pages: Pages) -> None:
    pages.page.evaluate("fetch('https://example.org/picture.png').catch(() => null)")
    assert pages.outside == ["https://example.org/picture.png"]
    pages.outside.clear()


def test_every_state_has_a_home(states: dict[str, Make]) -> None:
    assert set(states) == set(STATES)
