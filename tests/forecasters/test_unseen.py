"""A model whose training part lacked a class: what is said of it, in a batch and read back."""

import json
from dataclasses import replace

import numpy as np
import pytest

from forecasters.base import N_REGIMES
from forecasters.mixtures import Pool
from forecasters.unseen import AddOne, with_unseen
from tests.forecasters.conftest import made_sample
from training.models.catalogue import MODELS


@pytest.fixture(params=["logistic", "trees"], scope="module")
def model(request):
    """A model fitted on rows without HIGH."""
    sample = made_sample(N_REGIMES)
    keep = sample.labels < N_REGIMES - 1
    names = ("values", "labels", "sessions", "label_ends", "ahead")
    return (
        MODELS[request.param]
        .fit(replace(sample, **{name: getattr(sample, name)[keep] for name in names}))
        .parameters
    )


def test_what_is_read_back_says_the_same_row_by_row(model, new_rows):
    values = new_rows[0]
    again = AddOne.model_validate(json.loads(json.dumps(model.model_dump())))
    batch = model.chances(values).probabilities
    rows = [again.chances(row[None]).probabilities[0] for row in values]
    np.testing.assert_allclose(rows, batch, rtol=0, atol=1e-12)
    assert batch.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert (batch[:, 2] == model.unseen).all()
    assert np.ptp(batch[:, 0]) > 0.1


def test_the_classes_it_knows_keep_their_proportions(model, new_rows):
    values = new_rows[0]
    known = model.model.chances(values).probabilities[:, :2]
    found = model.chances(values).probabilities[:, :2]
    np.testing.assert_allclose(found[:, 0] * known[:, 1], found[:, 1] * known[:, 0], atol=1e-12)


def test_it_may_be_a_member_of_a_pool(model, new_rows):
    pool = Pool(weights=[1.0], members=[model])
    again = Pool.model_validate(json.loads(json.dumps(pool.model_dump())))
    assert again.names() == model.names()
    expected = model.chances(new_rows[0]).probabilities
    np.testing.assert_array_equal(again.chances(new_rows[0]).probabilities, expected)


def test_with_every_class_it_is_the_model_itself(model):
    assert with_unseen(model.model, [], 100) is model.model


@pytest.mark.parametrize(
    "change",
    [{"absent": []}, {"absent": [1, 1]}, {"absent": [0, 1, 2]}, {"absent": [3]}, {"absent": [True]},
     {"unseen": 0.0}, {"unseen": 0.4}, {"extra": 1}, {"model": {"kind": "table"}}],
)  # fmt: skip
def test_every_wrong_shape_is_refused(model, change):
    with pytest.raises(ValueError, match="AddOne"):
        AddOne.model_validate(model.model_dump() | change)


def test_it_forecasts_no_direction(model, new_rows):
    with pytest.raises(ValueError, match="forecasts no direction"):
        model.check_task("direction")
    with pytest.raises(TypeError, match="add_one forecasts no direction"):
        model.decision(new_rows[0])
