"""Reports on disk: Evidently's own figures, pages that need no network, all or nothing."""

import json
import os
import re
import signal
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from home.records.drift import DOCUMENT, INDEX, DriftReport, FeatureDrift, Method, Window
from home.replaced_folder import replaced_folder
from market.calendar import sessions
from market.errors import InputError
from monitoring.drift.evidently_pages import COLUMNS_A_PAGE, evidently_run, pages
from monitoring.drift.index_page import index_page, ranked, verdict
from monitoring.drift.measure import binned, drift_report
from monitoring.drift.report import write_report

ROOT = Path(__file__).resolve().parents[3]
REFERENCE, CURRENT = 400, 63
DAYS = sessions("2021-01-04", "2025-06-30")[: REFERENCE + CURRENT]
MEGABYTE = 1_000_000


def frame(columns: int) -> pd.DataFrame:
    values = np.random.default_rng(0).normal(size=(len(DAYS), columns))
    return pd.DataFrame(values, columns=[f"f{n:03d}" for n in range(columns)]).assign(session=DAYS)


def awkward() -> pd.DataFrame:
    """Return every kind of feature: flags, ties, nulls, constants, and none at all."""
    table = frame(10)
    table["f000"] = np.nan
    table["f001"] = 4.0
    table["f002"] = (table["f002"] > 1.9).astype(float)
    table["f003"] = (table["f003"] < 1.9).astype(float)
    table["f004"] = table["f004"].round()
    table.loc[::7, "f005"] = np.nan
    table.loc[REFERENCE:, "f006"] = 9.0
    table.loc[REFERENCE:, "f007"] = np.nan
    table.loc[: REFERENCE - 50, "f008"] = np.nan
    return table


def windows(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return table.iloc[:REFERENCE], table.iloc[REFERENCE:]


def report_of(table: pd.DataFrame) -> DriftReport:
    views = {name: "technical" for name in table if name != "session"}
    return drift_report("SPY", *windows(table), views, resamples=50)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    table = frame(85).join(awkward().drop(columns="session").add_prefix("a"))
    folder = tmp_path_factory.mktemp("reports") / "SPY"
    report = report_of(table)
    write_report(folder, report, *windows(table))
    return folder, report


def evidently_figures(document: dict) -> dict[str, float]:
    return {row["config"]["column"]: row["value"] for row in document["metrics"]}


def test_evidently_finds_the_same_index_and_drift_as_the_report():
    table = awkward()
    report = report_of(table)
    levels = {row.name: row.alarm_level for row in report.features}
    (features,) = pages(binned(*windows(table), list(levels)))
    run = evidently_run(features, levels)
    figures = evidently_figures(run.dict())
    expected = {r.name: r.psi for r in report.features if r.psi is not None}
    assert (
        list(figures) == list(expected) == ["f001", "f002", "f003", "f004", "f005", "f006", "f009"]
    )
    assert figures == pytest.approx(expected, rel=1e-9, abs=1e-12)
    thresholds = {m["config"]["column"]: m["config"]["threshold"] for m in run.dict()["metrics"]}
    for row in report.features:
        if row.psi is not None:
            drifted = figures[row.name] >= thresholds[row.name]
            assert drifted == row.alarm


def test_every_page_holds_the_figures_of_the_report(written):
    folder, report = written
    figures: dict[str, float] = {}
    for path in sorted(folder.glob("evidently_*.json")):
        found = evidently_figures(json.loads(path.read_text()))
        assert len(found) <= COLUMNS_A_PAGE
        figures |= found
    expected = {r.name: r.psi for r in report.features if r.psi is not None}
    assert len(expected) == 92
    assert figures == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_report_is_an_index_figures_and_pages(written):
    folder, report = written
    assert sorted(path.name for path in folder.iterdir()) == [
        "drift.json",
        *(f"evidently_{n:02d}.{kind}" for n in (1, 2, 3) for kind in ("html", "json")),
        "index.html",
    ]
    assert json.loads((folder / DOCUMENT).read_text()) == report.document()


def test_no_page_is_large(written):
    folder, _ = written
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert max(sizes.values()) < 8 * MEGABYTE
    assert sizes[INDEX] < MEGABYTE / 2


class References(HTMLParser):
    """Everything a browser would load or link to."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster") or (name == "href" and tag != "a"):
                self.loaded.append(value)
            elif name == "href":
                self.linked.append(value)


def test_pages_load_nothing_from_elsewhere(written):
    folder, _ = written
    for path in folder.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        found = References()
        found.feed(text)
        assert [address for address in found.loaded if not address.startswith("data:")] == []
        styles = re.findall(
            r"url\(['\"]?([^)]{0,30})", " ".join(re.findall(r"(?s)<style>.*?</style>", text))
        )
        assert all(address.startswith("data:") for address in styles)
        assert "@import" not in "".join(re.findall(r"(?s)<style>.*?</style>", text))


def test_the_index_links_every_page_and_names_every_feature(written):
    folder, report = written
    found = References()
    text = (folder / INDEX).read_text(encoding="utf-8")
    found.feed(text)
    assert set(found.linked) == {path.name for path in folder.glob("evidently_*.html")} | {DOCUMENT}
    for row in report.features:
        assert f">{row.name}<" in text
    assert text.count("<tr class=") == len(report.features)
    for name in ("af000", "af007", "af008"):
        assert f"<td>{name}</td>" in text


def figures(name: str, psi: float | None, level: float | None) -> FeatureDrift:
    alarm = None if psi is None else psi > level
    shares = {"null_share": 0.25, "reference_null_share": 0.0}
    kept = {"view": "iv", "status": "ok" if psi is not None else "all_null", **shares}
    return FeatureDrift(name=name, psi=psi, alarm_level=level, alarm=alarm, **kept)


FEATURES = [
    figures("unknown", None, None),
    figures("calm", 0.1, 0.4),
    figures("moved constant", 3.0, 0.0),
    figures("far", 0.9, 0.3),
    figures("constant", 0.0, 0.0),
    figures("large but usual", 2.0, 4.0),
]


METHOD = Method(
    deciles=10, level=0.99, mean_block=63, resamples=50, seed=0, orientation=[0.1, 0.25]
)


def drifted(**changes) -> DriftReport:
    span = {"start": "2021-01-04", "end": "2024-06-28"}
    spans = {"reference": Window(rows=870, **span), "current": Window(rows=63, **span)}
    figures = {"alert": True, "compared": 5, "alarmed": 2, "alarmed_level": 1.0}
    kept = {"ticker": "SPY", "method": METHOD, "features": FEATURES}
    return DriftReport(**spans | figures | kept | changes)


def test_features_stand_in_the_order_of_how_far_they_are_past_their_level():
    assert [row.name for row in ranked(FEATURES)] == [
        "moved constant", "far", "large but usual", "calm", "constant", "unknown",
    ]  # fmt: skip
    page = index_page(drifted(), {})
    places = [page.index(f">{row.name}<") for row in ranked(FEATURES)]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Alert: 2 of 5 features are alarmed, 1 or fewer are by chance in 99 cases of 100"),
        ({"alert": False, "alarmed_level": 4.0}, "No alert: 2 of 5"),
        ({}, "1 could not be compared"),
        ({"alert": None, "compared": 0}, "Unknown: no feature could be compared"),
    ],
)
def test_the_verdict_is_a_sentence(changes, words):
    assert words in verdict(drifted(**changes))
    assert words in index_page(drifted(**changes), {})


def test_numbers_marks_and_nulls_are_on_the_page():
    page = index_page(drifted(), {"far": "evidently_01.html"})
    assert '<a href="evidently_01.html">far</a>' in page
    assert "0.900" in page
    assert "25.0%" in page
    assert "0.1 and 0.25 (grey) are for orientation" in page
    far = next(row for row in page.splitlines() if ">far<" in row)
    assert far.startswith('<tr class="alarm">')
    assert (far.count("#999"), far.count("#c00")) == (2, 1)
    unknown = next(row for row in page.splitlines() if ">unknown<" in row)
    assert "<svg" not in unknown
    assert unknown.startswith('<tr class="not-compared">')


def test_names_are_text_and_never_markup():
    evil = [figures("<script>alert(1)</script>", 0.1, 0.2)]
    page = index_page(drifted(features=evil), {})
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("comparable", "sizes"), [(0, []), (1, [1]), (40, [40]), (41, [40, 1]), (158, [40, 40, 40, 38])]
)
def test_pages_hold_at_most_forty_columns(comparable, sizes):
    table = frame(158)
    table.iloc[:, comparable:158] = np.nan
    found = pages(binned(*windows(table), [name for name in table if name != "session"]))
    assert [len(page) for page in found] == sizes


def test_a_report_without_a_comparable_feature_is_an_index(tmp_path):
    table = frame(3)
    table[["f000", "f001", "f002"]] = np.nan
    path = write_report(tmp_path / "SPY", report_of(table), *windows(table))
    assert path == tmp_path / "SPY" / INDEX
    assert {p.name for p in path.parent.iterdir()} == {INDEX, DOCUMENT}
    assert "Unknown" in path.read_text()


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_new_report_takes_the_place_of_the_old_one(tmp_path):
    folder = tmp_path / "reports" / "SPY"
    for name in ("first", "second"):
        with replaced_folder(folder) as fresh:
            (fresh / name).write_text(name)
    assert visible(folder.parent) == ["SPY"]
    assert [path.name for path in folder.iterdir()] == ["second"]


def test_a_report_that_fails_leaves_the_old_one(tmp_path):
    folder = tmp_path / "SPY"
    with replaced_folder(folder) as fresh:
        (fresh / "first").write_text("whole")
    with pytest.raises(RuntimeError, match="half way"), replaced_folder(folder) as fresh:
        (fresh / "second").write_text("half")
        raise RuntimeError("half way")
    assert visible(tmp_path) == ["SPY"]
    assert [path.name for path in folder.iterdir()] == ["first"]


def test_two_writers_of_one_folder_are_refused_and_the_first_finishes(tmp_path):
    folder = tmp_path / "SPY"
    with replaced_folder(folder) as fresh:
        (fresh / "first").write_text("whole")
        with pytest.raises(InputError, match="another process is writing"), replaced_folder(folder):
            pass
    assert (folder / "first").read_text() == "whole"


def test_a_file_in_the_way_is_refused_and_kept(tmp_path):
    path = tmp_path / "SPY"
    path.write_text("mine")
    with pytest.raises(InputError, match="it is a file"), replaced_folder(path):
        pass
    assert path.read_text() == "mine"


def test_a_report_moved_away_by_a_killed_process_is_put_back(tmp_path):
    folder, old = tmp_path / "SPY", tmp_path / ".SPY.old"
    old.mkdir()
    (old / "first").write_text("whole")
    with pytest.raises(RuntimeError), replaced_folder(folder):
        raise RuntimeError
    assert (folder / "first").read_text() == "whole"
    assert visible(tmp_path) == ["SPY"]


WRITER = """
import sys
from pathlib import Path
from home.records.drift import DOCUMENT, INDEX, DriftReport, FeatureDrift, Method, Window
from home.replaced_folder import replaced_folder
folder = Path(sys.argv[1])
for number in range(100_000):
    with replaced_folder(folder) as fresh:
        for part in range(20):
            (fresh / str(part)).write_text(str(number) * 1000)
    print(number, flush=True)
"""


@pytest.mark.integration
def test_a_killed_writer_leaves_a_whole_report(tmp_path):
    folder = tmp_path / "SPY"
    for kill in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, folder],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for _ in range(3 + kill):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        with pytest.raises(RuntimeError), replaced_folder(folder):
            raise RuntimeError
        assert visible(tmp_path) == ["SPY"]
        contents = {(folder / str(part)).read_text() for part in range(20)}
        assert len(contents) == 1
        assert len(list(folder.iterdir())) == 20


def test_reports_are_made_without_evidently_at_start():
    code = (
        "import sys, monitoring.drift.report, trading.ledger.settle;"
        "heavy = {'evidently', 'plotly', 'feast', 'sklearn', 'mlflow'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
