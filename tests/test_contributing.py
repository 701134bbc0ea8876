"""The changes that CONTRIBUTING.md shows are whole: applied to a copy, each does what it says."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
RECIPES = dict(re.findall(r"^### ([^\n]+)\n[^#]*?^```diff\n(.*?)^```$", PAGE, re.M | re.S))
ROOMS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"][
    "wheel"
]["packages"]

SAMPLE = """
import numpy as np
from pydantic import TypeAdapter
from forecasters.mixtures import AnyKind
from training.models.catalogue import MODELS, words
from training.models.sample import Sample
rng = np.random.default_rng(0)
def sample(n_classes):
    labels = np.arange(300) % n_classes
    values = rng.standard_normal((300, 4)) + 3.0 * np.eye(4)[labels]
    days = np.arange("2024-01-01", 300, dtype="M8[D]")
    return Sample(tuple("abcd"), values, labels, n_classes, days, days + 5, np.zeros((300, 5)))
def reread(parameters):
    return TypeAdapter(AnyKind).validate_json(parameters.model_dump_json())
"""
CHECKS = {
    "A feature": """
import numpy as np
from feature_repo.features.catalogue import GROUPS, find
from feature_repo.features.services import SERVICES
group, row = find("gap_mean_20")
assert (group.name, row.inputs) == ("technical", ("gap_pct",))
assert "technical:gap_mean_20" in SERVICES["direction"]
rng = np.random.default_rng(0)
arrays = {name: rng.uniform(90, 110, 60) for name in group.sources}
gaps = arrays["open"][1:] / arrays["close"][:-1] - 1
values = group.compute(arrays)["gap_mean_20"]
np.testing.assert_allclose(values[-1], gaps[-20:].mean())
assert np.flatnonzero(np.isfinite(values))[0] == row.lookback - 1
""",
    "A view": """
import numpy as np
from feast import FeatureView
from feature_repo.definitions import define
from feature_repo.features.catalogue import GROUPS
from feature_repo.features.services import SERVICES
from ingestion.views.catalogue import VIEW_OF, VIEWS
assert VIEWS[-1].name == "intraday" and VIEW_OF["intraday"].tables == ("prices",)
assert VIEW_OF["intraday"].needs("SPY") == [("prices", "SPY")]
features = ["intraday_return", "intraday_mean_20"]
assert SERVICES["direction_intraday"][-2:] == tuple(f"intraday:{name}" for name in features)
views = {row.name: row for row in define("/data") if isinstance(row, FeatureView)}
assert [field.name for field in views["intraday"].features] == features
values = GROUPS["intraday"].compute({"open": np.full(20, 50.0), "close": np.full(20, 51.0)})
np.testing.assert_allclose([values[name][-1] for name in features], 0.02)
""",
    "An underlying": """
import pandas as pd
from ingestion.sources.simulated.source import Simulated
from market.baskets import basket_symbols
from market.underlyings import UNDERLYINGS, VOLATILITY_INDICES
assert list(UNDERLYINGS) == ["SPY", "QQQ", "IWM", "DIA"]
assert VOLATILITY_INDICES == ("VIX", "VXN", "RVX", "VXD", "VIX3M")
assert set(basket_symbols("DIA")) >= {"GS", "UNH"}
at = pd.Timestamp("2024-12-31 22:00", tz="UTC")
source = Simulated(7, 0.0, at, "2023-01-03")
prices = source.fetch("prices", ["DIA"], None, at.tz_localize(None).normalize())
assert set(prices["ticker"]) == {"DIA"} and 45 < prices["open"].iloc[0] < 55
""",
    "A model type": """
assert "lda" in words("direction")
drawn = sample(2)
parameters = MODELS["lda"].fit(drawn).parameters
decision = reread(parameters).decision(drawn.values)
np.testing.assert_array_equal(decision, parameters.decision(drawn.values))
assert ((decision > 0) == (drawn.labels == 1)).mean() > 0.95
""",
    "A model of a new kind": """
assert "bayes" in words("regime")
drawn = sample(3)
parameters = MODELS["bayes"].fit(drawn).parameters
chances = reread(parameters).chances(drawn.values).probabilities
np.testing.assert_array_equal(chances, parameters.chances(drawn.values).probabilities)
np.testing.assert_allclose(chances.sum(axis=1), 1.0)
assert (chances.argmax(axis=1) == drawn.labels).mean() > 0.9
""",
    "A strategy": """
from dashboard.charts import STRATEGY_COLOURS
from trading.strategies.selector import MATRIX, Forecasts, select
for direction in ("UP", "DOWN"):
    choice = select(Forecasts(direction, 0.4, "NORMAL", 0.6), proven=True)
    assert (choice.strategy, choice.position_size) == ("Iron Butterfly", "half")
    assert "0.50 delta" in choice.trade_parameters["strike"]
assert select(Forecasts("UP", 0.9, "NORMAL", 0.6), proven=True).strategy == "Bull Call Spread"
assert set(STRATEGY_COLOURS) == {row.name for row in MATRIX}
""",
    "A live vendor": """
import httpx2
import pandas as pd
from ingestion.sources.live import LIVE, Live, open_live
from ingestion.sources.vendor import LiveOptions
from ingestion.sources.wire.http import Http
from market.errors import SourceUnavailable
from optrade.flows.doctor.vendors import check_keys
from optrade.settings import Settings
def doctor(settings):
    return {row.check: row.found for row in check_keys(settings, online=False)}["TIINGO_API_KEY"]
assert doctor(Settings()) == "not set: live prices come from Yahoo alone"
settings = Settings(TIINGO_API_KEY=40 * "a")
assert doctor(settings).startswith("set, not tried")
end = pd.Timestamp("2024-01-03")
live = open_live(LiveOptions(lambda: end.tz_localize("UTC"), settings.vendor_keys(LIVE)))
def answer(request):
    assert request.url.params["token"] == 40 * "a"
    assert request.url.path == "/tiingo/daily/SPY/prices"
    return httpx2.Response(200, text=(
        "date,close,high,low,open,volume,adjClose,divCash,splitFactor\\n"
        "2024-01-03,468.79,471.19,468.17,470.43,103585900,457.1,0.0,1.0\\n"))
class Silent:
    name = "yahoo"
    def fetch(self, *asked):
        raise SourceUnavailable("no answer")
live.sources["tiingo"].http = Http(transport=httpx2.MockTransport(answer))
fallen_back = Live({**live.sources, "yahoo": Silent()})
(row,) = fallen_back.fetch("prices", ["SPY"], None, end).to_dict("records")
assert (row["ticker"], row["session"], row["close"], row["split"]) == ("SPY", end, 468.79, 1.0)
""",
}


def test_every_recipe_is_checked() -> None:
    assert list(RECIPES) == list(CHECKS) == re.findall(r"^### (.*)$", PAGE, re.M)


def test_the_tests_that_the_page_names_are_there() -> None:
    files = re.findall(r"`(tests/market/\w+\.py)`", PAGE)
    tests = "".join((ROOT / name).read_text() for name in files)
    names = re.findall(r"`(test_\w+)`", PAGE)
    assert names
    for name in names:
        assert f"def {name}(" in tests, name


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The rooms, their bytecode too: it stays true where a file is not changed."""
    for room in (*ROOMS, "docs"):
        shutil.copytree(ROOT / room, tmp_path / "copy" / room)
    shutil.copy2(ROOT / "pyproject.toml", tmp_path / "copy")
    return tmp_path / "copy"


@pytest.mark.parametrize("recipe", CHECKS)
def test_recipe_does_what_it_says(recipe: str, copy: Path) -> None:
    def run(*command: str, stdin: str = "") -> None:
        environment = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")} | {
            "PYTHONPATH": str(copy),
            "OPTRADE_HOME": str(copy.parent / "home"),
            "GIT_CEILING_DIRECTORIES": str(copy.parent),
        }
        done = subprocess.run(
            command, cwd=copy, env=environment, input=stdin, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    changed = re.findall(r"^\+\+\+ b/(.*\.py)$", RECIPES[recipe], re.M)
    ruff = str(Path(sys.executable).with_name("ruff"))
    run("git", "apply", "-", stdin=RECIPES[recipe])
    run(ruff, "check", "--no-cache", *changed)
    run(ruff, "format", "--no-cache", "--check", *changed)
    start = SAMPLE if "model" in recipe else ""
    run(sys.executable, "-c", start + CHECKS[recipe])
