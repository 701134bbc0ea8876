"""The reader's side of the lake: what the manifest names is what there is."""

import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from home.manifest import MANIFEST, Manifest, current_rows, damaged, read_manifest, read_rows
from market.errors import DamagedFile, InputError

FIRST = datetime(2024, 1, 3, 22, tzinfo=UTC)
LATER = datetime(2024, 2, 1, 22, tzinfo=UTC)


def rows(key: str, versions: list[tuple[date, float, datetime]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "ticker": [key] * len(versions),
            "session": [day for day, _, _ in versions],
            "close": [value for _, value, _ in versions],
            "landed_at": [at for _, _, at in versions],
        },
        schema_overrides={"landed_at": pl.Datetime("us", "UTC")},
    )


SPY = rows(
    "SPY",
    [
        (date(2024, 1, 2), 1.0, FIRST),
        (date(2024, 1, 2), 1.5, LATER),
        (date(2024, 1, 3), 2.0, FIRST),
    ],
)
QQQ = rows("QQQ", [(date(2024, 3, 1), 7.0, LATER)])


def document(data_dir: Path, frames: dict[str, pl.DataFrame]) -> dict[str, Any]:
    entries = []
    for key, frame in frames.items():
        path = data_dir / "raw" / "prices" / f"{key}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(path)
        entries.append(
            {
                "table": "prices",
                "key": key,
                "generation": 1,
                "path": str(path.relative_to(data_dir)),
                "rows": frame.height,
                "first": str(frame["session"].min()),
                "last": str(frame["session"].max()),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "landed_at": FIRST.isoformat(),
            }
        )
    tables = {"prices": {"key": ["ticker", "session"], "generation": 1, "definition_hash": None}}
    return {
        "format": 1,
        "origin": "recorded",
        "first_live_landing": None,
        "tables": tables,
        "entries": entries,
    }


def write(data_dir: Path, content: dict[str, Any]) -> None:
    (data_dir / MANIFEST).write_text(json.dumps(content))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write(tmp_path, document(tmp_path, {"SPY": SPY, "QQQ": QQQ}))
    return tmp_path


def test_no_file_is_an_empty_manifest(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == Manifest()
    assert read_manifest(tmp_path / "nowhere").paths(tmp_path, "prices") == []


def test_entries_and_state_come_back(home: Path) -> None:
    manifest = read_manifest(home)
    assert manifest.origin == "recorded"
    assert manifest.keys("prices") == ("QQQ", "SPY")
    assert manifest.keys("indices") == ()
    assert manifest.tables["prices"].key == ("ticker", "session")
    assert manifest.entries["prices", "SPY"].rows == SPY.height


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (None, None, ["QQQ", "SPY"]),
        ("2024-01-04", None, ["QQQ"]),
        ("2024-01-03", None, ["QQQ", "SPY"]),
        (None, "2024-02-29", ["SPY"]),
        (None, date(2024, 3, 1), ["QQQ", "SPY"]),
        ("2024-01-04", "2024-02-29", []),
        ("2025-01-01", None, []),
    ],
)
def test_paths_are_cut_to_the_days_asked_for(
    home: Path, start: str | None, end: str | None, found: list[str]
) -> None:
    paths = read_manifest(home).paths(home, "prices", start=start, end=end)
    assert [path.stem for path in paths] == found


def test_paths_follow_the_keys_asked_for_and_leave_unknown_ones_out(home: Path) -> None:
    paths = read_manifest(home).paths(home, "prices", ["SPY", "IWM", "QQQ", "SPY"])
    assert [path.stem for path in paths] == ["SPY", "QQQ"]


def test_rows_hold_every_version(home: Path) -> None:
    assert read_rows(home, "prices", ["SPY"]).equals(SPY)
    assert read_rows(home, "prices").equals(pl.concat([QQQ, SPY]))


def test_current_rows_hold_the_newest_version(home: Path) -> None:
    assert current_rows(home, "prices", ["SPY"])["close"].to_list() == [1.5, 2.0]


@pytest.mark.parametrize(
    ("known_by", "closes"),
    [
        (datetime(2024, 1, 3, 21, 59, tzinfo=UTC), []),
        (FIRST, [1.0, 2.0]),
        (datetime(2024, 1, 31, tzinfo=UTC), [1.0, 2.0]),
        (LATER, [1.5, 2.0]),
    ],
)
def test_current_rows_are_those_known_by_then(
    home: Path, known_by: datetime, closes: list[float]
) -> None:
    assert current_rows(home, "prices", ["SPY"], known_by=known_by)["close"].to_list() == closes


def test_views_are_ordered_by_their_creation(tmp_path: Path) -> None:
    frame = SPY.rename({"landed_at": "created_timestamp"})
    write(tmp_path, document(tmp_path, {"SPY": frame}))
    assert current_rows(tmp_path, "prices", known_by=FIRST)["close"].to_list() == [1.0, 2.0]
    assert current_rows(tmp_path, "prices")["close"].to_list() == [1.5, 2.0]


@pytest.mark.parametrize(
    ("table", "keys", "words"),
    [
        ("prices", ["SPY", "IWM"], "nothing has landed in prices for IWM, there is QQQ, SPY"),
        ("indices", None, "nothing has landed in indices for any key, there is nothing"),
    ],
)
def test_rows_that_never_landed_are_refused(
    home: Path, table: str, keys: list[str] | None, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        read_rows(home, table, keys)


def test_a_manifest_already_read_saves_reading_it_again(home: Path) -> None:
    manifest = read_manifest(home)
    (home / MANIFEST).unlink()
    assert current_rows(home, "prices", ["QQQ"], manifest).equals(QQQ)


def test_a_file_replaced_since_the_manifest_was_read_is_found_again(home: Path) -> None:
    before = read_manifest(home)
    content = document(home, {"SPY": SPY})
    old = home / content["entries"][0]["path"]
    new = old.with_name("SPY.new.parquet")
    old.rename(new)
    content["entries"][0]["path"] = str(new.relative_to(home))
    write(home, content)
    assert read_rows(home, "prices", ["SPY"], before).equals(SPY)


def test_a_named_file_that_is_missing_is_an_error(home: Path) -> None:
    (home / read_manifest(home).entries["prices", "SPY"].path).unlink()
    with pytest.raises(DamagedFile, match=r"SPY\.parquet is missing; .*`optrade repair`"):
        read_rows(home, "prices")


def test_a_home_may_have_any_name(tmp_path: Path) -> None:
    odd = tmp_path / "ho[me]*?{x}" / "generation=3"
    odd.mkdir(parents=True)
    write(odd, document(odd, {"SPY": SPY}))
    assert read_rows(odd, "prices").equals(SPY)


def test_damage_is_named(home: Path) -> None:
    assert damaged(home) == []
    entries = read_manifest(home).entries
    broken = home / entries["prices", "SPY"].path
    broken.write_bytes(broken.read_bytes()[:-1])
    (home / entries["prices", "QQQ"].path).unlink()
    assert sorted(damaged(home)) == ["raw/prices/QQQ.parquet", "raw/prices/SPY.parquet"]


def changed(content: dict[str, Any], **values: Any) -> dict[str, Any]:
    first, *rest = content["entries"]
    return {**content, "entries": [{**first, **values}, *rest]}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: {**content, "format": 2},
        lambda content: {**content, "origin": "invented"},
        lambda content: {**content, "tables": {}},
        lambda content: {**content, "entries": content["entries"] * 2},
        lambda content: {**content, "entries": None},
        lambda content: {key: value for key, value in content.items() if key != "origin"},
        lambda content: changed(content, path="../outside.parquet"),
        lambda content: changed(content, path="/etc/passwd"),
        lambda content: changed(content, rows="3"),
        lambda content: changed(content, sha256=None),
        lambda content: changed(content, more=1),
        lambda content: {**content, "tables": {"prices": {"key": ["ticker"], "generation": "1"}}},
        lambda content: {**content, "answers": {"headlines": {"SPY": [None, 1]}}},
        lambda content: [content],
    ],
)
def test_a_manifest_that_is_none_is_refused(home: Path, spoil: Any) -> None:
    write(home, spoil(json.loads((home / MANIFEST).read_text())))
    with pytest.raises(InputError, match="no manifest of format 1"):
        read_manifest(home)


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "\x00"])
def test_a_broken_manifest_is_refused(home: Path, text: str) -> None:
    (home / MANIFEST).write_text(text)
    with pytest.raises(InputError, match="restore it from a copy"):
        read_manifest(home)


def test_a_manifest_of_other_bytes_is_refused(home: Path) -> None:
    (home / MANIFEST).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no manifest"):
        read_manifest(home)


def test_what_is_dated_by_a_time_spans_dates(home: Path) -> None:
    content = json.loads((home / MANIFEST).read_text())
    for entry in content["entries"]:
        entry |= {"first": "2024-01-02 10:00:00+00:00", "last": "2024-01-03 21:26:12+00:00"}
    write(home, content)
    manifest = read_manifest(home)
    found = {(entry.first, entry.last) for entry in manifest.entries.values()}
    assert found == {("2024-01-02", "2024-01-03")}
    assert len(manifest.paths(home, "prices", end=date(2024, 1, 2))) == 2
