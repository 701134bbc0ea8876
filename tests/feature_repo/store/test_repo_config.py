"""The store's configuration, read back by Feast itself."""

import stat
from pathlib import Path
from urllib.parse import quote

import pytest
from feast.infra.online_stores.redis import RedisOnlineStore
from feast.repo_config import load_repo_config
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.store.repo_config import (
    REPO,
    connection_string,
    redis_options,
    repo_config,
    write_feature_store_yaml,
)
from home.layout import DataFiles
from market.errors import InputError

TIMEOUTS = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25, "retry": None}
SECRET = "s3cret"
HARD = ["12345", "1e5", "true", "null", "a,b=c", "p@ss:w/rd?#%", '"quoted"', "$HOME", "ü\\", " "]


def feast_reads(connection: str) -> dict:
    (node,), options = RedisOnlineStore._parse_connection_string(connection)
    return {"host": node["host"], "port": int(node["port"]), **options}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://localhost", {"host": "localhost", "port": 6379, "db": 0}),
        ("redis://127.0.0.1:7000/3", {"host": "127.0.0.1", "port": 7000, "db": 3}),
        ("redis://:pw@h:1/", {"host": "h", "port": 1, "db": 0, "password": "pw"}),
        (
            "redis://me:pw@h",
            {"host": "h", "port": 6379, "db": 0, "username": "me", "password": "pw"},
        ),
        ("rediss://h", {"host": "h", "port": 6379, "db": 0, "ssl": True}),
    ],
)
def test_url_is_what_feast_and_redis_py_get(url: str, expected: dict) -> None:
    connection = connection_string(url)
    assert feast_reads(connection) == redis_options(connection) == {**expected, **TIMEOUTS}


@given(st.one_of(st.sampled_from(HARD), st.text(min_size=1)))
def test_password_survives(password: str) -> None:
    connection = connection_string(f"redis://:{quote(password, safe='')}@h:1")
    assert feast_reads(connection)["password"] == password
    assert redis_options(connection)["password"] == password


@pytest.mark.parametrize("password", HARD)
def test_password_survives_the_file(
    tmp_path: Path, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/elsewhere")
    path = write_feature_store_yaml(tmp_path, f"redis://:{quote(password, safe='')}@h:1")
    online = load_repo_config(REPO, path).online_store
    assert feast_reads(online.connection_string)["password"] == password


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"http://:{SECRET}@h", "scheme 'http'"),
        (f"unix://:{SECRET}@/run/redis.sock", "scheme 'unix'"),
        (f"h:6379,password={SECRET}", "scheme"),
        (f"redis://:{SECRET}@", "no host name"),
        (f"redis://:{SECRET}@[::1]:6379", "address with colons"),
        (f"redis://:{SECRET}@h:99999", "cannot be read"),
        (f"redis://:{SECRET}@h:0", "no host name or"),
        (f"redis://:{SECRET}@h/zero", "database number"),
        (f"redis://:{SECRET}@h/0?ssl=1", "database number"),
    ],
)
def test_other_urls_are_refused_without_their_secret(url: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as refusal:
        connection_string(url)
    assert SECRET not in str(refusal.value)


def test_file_is_the_configuration_and_private(tmp_path: Path) -> None:
    url = f"redis://:{SECRET}@127.0.0.1:7000"
    path = write_feature_store_yaml(tmp_path, url)
    assert path == tmp_path / "feast" / "feature_store.yaml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read, coded = load_repo_config(REPO, path), repo_config(tmp_path, url)
    for part in ("project", "registry", "offline_store", "online_store", "materialization_config"):
        assert getattr(read, part) == getattr(coded, part), part
    assert read.coerce_tz_aware is coded.coerce_tz_aware is False
    path.chmod(0o644)
    write_feature_store_yaml(tmp_path, None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["feature_store.yaml"]


def test_store_without_redis_reads_history_only(tmp_path: Path) -> None:
    assert repo_config(tmp_path, None).online_store is None


def test_paths_are_those_of_the_home(tmp_path: Path) -> None:
    config = repo_config(tmp_path, None)
    assert config.registry.path == str(DataFiles(tmp_path).registry)
    assert config.offline_store.manifest == str(tmp_path / "manifest.json")
    serving = repo_config(tmp_path, None, registry=DataFiles(tmp_path).serving_registry)
    assert serving.registry.path == str(tmp_path / "feast" / "serving_registry.db")


def test_timeout_is_the_callers(tmp_path: Path) -> None:
    online = repo_config(tmp_path, "redis://h", timeout=5).online_store
    assert feast_reads(online.connection_string)["socket_timeout"] == 5
