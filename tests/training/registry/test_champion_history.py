import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from market.errors import UnknownName
from training.judge.decide import CHAMPION
from training.registry.champion_history import Reign, champion_at, crown, history, settle
from training.registry.tracking_database import open_client

NAME = "direction_SPY"
# Decision times of the sessions 2024-11-25, 26 and 27, and between two of them.
MONDAY, TUESDAY, WEDNESDAY = (
    pd.Timestamp(f"2024-11-{day} 21:30", tz="UTC") for day in (25, 26, 27)
)
MONDAY_NIGHT = MONDAY + pd.Timedelta("3h")


@pytest.fixture(scope="module")
def database(mlruns: Path) -> Any:
    return open_client(mlruns)


@pytest.fixture
def client(database: Any) -> Any:
    """A database with one model of three versions and no champion."""
    if database.search_registered_models(f"name = '{NAME}'"):
        database.delete_registered_model(NAME)
    database.create_registered_model(NAME)
    for _ in range(3):
        database.create_model_version(NAME, "memory://nowhere")
    return database


def versions(client: Any) -> list[int | None]:
    return [reign.version for reign in history(client, NAME)]


def test_each_session_has_the_champion_of_its_decision_time(client: Any) -> None:
    assert history(client, NAME) == ()
    crown(client, NAME, 1, MONDAY)
    crown(client, NAME, 2, TUESDAY)
    crown(client, NAME, 1, WEDNESDAY)
    reigns = history(client, NAME)
    assert reigns == (Reign(1, MONDAY, TUESDAY), Reign(2, TUESDAY, WEDNESDAY), Reign(1, WEDNESDAY))
    found = [champion_at(reigns, pd.Timestamp(f"2024-11-{day}")) for day in (22, 25, 26, 27, 29)]
    assert found == [None, 1, 2, 1, 1]
    assert client.get_model_version_by_alias(NAME, CHAMPION).version == 1


def test_a_promotion_after_a_decision_counts_from_the_next_session(client: Any) -> None:
    crown(client, NAME, 1, MONDAY)
    crown(client, NAME, 2, MONDAY_NIGHT)
    reigns = history(client, NAME)
    assert champion_at(reigns, pd.Timestamp("2024-11-25")) == 1
    assert champion_at(reigns, pd.Timestamp("2024-11-26")) == 2
    first, second = (reign.document() for reign in reigns)
    assert (first["first_session"], first["last_session"]) == ("2024-11-25", "2024-11-25")
    assert (second["first_session"], second["last_session"]) == ("2024-11-26", None)


def test_a_champion_of_no_session_is_in_the_history_all_the_same(client: Any) -> None:
    """The clock of a recorded home stands still."""
    crown(client, NAME, 1, MONDAY)
    crown(client, NAME, 2, MONDAY)
    assert versions(client) == [1, 2]
    assert champion_at(history(client, NAME), pd.Timestamp("2024-11-25")) == 2
    shadowed = history(client, NAME)[0].document()
    assert shadowed["first_session"] is shadowed["last_session"] is None


def test_the_champion_promoted_again_begins_no_new_reign(client: Any) -> None:
    crown(client, NAME, 1, MONDAY)
    crown(client, NAME, 1, WEDNESDAY)
    assert history(client, NAME) == (Reign(1, MONDAY),)


class Killed(BaseException):
    """What a kill does to the code that runs: nothing catches it."""


@pytest.mark.parametrize(
    ("at", "champion"),
    [
        ("set_model_version_tag", 1),
        ("set_registered_model_alias", 1),
        ("set_registered_model_tag", 2),
    ],
)
def test_a_kill_before_any_step_leaves_a_history_that_agrees_with_the_alias(
    client: Any, monkeypatch: pytest.MonkeyPatch, at: str, champion: int
) -> None:
    crown(client, NAME, 1, MONDAY)

    def kill(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(client, at, kill)
        with pytest.raises(Killed):
            crown(client, NAME, 2, TUESDAY)
    expected = {1: [Reign(1, MONDAY)], 2: [Reign(1, MONDAY, TUESDAY), Reign(2, TUESDAY)]}
    assert list(history(client, NAME)) == expected[champion]
    crown(client, NAME, 3, WEDNESDAY)
    assert versions(client) == [*([1] if champion == 1 else [1, 2]), 3], "the reign was kept"
    assert history(client, NAME)[-2].until == WEDNESDAY


def test_an_alias_set_by_hand_is_seen_with_an_unknown_beginning(client: Any) -> None:
    crown(client, NAME, 1, MONDAY)
    crown(client, NAME, 2, TUESDAY)
    client.set_registered_model_alias(NAME, CHAMPION, "1")  # carries the mark of its first reign
    reigns = history(client, NAME)
    assert reigns[-1] == Reign(1, None)
    assert champion_at(reigns, pd.Timestamp("2024-11-29")) is None, "unknown, not a guess"
    client.delete_registered_model_alias(NAME, CHAMPION)
    settle(client, NAME)
    crown(client, NAME, 3, WEDNESDAY)
    assert versions(client) == [1, 2, None, 3]
    assert champion_at(history(client, NAME), pd.Timestamp("2024-11-29")) == 3


def test_a_kept_entry_is_never_changed(client: Any) -> None:
    crown(client, NAME, 1, MONDAY)
    before = dict(client.get_registered_model(NAME).tags)
    for version in (2, 3, 1):
        crown(client, NAME, version, WEDNESDAY)
    after = client.get_registered_model(NAME).tags
    assert len(after) == 4
    assert before.items() <= after.items()
    assert json.loads(after["champion.000004"])["version"] == 1


def test_a_model_that_is_not_there_is_refused(client: Any) -> None:
    for name in ("direction_QQQ", "it's"):
        with pytest.raises(
            UnknownName, match="allowed is direction_SPY; train it first"
        ) as refused:
            history(client, name)
        assert repr(name) in str(refused.value)
