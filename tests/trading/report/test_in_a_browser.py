"""The pages in a real browser, wide and as a phone shows them: drawn whole, nothing asked for."""

import numpy as np
import pytest

from tests.dashboard.browser import FLAGS, chromium
from tests.trading.judgement.made_trades import trades_of
from trading.judgement.verdict import judge
from trading.report.judged import judged_html
from trading.report.tearsheet import tearsheet_html

pytestmark = pytest.mark.integration

WIDTHS = (1400, 390)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        shown = started.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield shown
        shown.close()


@pytest.fixture(scope="module")
def pages(backtest):
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    trades = trades_of(days, np.sin(np.arange(len(days))), ["a", "b"] * (len(days) // 2))
    judged = judged_html(trades, judge(trades), "trades.csv")
    return {"tearsheet": tearsheet_html(backtest), "judged": judged}


@pytest.mark.parametrize("name", ["tearsheet", "judged"])
def test_a_page_is_drawn_whole_and_asks_for_nothing(name, browser, pages, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(pages[name])
    asked, faults = [], []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path.as_uri())
        drawn = page.locator(".js-plotly-plot .main-svg").count()
        assert drawn >= page.locator(".plot").count() > 0
        # Wide tables move within their own frames.
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
    assert set(asked) == {path.as_uri()}
    assert faults == []
