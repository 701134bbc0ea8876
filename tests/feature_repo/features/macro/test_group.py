import numpy as np
import pandas as pd
import pytest

from feature_repo.features.macro.group import DAILY, MACRO, MONTHLY

LEVELS = {
    "fed_funds_effective": "DFF",
    "treasury_2y": "DGS2",
    "treasury_10y": "DGS10",
    "treasury_3m": "DGS3MO",
    "vixcls": "VIXCLS",
    "yield_spread_10y_2y": "T10Y2Y",
    "breakeven_inflation_10y": "T10YIE",
    "breakeven_inflation_5y": "T5YIE",
    "real_rate_10y": "DFII10",
    "unemployment_rate": "UNRATE",
}


def oracle(a: dict[str, pd.Series]) -> dict[str, pd.Series]:
    out = {name: a[series] for name, series in LEVELS.items()}
    two, ten, bill = out["treasury_2y"], out["treasury_10y"], out["treasury_3m"]
    funds = out["fed_funds_effective"]
    out["cpi_yoy"] = 100 * (a["CPI"] / a["CPI_12M_EARLIER"] - 1)
    out["cpi_mom_annualised"] = 100 * ((a["CPI"] / a["CPI_1M_EARLIER"]) ** 12 - 1)
    out["unemployment_change_3m"] = a["UNRATE"] - a["UNRATE_3M_EARLIER"]
    out["yield_spread_10y_3m"], out["yield_spread_2y_3m"] = ten - bill, two - bill
    out["yield_curvature"] = 2 * two - bill - ten
    for name in ("yield_spread_10y_2y", "yield_spread_10y_3m"):
        short = name.removeprefix("yield_spread_")
        out[f"curve_inverted_{short}"] = (out[name] < 0).astype(float).where(out[name].notna())
    for name, lags in {
        "treasury_2y": (5, 20, 60),
        "treasury_10y": (5, 20, 60),
        "yield_spread_10y_2y": (20,),
        "real_rate_10y": (20,),
    }.items():
        out |= {f"{name}_change_{n}d": out[name].diff(n) for n in lags}
    out |= {f"fed_funds_change_{n}d": funds.diff(n) for n in (20, 60)}
    out |= {f"vixcls_change_{n}d": 100 * (a["VIXCLS"] / a["VIXCLS"].shift(n) - 1) for n in (5, 20)}
    cuts = [-np.inf, 15, 20, 30, np.inf]
    out["vixcls_regime"] = pd.cut(a["VIXCLS"], cuts, right=False, labels=False).astype(float)
    out["real_fed_funds"] = funds - out["cpi_yoy"]
    signal = out["fed_pivot_signal"] = two - funds
    turn = (out["fed_funds_change_60d"] * signal < 0) & (signal.abs() > 0.5)
    known = out["fed_funds_change_60d"].notna() & signal.notna()
    out["fed_pivot_flag"] = turn.astype(float).where(known)
    return out


@pytest.fixture(scope="module")
def both(world):
    sources = {name: array.copy() for name, array in world.sources("macro").items()}
    for at, array in enumerate(sources.values()):
        array[300 + 7 * at] = np.nan
    return MACRO.compute(sources), oracle({k: pd.Series(v) for k, v in sources.items()})


@pytest.mark.parametrize("name", [row.name for row in MACRO.features])
def test_formula(name, both):
    values, expected = both
    np.testing.assert_allclose(values[name], expected[name], rtol=1e-12, atol=1e-12)
    assert np.isnan(values[name]).any()
    assert np.isfinite(values[name]).any()


def one(**known):
    sources = {name: np.array([np.nan]) for name in MACRO.sources}
    sources |= {name: np.atleast_1d(np.asarray(x, float)) for name, x in known.items()}
    return {name: array[-1] for name, array in MACRO.compute(sources).items()}


@pytest.mark.parametrize(
    ("level", "regime"),
    [(9, 0), (14.99, 0), (15, 1), (19.99, 1), (20, 2), (29.99, 2), (30, 3), (80, 3)],
)
def test_volatility_regime_is_closed_below(level, regime):
    assert one(VIXCLS=level)["vixcls_regime"] == regime


def test_an_unknown_level_has_no_regime_and_no_flag():
    values = one()
    assert all(np.isnan(value) for value in values.values())


def test_a_curve_that_is_just_flat_is_not_inverted():
    assert one(T10Y2Y=0.0)["curve_inverted_10y_2y"] == 0
    assert one(T10Y2Y=-0.01)["curve_inverted_10y_2y"] == 1
    assert one(DGS10=4.0, DGS3MO=4.01)["curve_inverted_10y_3m"] == 1


def test_inflation_needs_both_terms_and_a_base():
    assert one(CPI=103.0, CPI_12M_EARLIER=100.0)["cpi_yoy"] == pytest.approx(3.0)
    assert np.isnan(one(CPI=103.0)["cpi_yoy"])
    assert np.isnan(one(CPI=103.0, CPI_12M_EARLIER=0.0)["cpi_yoy"])
    monthly = one(CPI=100.5, CPI_1M_EARLIER=100.0)["cpi_mom_annualised"]
    assert monthly == pytest.approx(100 * (1.005**12 - 1))


def test_every_input_is_a_daily_level_or_a_term_of_a_monthly_series():
    terms = [name for months in MONTHLY.values() for name in months.values()]
    assert MACRO.sources == (*DAILY, *terms)
    assert {months[0] for months in MONTHLY.values()} == {"UNRATE", "CPI"}
