"""The test run checks the shapes that signatures state; nothing else does."""

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from jaxtyping import Float64, TypeCheckError
from jaxtyping._decorator import jaxtyped

from feature_repo.features.maths.arithmetic import ratio
from forecasters.calls import called_up, sigmoid
from market.bootstrap import interval
from tests.shapes import ROOT, checked, decorator, stating_shapes
from training.fit.forecast import Forecast
from training.models.sample import Sample
from training.tasks.scores import auc

DAYS = np.array(["2024-01-02", "2024-01-03", "2024-01-04"], "M8[D]")

WRONG = "from forecasters.calls import sigmoid; import numpy; sigmoid(numpy.zeros((2, 2)))"


def test_an_array_of_too_many_axes_is_refused():
    assert sigmoid(np.zeros(2)).tolist() == [0.5, 0.5]
    with pytest.raises(TypeCheckError, match="log_odds"):
        sigmoid(np.zeros((2, 2)))


def test_an_array_of_another_type_is_refused():
    with pytest.raises(TypeCheckError, match="probability"):
        called_up(np.zeros(2, dtype=np.float32), 0.5)
    with pytest.raises(TypeCheckError, match="resampled"):
        interval([0.0, 1.0])


def test_axes_of_one_name_have_one_length():
    with pytest.raises(TypeCheckError, match="probabilities"):
        Forecast(np.zeros(3, dtype=np.int64), np.full((2, 2), 0.5))


def test_series_of_sessions_have_one_length():
    with pytest.raises(TypeCheckError, match="denominator"):
        ratio(np.zeros(3), np.ones(2))


def test_a_training_row_has_every_column():
    with pytest.raises(TypeCheckError, match="label"):
        Sample(("a",), np.zeros((3, 1)), np.zeros(2, np.int64), 2, DAYS, DAYS, np.zeros((3, 5)))


def test_a_weight_stands_for_every_row_that_is_scored():
    with pytest.raises(TypeCheckError, match="weights"):
        auc(np.array([0, 1]), np.zeros(2), np.ones((1, 3)))


def twice(values: Float64[np.ndarray, " n_rows"]) -> Float64[np.ndarray, " n_rows"]:
    return np.append(values, values)


def first(values: Float64[np.ndarray, " n_rows"], count: int) -> Float64[np.ndarray, " {count}"]:
    return values[:count]


def each(values: Float64[np.ndarray, " n_rows"]) -> Iterator[float]:
    yield from values


def quoted(values: "Float64[np.ndarray, ' n_rows']") -> None:
    del values


@pytest.mark.parametrize(
    ("function", "arguments", "word"),
    [
        (twice, [np.zeros(2)], "return"),
        (first, [np.zeros(2), 3], "return"),
        (each, [np.zeros((2, 2))], "values"),
        (quoted, [np.zeros((2, 2))], "values"),
    ],
)
def test_what_is_returned_counted_yielded_or_quoted_is_checked_too(function, arguments, word):
    function(*arguments)
    with pytest.raises(TypeCheckError, match=word):
        decorator(jaxtyped, typechecker=checked)(function)(*arguments)


def test_what_states_no_array_is_left_alone():
    def plain(count: int) -> int:
        return count

    assert decorator(jaxtyped, typechecker=checked)(plain) is plain


def test_every_module_that_states_shapes_is_checked():
    stating = set(stating_shapes())
    everywhere = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in ROOT.glob("*/**/*.py")
        if path.relative_to(ROOT).parts[0] not in {"tests", "benchmarks", ".venv"}
        and "jaxtyping" in path.read_text("utf-8")
    }
    assert {"forecasters.calls", "market.bootstrap", "training.judge.measures"} <= stating
    assert stating == everywhere


def test_a_process_of_its_own_checks_nothing():
    subprocess.run([sys.executable, "-c", WRONG], check=True)
