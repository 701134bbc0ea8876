import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from home.records.training.judged import Gate
from home.records.training.locked import LockedResult, LockedSessions
from home.served_model import read_served
from market.errors import InputError, UnknownName
from optrade.cli.train.models import promotion_words
from tests.training.registry.conftest import AT, SETTINGS, Frames, Home, worse
from training.locked.run import EXPERIMENT, RESULT, record_opening
from training.locked.window import Opening
from training.registry import mlflow_runs as tracking
from training.registry.champion_history import Reign, history
from training.registry.mlflow_runs import aliased, find_champion
from training.registry.promote import promote
from training.registry.restore import restore_served
from training.registry.tracking_database import open_client
from training.settings import Settings
from training.tasks.direction import DIRECTION
from training.tasks.regime import REGIME
from training.walk import Trained, walk


@pytest.fixture
def trained(make_direction: Frames) -> Callable[[float], Trained]:
    return lambda signal: walk(DIRECTION, *make_direction(500, 1, signal), SETTINGS)


def test_noise_serves_as_an_unproven_challenger_while_there_is_no_champion(
    home: Home, trained: Callable[[float], Trained]
) -> None:
    found = home.register(trained(0.0))
    assert (found.name, found.version, found.alias) == ("direction_SPY", 1, "challenger")
    assert found.serving_path is not None
    served = home.served()
    assert served["evidence"]["proven"] is False
    assert (served["alias"], served["version"]) == ("challenger", 1)
    assert served["run_id"] == found.run_id
    newer = home.register(trained(0.0))
    assert home.served()["version"] == newer.version == 2, "the newest challenger serves"


def test_a_proven_model_becomes_champion_and_a_refused_one_does_not_replace_it(
    home: Home, trained: Callable[[float], Trained]
) -> None:
    first = home.register(trained(2.0))
    assert first.alias == "champion"
    assert home.served()["evidence"]["proven"] is True
    refused = home.register(trained(0.0))
    assert (refused.alias, refused.version) == ("challenger", 2)
    assert refused.serving_path is None
    assert home.served()["version"] == 1
    assert refused.evidence.champion.version == 1
    client = open_client(home.mlruns)
    assert aliased(client, "direction_SPY", "champion") == 1
    assert aliased(client, "direction_SPY", "challenger") == 2


def test_a_proven_model_worse_than_the_champion_is_refused(
    home: Home, trained: Callable[[float], Trained], make_direction: Frames
) -> None:
    home.register(trained(2.0))
    other = replace(SETTINGS, n_features=3)
    weaker = home.register(walk(DIRECTION, *make_direction(500, 1, 0.9), other))
    assert weaker.evidence.verdict.proven
    assert weaker.alias == "challenger"
    assert "worse than champion version 1" in weaker.evidence.verdict.words
    assert home.served()["version"] == 1


def test_a_champion_is_refreshed_by_its_own_recipe_however_it_fares(
    home: Home, trained: Callable[[float], Trained]
) -> None:
    home.register(trained(2.0))
    weaker = home.register(trained(0.9))
    assert weaker.evidence.champion.difference < 0
    assert (weaker.alias, weaker.serves) == ("champion", "this version")
    assert "a refresh of champion version 1" in weaker.evidence.verdict.words
    assert home.served()["version"] == 2


def bytes_of(home: Home) -> bytes:
    return (home.models / "serving" / "direction_SPY.json").read_bytes()


def test_where_every_version_is_refuted_the_baseline_serves(home: Home, noise: Trained) -> None:
    found = home.register(worse(noise))
    assert (found.alias, found.serves) == (None, "baseline: no model is better")
    assert found.evidence.verdict.words.startswith("refuted: ")
    served = home.served()
    assert (served["alias"], served["version"]) == ("baseline", 1)
    assert served["model"] == served["evidence"]["baseline"] == noise.tested.gate
    client = open_client(home.mlruns)
    assert aliased(client, "direction_SPY", "challenger") is None
    newer = home.register(noise)
    assert (newer.alias, newer.serves) == ("challenger", "this version")
    assert home.served()["version"] == 2
    again = home.register(worse(noise))
    assert (again.alias, again.serves) == (None, "version 2 (logistic)")
    assert home.served()["version"] == 2


def test_a_baseline_without_a_copy_is_lost_until_the_next_training(
    home: Home, noise: Trained
) -> None:
    found = home.register(worse(noise))
    # As a run of an earlier version, which kept none.
    open_client(home.mlruns).delete_tag(found.run_id, tracking.HASH + tracking.BASELINE)
    path = home.models / "serving" / "direction_SPY.json"
    good = path.read_bytes()
    path.write_bytes(good[:-2])
    with pytest.raises(InputError, match="no version of direction_SPY that serves: train it again"):
        restore_served(home.mlruns, home.models, "direction_SPY")
    assert path.read_bytes() == good[:-2]
    home.register(worse(noise))
    assert home.served()["alias"] == "baseline"
    assert read_served(path)


def test_a_refuted_version_is_promoted_by_nobody(home: Home, noise: Trained) -> None:
    home.register(worse(noise))
    before = bytes_of(home)
    with pytest.raises(InputError, match="direction_SPY version 1 never serves: refuted: "):
        promote("direction_SPY", at=AT, version=1, force=True, **home.paths)
    assert bytes_of(home) == before
    assert find_champion(open_client(home.mlruns), "direction_SPY") is None


@pytest.mark.parametrize("standing", ["refuted", "unproven"])
def test_a_trial_is_registered_and_counted_and_changes_nothing(
    home: Home, noise: Trained, make_direction: Frames, standing: str
) -> None:
    first = home.register(noise, trial=True)
    assert (first.alias, first.serves) == (None, "nothing yet")
    assert not (home.models / "serving").exists()
    home.register(noise)
    before = bytes_of(home)
    other = walk(DIRECTION, *make_direction(500, 1, 0.0), replace(SETTINGS, n_features=3))
    found = home.register(worse(other) if standing == "refuted" else other, trial=True)
    assert (found.version, found.alias, found.serves) == (3, None, "version 2 (logistic)")
    assert found.evidence.verdict.standing == standing
    assert "a trial: what serves stays" in found.evidence.verdict.words
    assert bytes_of(home) == before
    assert aliased(open_client(home.mlruns), "direction_SPY", "challenger") == 2
    assert home.register(noise).evidence.trials.count == 2, "the trial is one"


def test_a_trial_may_be_promoted_and_is_none_then(home: Home, noise: Trained) -> None:
    home.register(noise, trial=True)
    promote("direction_SPY", at=AT, version=1, force=True, **home.paths)
    assert home.served()["version"] == 1
    again = home.register(worse(noise))
    assert again.serves == "version 1 (logistic)"
    assert len(list((home.models / "serving" / "standby").rglob("*.json"))) == 1


def test_a_version_whose_training_was_cut_short_does_not_serve(home: Home, noise: Trained) -> None:
    home.cut_short(noise)
    assert home.register(worse(noise)).serves == "baseline: no model is better"


def test_a_home_from_before_stops_serving_a_refuted_version(home: Home, noise: Trained) -> None:
    """It is served under an alias, and neither its file nor its version has the word."""
    home.register(noise)
    refuted = home.register(worse(noise))
    client = open_client(home.mlruns)
    client.set_registered_model_alias("direction_SPY", "champion", str(refuted.version))
    client.delete_model_version_tag("direction_SPY", str(refuted.version), "standing")
    evidence = home.mlruns / "artifacts" / refuted.run_id / "artifacts" / tracking.EVIDENCE
    document = json.loads(evidence.read_text("utf-8"))
    del document["verdict"]["standing"]
    evidence.write_text(json.dumps(document), "utf-8")
    client.delete_tag(refuted.run_id, tracking.HASH + tracking.EVIDENCE)
    file = home.models / "serving" / "direction_SPY.json"
    file.write_text(json.dumps(home.served() | {"version": refuted.version}), "utf-8")
    assert find_champion(client, "direction_SPY") is None
    found = home.register(worse(noise))
    assert found.serves == "version 1 (logistic)"
    assert (home.served()["version"], home.served()["alias"]) == (1, "challenger")


def test_a_better_model_and_an_equal_one_replace_the_champion(
    home: Home, trained: Callable[[float], Trained]
) -> None:
    home.register(trained(1.0))
    better = home.register(trained(2.0))
    assert (better.alias, home.served()["version"]) == ("champion", 2)
    equal = home.register(trained(2.0))
    assert (equal.alias, home.served()["version"]) == ("champion", 3)
    assert equal.evidence.champion.difference == pytest.approx(0.0)


def test_the_run_holds_all_that_was_measured(
    home: Home, trained: Callable[[float], Trained]
) -> None:
    model = trained(1.0)
    found = home.register(model, tags={"origin": "simulated"})
    client = open_client(home.mlruns)
    recorded = client.get_run(found.run_id)
    assert recorded.info.status == "FINISHED"
    assert recorded.data.params["n_features"] == "40"
    assert recorded.data.tags["origin"] == "simulated"
    assert recorded.data.tags["definition_hash"] == "feed"
    assert recorded.data.tags["alias"] == found.alias
    pooled = model.evidence.pooled
    assert recorded.data.metrics["log_loss"] == pytest.approx(pooled.scores["log_loss"])
    gate = model.tested.gate
    baseline = model.evidence.baselines[gate]["log_loss"]
    assert recorded.data.metrics[f"{gate}.log_loss"] == pytest.approx(baseline)
    bound = model.evidence.gate.bound
    assert recorded.data.metrics["improvement_bound"] == pytest.approx(bound)
    chosen = client.get_model_version("direction_SPY", "1")
    assert chosen.run_id == found.run_id
    assert tracking.read_evidence(client, chosen) == found.evidence
    assert tracking.read_served(client, chosen) == home.served()
    pd.testing.assert_frame_equal(tracking.read_losses(client, chosen), model.losses)


def test_the_registered_pipeline_loads_and_agrees(
    home: Home, trained: Callable[[float], Trained]
) -> None:
    import mlflow

    model = trained(1.0)
    home.register(model)
    chosen = open_client(home.mlruns).get_model_version("direction_SPY", "1")
    loaded = mlflow.sklearn.load_model(chosen.source)
    fit = model.forecaster.fit
    values = np.random.default_rng(0).standard_normal((30, len(fit.selection.names)))
    expected = fit.estimate.estimator.predict_proba(values)
    np.testing.assert_allclose(loaded.predict_proba(values), expected, atol=1e-12)


def test_everything_lies_in_the_home(
    home: Home, trained: Callable[[float], Trained], tmp_path: Path
) -> None:
    import mlflow

    before = mlflow.get_tracking_uri()
    found = home.register(trained(0.0))
    assert mlflow.get_tracking_uri() == before
    assert [one.name for one in tmp_path.iterdir()] == ["home"]
    assert sorted(one.name for one in home.mlruns.iterdir()) == ["artifacts", "mlflow.db"]
    assert found.joblib_path.parent == home.models / "SPY"
    metadata = joblib.load(found.joblib_path)["metadata"]
    assert (metadata["version"], metadata["run_id"]) == (1, found.run_id)
    assert metadata["metrics"] == found.evidence.pooled.document()


def test_both_models_of_a_ticker_have_their_own_versions(
    home: Home,
    trained: Callable[[float], Trained],
    make_regime: Callable[..., pd.DataFrame],
) -> None:
    home.register(trained(0.0))
    regime = walk(REGIME, make_regime(500), None, Settings("SPY", resamples=100))
    found = home.register(regime)
    assert (found.name, found.version) == ("regime_SPY", 1)
    assert home.served("regime_SPY")["task"] == "regime"
    assert home.served("direction_SPY")["task"] == "direction"


def test_unreadable_losses_of_the_champion_are_refused_before_anything_is_registered(
    home: Home, trained: Callable[[float], Trained]
) -> None:
    first = home.register(trained(2.0))
    served = home.served()
    losses = home.mlruns / "artifacts" / first.run_id / "artifacts" / tracking.LOSSES
    losses.write_bytes(b"cut short")
    with pytest.raises(InputError, match=r"losses\.parquet is damaged.*restore the artifacts"):
        home.register(trained(2.0))
    losses.unlink()
    with pytest.raises(InputError, match="restore the artifacts"):
        home.register(trained(2.0))
    client = open_client(home.mlruns)
    assert len(client.search_model_versions("name = 'direction_SPY'")) == 1
    assert home.served() == served


def test_a_run_that_breaks_is_marked_and_serves_nothing(
    home: Home, trained: Callable[[float], Trained]
) -> None:
    home.models.mkdir(parents=True)
    (home.models / "SPY").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="SPY"):
        home.register(trained(2.0))
    client = open_client(home.mlruns)
    experiment = client.get_experiment_by_name("direction").experiment_id
    assert [one.info.status for one in client.search_runs([experiment])] == ["FAILED"]
    assert find_champion(client, "direction_SPY") is None
    assert not (home.models / "serving").exists()


def test_promotion_against_the_gate_needs_force_and_is_recorded(
    home: Home, trained: Callable[[float], Trained]
) -> None:
    home.register(trained(0.0))
    with pytest.raises(InputError, match="the gate refuses direction_SPY version 1: unproven"):
        promote("direction_SPY", at=AT, **home.paths)
    assert home.served()["alias"] == "challenger"
    forced = promote("direction_SPY", at=AT, force=True, **home.paths)
    assert (forced.version, forced.forced) == (1, True)
    served = home.served()
    assert served["alias"] == "champion"
    assert served["evidence"]["proven"] is False, "force makes no evidence"
    client = open_client(home.mlruns)
    tags = client.get_model_version("direction_SPY", "1").tags
    assert (tags["forced"], tags["promoted_at"]) == ("true", str(AT))
    assert aliased(client, "direction_SPY", "champion") == 1
    assert client.get_registered_model("direction_SPY").aliases == {"champion": 1}
    assert promotion_words(forced).startswith(
        "direction_SPY version 1 is champion by --force, which is recorded; the gate had refused "
        "it: unproven: "
    )
    assert "promoted" not in promotion_words(forced)
    client.set_registered_model_alias("direction_SPY", "challenger", "1")  # a home of before
    assert aliased(client, "direction_SPY", "challenger") is None
    with pytest.raises(InputError, match="direction_SPY has no challenger to promote; known are 1"):
        promote("direction_SPY", at=AT, force=True, **home.paths)
    later = home.register(trained(0.0))
    assert later.serving_path is None, "a forced champion is one"


def test_who_was_champion_when_is_kept_by_the_clock_of_the_home(
    home: Home, trained: Callable[[float], Trained]
) -> None:
    home.register(trained(2.0), as_of=AT)
    home.register(trained(0.0), as_of=AT + pd.Timedelta("1D"))  # a challenger, and no reign
    later = AT + pd.Timedelta("3D")
    promote("direction_SPY", at=later, force=True, **home.paths)
    reigns = history(open_client(home.mlruns), "direction_SPY")
    assert reigns == (Reign(1, AT, later), Reign(2, later))


def test_an_earlier_proven_version_can_be_promoted_again(
    home: Home, trained: Callable[[float], Trained]
) -> None:
    home.register(trained(2.0))
    home.register(trained(2.0))
    back = promote("direction_SPY", at=AT, version=1, **home.paths)
    assert (back.version, back.forced) == (1, False)
    assert "version 1 is champion as the gate allows: proven: " in promotion_words(back)
    assert home.served()["version"] == 1


def test_promoting_what_is_not_there_is_refused(home: Home) -> None:
    for version in (None, 7):
        with pytest.raises(UnknownName, match="--name: got 'direction_QQQ', allowed"):
            promote("direction_QQQ", at=AT, version=version, **home.paths)


OPENING = Opening(
    {"task": "regime", "model": "paths", "ticker": "SPY"},
    ("2025-07-01 00:00:00+00:00",),
    LockedResult(
        at="2025-07-01 00:00:09+00:00",
        definition_hash="feed",
        settings={"seed": 0, "pooled": True},
        window=LockedSessions(
            start="2023-07-03", end="2025-06-20", sessions=495, decided=490, dropped=0
        ),
        scores={"log_loss": 0.5, "accuracy": 0.8, "brier": None},
        baselines={"transition_table": {"log_loss": 0.53}, "persistence": {"log_loss": None}},
        difference={},
        comparison=[],
        gate=Gate(
            metric="log_loss",
            baseline="transition_table",
            value=0.5,
            baseline_value=0.53,
            improvement=0.03,
            interval=[0.01, 0.05],
            bound=0.015,
        ),
    ),
    None,
)


def test_a_result_is_a_run_of_the_experiment_locked(home: Home) -> None:
    run_id = record_opening(OPENING, home.mlruns, {"origin": "recorded"})
    client = open_client(home.mlruns)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    (found,) = client.search_runs([experiment.experiment_id])
    assert (found.info.run_id, found.info.status) == (run_id, "FINISHED")
    assert found.data.metrics == {
        "log_loss": 0.5,
        "accuracy": 0.8,
        "transition_table.log_loss": 0.53,
        "improvement": 0.03,
        "improvement_bound": 0.015,
        "improvement_low": 0.01,
        "improvement_high": 0.05,
    }
    assert found.data.params == {"seed": "0", "pooled": "True"}
    wanted = {"task": "regime", "model": "paths", "ticker": "SPY", "origin": "recorded",
              "definition_hash": "feed", "opened_at": "2025-07-01 00:00:00+00:00"}  # fmt: skip
    assert wanted.items() <= found.data.tags.items()
    assert client.list_artifacts(run_id)[0].path == RESULT


def test_an_opening_without_a_result_is_no_run(home: Home) -> None:
    cut = Opening(OPENING.family, OPENING.opened_at, None, None)
    with pytest.raises(TypeError, match="no result"):
        record_opening(cut, home.mlruns, {})


def test_a_report_is_kept_with_the_run_and_in_the_home(
    home: Home, trained: Callable[[float], Trained]
) -> None:
    found = home.register(trained(0.0), tags={"origin": "simulated"})
    assert found.report_path == home.reports / "direction_SPY_v1.html"
    page = found.report_path.read_text("utf-8")
    kept = next(home.mlruns.rglob(f"{found.run_id}/**/report.html"))
    assert kept.read_text("utf-8") == page
    assert "Unproven:" in page
    assert found.run_id in page
    assert "simulated" in page


def test_every_recipe_tried_counts_against_the_next(
    home: Home, make_direction: Frames, trained: Callable[[float], Trained]
) -> None:
    home.register(trained(0.0))
    again = home.register(trained(0.0)).evidence
    assert again.trials.count == 1
    other = walk(DIRECTION, *make_direction(500, 1, 0.0), replace(SETTINGS, n_features=3))
    tried = home.register(other)
    assert tried.evidence.trials.count == 2
    assert tried.evidence.trials.spa.consistent > 0.05
    client = open_client(home.mlruns)
    assert client.get_run(tried.run_id).data.metrics["trials"] == 2.0
