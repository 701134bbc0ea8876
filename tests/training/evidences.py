"""Evidence with nothing in it but what a verdict needs."""

from home.records.training.evidence import Pooled, TrainingEvidence, Window
from home.records.training.judged import Gate, Verdict


def gate(
    bound: float | None, interval: list[float] | None = None, improvement: float | None = 0.09
) -> Gate:
    return Gate(
        metric="log_loss",
        baseline="class_prior",
        value=0.6,
        baseline_value=0.69,
        improvement=improvement,
        interval=interval,
        bound=bound,
    )


def bare(of: Gate) -> TrainingEvidence:
    return TrainingEvidence(
        ticker="SPY",
        model="logistic",
        task="direction",
        feature_service="direction",
        settings={"ticker": "SPY", "resamples": 100, "seed": 1},
        window=Window(
            start="2020-01-01",
            end="2021-02-23",
            sessions=300,
            decided=300,
            tested=300,
            tested_decided=300,
            tested_dropped=0,
        ),
        folds=[],
        pooled=Pooled(scores={}, fold_mean={}),
        baselines={},
        difference={},
        comparison=[],
        gate=of,
        features=[],
        mutual_information={},
        left_out={},
        constant=[],
        twins={},
        trained_rows=300,
        dropped_rows=0,
        threshold=None,
        warnings=[],
        champion=None,
        verdict=Verdict(proven=False, standing="unproven", promoted=False, words="not judged yet"),
    )
