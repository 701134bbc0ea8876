"""The distribution of returns judged out of fold, and its documents as serving reads them."""

import json

import numpy as np
import pandas as pd
import pytest

from forecasters.document import Artifact
from market.errors import InputError
from tests.training.returns_market import make_market
from training.distribution import walk_returns
from training.registry.artifact import baseline_document, serving_document
from training.report.page import report_html
from training.settings import Settings

SETTINGS = Settings("SPY", model_type="log_har", resamples=200, pooled=True)


@pytest.fixture(scope="module")
def market() -> tuple[pd.DataFrame, pd.DataFrame]:
    own, other = make_market(1000, 5), make_market(1000, 6, "QQQ")
    return tuple(pd.concat(parts, ignore_index=True) for parts in zip(own, other, strict=True))


@pytest.fixture(scope="module")
def trained(market):
    return walk_returns(*market, SETTINGS)


def test_what_is_true_is_told_from_what_was(trained):
    """The index shows the variance, so history is worse by far than its lognormal."""
    evidence = trained.evidence
    assert trained.name == "distribution_SPY"
    assert evidence.gate.metric == "crps"
    assert evidence.gate.baseline == trained.tested.gate == "index_lognormal"
    history = evidence.difference["history"]
    assert history.bound > 0
    for horizon in (5, 10, 21):
        assert evidence.pooled.scores[f"coverage_{horizon}"] == pytest.approx(0.9, abs=0.06)
    assert len(evidence.folds) == 5
    for fold in evidence.folds:
        assert fold.train_end < fold.test_start
    assert "pooled out-of-fold CRPS" in evidence.verdict.words
    assert "n_features" not in evidence.settings
    assert evidence.settings["pooled"]
    losses = trained.losses
    assert losses["loss"].mean() == pytest.approx(evidence.pooled.scores["crps"])


def test_what_comes_after_a_fold_changes_nothing_in_it(market, trained):
    frame, prices = market
    first = trained.evidence.folds[0]
    later = prices["session"] > pd.Timestamp(first.test_end) + pd.Timedelta(days=45)
    changed = prices.copy()
    changed.loc[later, ["open", "high", "low", "close"]] *= np.exp(
        0.1 * np.random.default_rng(0).standard_normal(int(later.sum()))
    )[:, None]
    again = walk_returns(frame, changed, SETTINGS)
    # The gate is the better baseline of all sessions, so of a fold the model alone is its own.
    assert again.evidence.folds[0].scores == first.scores
    assert again.evidence.folds[0].rows == first.rows
    assert again.evidence.folds[4].scores != trained.evidence.folds[4].scores


def document(trained):
    return serving_document(trained, trained.evidence, 3, "r" * 32, "challenger", "d" * 64)


def test_what_serves_says_what_was_fitted(market, trained):
    served = Artifact.model_validate(json.loads(json.dumps(document(trained))))
    row = market[0].iloc[-300]
    found = served.distribution(row.to_dict())
    values = row[served.features].to_numpy(np.float64)
    model = trained.forecaster.fit.model
    for horizon in model.horizons:
        np.testing.assert_allclose(
            found.quantiles(horizon), model.quantiles(values[None], horizon)[0], rtol=1e-12
        )
    for ask in (served.direction, served.regime):
        with pytest.raises(ValueError, match="forecasts no"):
            ask(row.to_dict())


def test_a_baseline_serves_where_all_are_refuted(market, trained):
    made = baseline_document(trained, trained.evidence, document(trained))
    served = Artifact.model_validate(json.loads(json.dumps(made)))
    assert (served.alias, served.model) == ("baseline", "index_lognormal")
    assert served.features == ["vix_close"]
    found = served.distribution({"vix_close": 20.0})
    assert found.deviation(21) > found.deviation(5) > 0


def test_another_kind_is_no_distribution(trained):
    made = document(trained)
    linear = {"kind": "linear", "features": [], "mean": [], "scale": [], "coef": [[], [], []],
              "intercept": [0.0, 0.0, 0.0]}  # fmt: skip
    with pytest.raises(ValueError, match="linear forecasts no distribution"):
        Artifact.model_validate(made | {"features": [], "parameters": linear})
    with pytest.raises(ValueError, match="forecasts no regime"):
        Artifact.model_validate(made | {"task": "regime", "classes": ["LOW", "NORMAL", "HIGH"]})


def test_the_report_says_what_was_measured(trained):
    page = report_html(trained.evidence, {})
    assert "Distribution of returns of SPY" in page
    for words in ("CRPS", "coverage 21", "index lognormal", "log score 5"):
        assert words in page


def test_what_cannot_be_trained_is_refused(market):
    frame, prices = market
    with pytest.raises(InputError, match="got 'logistic', allowed: log_har"):
        walk_returns(frame, prices, Settings("SPY"))
    with pytest.raises(InputError, match="optimize_threshold of a distribution"):
        walk_returns(frame, prices, Settings("SPY", "log_har", optimize_threshold=True))
    with pytest.raises(InputError, match="too few sessions for 5 folds"):
        walk_returns(frame[frame["session"] < "2013-01-01"], prices, SETTINGS)
    with pytest.raises(InputError, match="no session of SPY from 2030-01-02 on"):
        walk_returns(frame, prices, SETTINGS, pd.Timestamp("2030-01-02"))
    empty = frame.assign(**dict.fromkeys(frame.filter(like="log_variance").columns, np.nan))
    empty = empty.assign(fall_1d=np.nan, fall_5d=np.nan)
    with pytest.raises(InputError, match="the variance view is empty"):
        walk_returns(empty, prices, SETTINGS)
