"""Views of a historical read: names, on-demand views, views that a home lacks."""

from pathlib import Path

import pandas as pd
import pytest
from feast import FeatureService, Field
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64

from market.errors import InputError
from tests.feature_repo.store.asof_home import ALPHA, REFS, Home, asked, at, make_home


def test_full_names_and_chosen_columns(home: Home) -> None:
    job = home.read(asked(("A", 1, 1)), ["alpha:a2", "beta:b1"], full_feature_names=True)
    found = job.to_df()
    assert list(found)[3:] == ["alpha__a2", "beta__b1"]
    assert job.full_feature_names


def test_join_key_under_another_name(home: Home) -> None:
    view = home.store.get_feature_view("alpha").with_name("peer")
    view = view.with_join_key_map({"ticker": "peer_ticker"})

    home.store.apply([FeatureService(name="pair", features=[view[["a2"]]])])
    frame = asked(("A", 1, 1)).assign(peer_ticker="B")
    service = home.store.get_feature_service("pair")
    found = home.store.get_historical_features(frame, service, full_feature_names=True).to_df()
    assert found["peer__a2"].tolist() == [7.0]


def test_on_demand_view_is_computed_from_the_answer(home: Home) -> None:
    source = home.store.get_feature_view("alpha")

    @on_demand_feature_view(
        sources=[source], schema=[Field(name="doubled", dtype=Float64)], mode="pandas"
    )
    def twice(inputs: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame({"doubled": inputs["a1"] * 2})

    home.store.apply([twice])
    found = home.read(asked(("A", 1, 1)), ["twice:doubled"]).to_df()
    assert found["doubled"].tolist() == [2.0]


def without_beta(data: Path, tags: dict[str, str]) -> Home:
    """A home in which nothing has landed in beta, a view of the ticker alone with these tags."""
    made = make_home(data)
    made.write("alpha", ALPHA)
    view = made.store.get_feature_view("beta")
    view.tags, view.entities = tags, ["ticker"]
    view.entity_columns = view.entity_columns[:1]
    made.store.apply([view])
    return made


def test_optional_view_in_which_nothing_has_landed_is_null(tmp_path: Path) -> None:
    home = without_beta(tmp_path / "data", {"optional": "true"})
    frame = asked(("A", 1, 1), ("B", 1, 1), (None, None, None))
    found = home.read(frame, REFS).to_df()
    assert found["a1"].tolist()[0] == 1.0
    assert found["b1"].isna().all()
    assert found["b1"].dtype == "float64"
    assert home.read(frame, ["beta:b1"]).to_arrow().num_rows == 3
    assert home.read(frame[:0], ["beta:b1"]).to_df().empty


def test_events_are_those_of_the_views_that_have_landed(tmp_path: Path) -> None:
    home = without_beta(tmp_path / "data", {"optional": "true"})
    period = {"start_date": at(0), "end_date": at(9)}
    found = home.store.get_historical_features(None, REFS, **period).to_df()
    alone = home.store.get_historical_features(None, REFS[:2], **period).to_df()
    pd.testing.assert_frame_equal(found.drop(columns="b1"), alone)
    assert found["b1"].isna().all()
    with pytest.raises(InputError, match="nothing has landed in view beta"):
        home.store.get_historical_features(None, ["beta:b1"], **period).to_df()


@pytest.mark.parametrize("tags", [{}, {"optional": "false"}])
def test_any_other_view_in_which_nothing_has_landed_is_refused(
    tmp_path: Path, tags: dict[str, str]
) -> None:
    home = without_beta(tmp_path / "data", tags)
    with pytest.raises(InputError, match="nothing has landed in view beta"):
        home.read(asked(("A", 1, 1)), REFS).to_df()


def test_optional_view_that_has_landed_is_read_as_any_other(home: Home) -> None:
    view = home.store.get_feature_view("beta")
    before = home.read(asked(("A", 1, 1)), REFS).to_df()
    view.tags = {"optional": "true"}
    home.store.apply([view])
    pd.testing.assert_frame_equal(home.read(asked(("A", 1, 1)), REFS).to_df(), before)
