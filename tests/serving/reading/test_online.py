"""Online reads through Feast from a real Redis: one session, all values, or a refusal with why."""

import json
import math
import time

import pandas as pd
import pytest

from market.calendar import SETTLE_TIME, close, decision_time
from serving.reading.online import (
    Requirements,
    connect,
    open_snapshot,
    read_row,
    service_references,
)
from serving.reading.refusal import Refusal

pytestmark = pytest.mark.integration

SESSION, BEFORE = pd.Timestamp("2025-06-30"), pd.Timestamp("2025-06-27")
AS_OF = pd.Timestamp("2025-06-30 20:30", tz="UTC")
DEFINITIONS = "d" * 64


def requirements(home, as_of=AS_OF, settle=SETTLE_TIME, origin="recorded", definitions=DEFINITIONS):
    return Requirements(as_of, settle, origin, definitions, str(home.data.resolve()))


def read(home, ticker="SPY", features=None, **changes):
    store, client = home.open()
    references = service_references(store, ["direction", "volatility"])
    if features is not None:
        references = {name: references[name] for name in features}
    return read_row(store, client, references, ticker, requirements(home, **changes))


def refusal(home, **arguments) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(home, **arguments)
    assert caught.value.retry_after > 0
    return caught.value


def test_all_views_answer_with_one_session(feast_home, values):
    row = read(feast_home.fill())
    assert (row.ticker, row.session) == ("SPY", SESSION)
    assert row.values == values
    assert row.ages == {"iv": 0, "macro": 0, "technical": 0}


def test_only_the_views_of_the_features_needed_are_read(feast_home, values):
    feast_home.put(views=("technical",))
    feast_home.publish()
    row = read(feast_home, features=["returns_5d"])
    assert row.values == {"returns_5d": values["returns_5d"]}
    assert row.ages == {"technical": 0}


def test_the_session_before_answers_while_the_next_settles(feast_home):
    feast_home.fill("2025-06-27")
    row = read(feast_home)
    assert row.session == BEFORE
    assert set(row.ages.values()) == {1}


@pytest.mark.parametrize(
    ("as_of", "error"),
    [
        (AS_OF + SETTLE_TIME + pd.Timedelta(seconds=1), "stale"),
        (decision_time(pd.DatetimeIndex(["2025-06-26"]))[0], "ahead"),
    ],
)
def test_the_clock_decides_on_the_session(feast_home, as_of, error):
    assert refusal(feast_home.fill("2025-06-27"), as_of=as_of).error == error


@pytest.mark.parametrize("view", ["technical", "iv", "macro"])
def test_one_view_left_behind_refuses(feast_home, view):
    feast_home.fill("2025-06-27")
    feast_home.put("2025-06-30", views=tuple({"technical", "iv", "macro"} - {view}))
    found = refusal(feast_home)
    assert found.error == "mixed_sessions"
    assert f"{view} 2025-06-27" in found.detail


@pytest.mark.parametrize("view", ["technical", "iv", "macro"])
def test_a_view_that_was_never_written_refuses(feast_home, view):
    feast_home.put(views=tuple({"technical", "iv", "macro"} - {view}))
    feast_home.publish()
    found = refusal(feast_home)
    assert found.error == "missing_views"
    assert view in found.detail


def test_a_view_being_corrected_refuses(feast_home):
    """A correction removes the view's timestamp before it writes the row again."""
    feast_home.fill()
    client = feast_home.server.client()
    for key in client.keys("*"):
        if key != b"optrade:session":
            client.hdel(key, "_ts:iv")
    found = refusal(feast_home)
    assert found.error == "missing_views"
    assert found.detail.split(" in ")[1].startswith("iv")


def test_a_value_that_changed_in_the_store_refuses(feast_home, rng):
    """One flipped bit of any value, or of a row's time, is no answer."""
    from feature_repo.store.row_checks import CHECK

    feast_home.fill()
    client = feast_home.server.client()
    rows = {key: client.hgetall(key) for key in client.keys("*") if key != b"optrade:session"}
    for key, row in rows.items():
        for name, value in row.items():
            bad = bytearray(value)
            bad[rng.integers(len(bad))] ^= 1 << int(rng.integers(8))
            client.hset(key, name, bytes(bad))
            said = ("damaged_row", "foreign_row", "missing_views")
            assert refusal(feast_home).error in said, name
            client.hset(key, name, value)
            if name.startswith(CHECK.encode()):
                client.hdel(key, name)
                assert refusal(feast_home).error == "foreign_row"
                client.hset(key, name, value)


def test_a_key_of_another_type_is_none_of_ours(feast_home):
    feast_home.fill()
    client = feast_home.server.client()
    for key in client.keys("*"):
        held = client.dump(key)
        client.delete(key)
        client.lpush(key, "x")
        if key == b"optrade:session" or b"SPY" in key:
            assert refusal(feast_home).error == "foreign_row"
        client.restore(key, 0, held, replace=True)
    read(feast_home)


def test_the_row_of_another_time_refuses(feast_home):
    """Values of a session before, in the row of this one."""
    feast_home.put("2025-06-27", returns_5d=0.5)
    client = feast_home.server.client()
    (key,) = [key for key in client.keys("*") if b"SPY" in key]
    before = client.hgetall(key)
    feast_home.fill()
    now = client.hgetall(key)
    (name,) = [name for name, value in before.items() if len(name) == 4 and now[name] != value]
    client.hset(key, name, before[name])
    assert refusal(feast_home).error == "damaged_row"


def test_a_pointer_that_changed_in_the_store_refuses(feast_home):
    feast_home.fill()
    client = feast_home.server.client()
    good = client.get("optrade:session")
    client.set("optrade:session", good.replace(b"2025-06-30", b"2025-06-27"))
    assert refusal(feast_home).error == "not_published"


def test_a_time_that_no_session_closes_at_refuses(feast_home):
    feast_home.put(moment=close(pd.DatetimeIndex([SESSION]))[0] - pd.Timedelta(hours=1))
    feast_home.publish()
    assert refusal(feast_home).error == "missing_views"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
@pytest.mark.parametrize("name", ["hv_20", "iv_rank", "fed_funds_effective"])
def test_an_unknown_feature_refuses_by_name(feast_home, values, name, value):
    feast_home.put(**{name: value})
    feast_home.publish()
    found = refusal(feast_home)
    assert found.error == "null_features"
    assert found.detail.endswith(name)
    assert f"1 of {len(values)}" in found.detail


def test_an_unknown_feature_that_is_not_needed_does_not_matter(feast_home):
    feast_home.put(hv_20=math.nan)
    feast_home.publish()
    assert list(read(feast_home, features=["returns_5d", "iv_rank"]).values) == [
        "returns_5d",
        "iv_rank",
    ]


def test_a_ticker_that_is_not_published_refuses(feast_home):
    found = refusal(feast_home.fill(), ticker="QQQ")
    assert found.error == "not_published"
    assert "SPY" in found.detail


def test_a_ticker_that_lacks_a_view_refuses_with_what_it_lacks(feast_home):
    feast_home.fill()
    feast_home.publish(lacking={"QQQ": "no row of it in iv"})
    found = refusal(feast_home, ticker="QQQ")
    assert (found.error, found.detail) == (
        "not_published", "QQQ is not published: no row of it in iv",
    )  # fmt: skip
    assert read(feast_home).ticker == "SPY"


def test_a_published_ticker_without_rows_refuses(feast_home):
    feast_home.fill()
    feast_home.publish(tickers=["SPY", "QQQ"])
    found = refusal(feast_home, ticker="QQQ")
    assert found.error == "missing_views"
    assert "iv, technical" in found.detail


def test_an_empty_store_refuses(feast_home):
    assert refusal(feast_home).error == "not_published"


def test_rows_without_a_pointer_refuse(feast_home):
    feast_home.put()
    assert refusal(feast_home).error == "not_published"


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"null", b"\xff", json.dumps({"session": 20250630}).encode()]
)
def test_an_unreadable_pointer_refuses(feast_home, content):
    feast_home.fill()
    feast_home.server.client().set("optrade:session", content)
    found = refusal(feast_home)
    assert found.error == "not_published"
    assert "pointer" in found.detail


@pytest.mark.parametrize(
    ("published", "error"),
    [
        ({"origin": "live"}, "wrong_origin"),
        ({"definition_hash": "e" * 64}, "wrong_definitions"),
        ({"data_dir": "/another/home/data"}, "wrong_home"),
    ],
)
def test_what_another_home_or_another_code_published_refuses(feast_home, published, error):
    feast_home.fill()
    feast_home.publish(**published)
    assert refusal(feast_home).error == error


def test_a_dead_server_refuses_at_once(home_on_own_redis):
    home_on_own_redis.fill()
    store, client = home_on_own_redis.open()
    references = service_references(store, ["direction"])
    read_row(store, client, references, "SPY", requirements(home_on_own_redis))
    home_on_own_redis.server.stop()
    with pytest.raises(Refusal, match="does not answer") as caught:
        read_row(store, client, references, "SPY", requirements(home_on_own_redis))
    assert caught.value.error == "store_unavailable"


def test_a_frozen_server_refuses_and_a_thawed_one_answers(home_on_own_redis):
    home_on_own_redis.fill()
    store, client = home_on_own_redis.open()
    references = service_references(store, ["direction"])
    read_row(store, client, references, "SPY", requirements(home_on_own_redis))
    home_on_own_redis.server.freeze()
    start = time.monotonic()
    with pytest.raises(Refusal) as caught:
        read_row(store, client, references, "SPY", requirements(home_on_own_redis))
    # Far below any default: without timeouts this would hang for ever.
    assert time.monotonic() - start < 5
    assert caught.value.error == "store_unavailable"
    home_on_own_redis.server.thaw()
    assert (
        read_row(store, client, references, "SPY", requirements(home_on_own_redis)).session
        == SESSION
    )


def test_an_unfrozen_server_that_was_never_reached_refuses(home_on_own_redis):
    home_on_own_redis.fill()
    store, client = home_on_own_redis.open()
    references = service_references(store, ["direction"])
    home_on_own_redis.server.freeze()
    with pytest.raises(Refusal, match="store_unavailable"):
        read_row(store, client, references, "SPY", requirements(home_on_own_redis))


def test_a_wrong_password_refuses_without_saying_it(feast_home):
    feast_home.fill()
    feast_home.yaml.write_text(feast_home.yaml.read_text().replace("12345678", "87654321"))
    found = refusal(feast_home)
    assert found.error == "store_unavailable"
    assert "87654321" not in str(found)


def test_a_password_of_digits_works(feast_home):
    _, client = feast_home.fill().open()
    assert feast_home.server.password.isdigit()
    assert client.ping()


def test_unknown_services_refuse(feast_home):
    store, _ = feast_home.open()
    with pytest.raises(Refusal, match="no service 'direction_moon'"):
        service_references(store, ["direction", "direction_moon"])


def test_references_name_the_view_of_every_feature(feast_home):
    store, _ = feast_home.open()
    assert service_references(store, ["volatility"]) == {
        "returns_5d": "technical:returns_5d",
        "hv_20": "technical:hv_20",
        "sma_20": "technical:sma_20",
        "price_to_sma_20": "technical:price_to_sma_20",
        "iv_rank": "iv:iv_rank",
        "iv_hv_spread": "iv:iv_hv_spread",
        "vix_close": "iv:vix_close",
        "vix_term_slope": "iv:vix_term_slope",
    }


def registry_proto(content: bytes):
    from feast.protos.feast.core.Registry_pb2 import Registry

    return Registry.FromString(content)


def test_a_view_that_is_being_materialised_is_served(feast_home):
    from feast.feature_view import FeatureViewState

    feast_home.fill()
    registry = registry_proto(feast_home.registry.read_bytes())
    for view in registry.feature_views:
        view.meta.state = FeatureViewState.MATERIALIZING.to_proto()
    feast_home.registry.write_bytes(registry.SerializeToString())
    assert read(feast_home).session == SESSION


def test_a_store_does_not_follow_the_registry_file(feast_home):
    feast_home.fill()
    store, client = feast_home.open()
    references = service_references(store, ["direction"])
    time.sleep(0.01)
    feast_home.registry.write_bytes(b"being written")
    assert read_row(store, client, references, "SPY", requirements(feast_home)).session == SESSION
    assert service_references(store, ["volatility"])


def test_the_snapshot_kept_for_serving_comes_first(feast_home):
    feast_home.fill()
    snapshot = feast_home.repo / "serving_registry.db"
    snapshot.write_bytes(feast_home.registry.read_bytes())
    feast_home.registry.write_bytes(b"being written")
    assert read(feast_home).session == SESSION


@pytest.mark.parametrize("content", [b"", b"being written"])
def test_a_registry_that_cannot_be_read_is_an_error(feast_home, content):
    from market.errors import ConfigurationError

    feast_home.registry.write_bytes(content)
    with pytest.raises(ConfigurationError, match="registry"):
        feast_home.open()
    assert feast_home.registry.read_bytes() == content


@pytest.mark.parametrize("missing", ["registry", "yaml"])
def test_what_is_not_there_yet_is_not_made_up(feast_home, missing):
    path = getattr(feast_home, missing)
    path.unlink()
    with pytest.raises(Refusal, match="optrade materialize") as caught:
        feast_home.open()
    assert caught.value.error == "not_configured"
    assert not path.exists()


def test_timeouts_hold_where_the_connection_names_none(feast_home):
    bare = feast_home.server.connection_string().split(",socket_timeout")[0]
    text = feast_home.yaml.read_text()
    feast_home.yaml.write_text(text.replace(feast_home.server.connection_string(), bare))
    store = open_snapshot(feast_home.repo, feast_home.yaml, feast_home.repo / "none")
    options = connect(store).connection_pool.connection_kwargs
    assert options["socket_timeout"] == options["socket_connect_timeout"] == 0.25
