"""`optrade judge`: a file of trades becomes a verdict and a page, or one clear refusal."""

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from market.errors import InputError
from optrade.cli import app
from optrade.cli.run.judge import judge
from optrade.flows.judge import MOST_BYTES, judge_file, write_page
from tests.trading.report.looked_at import Looked, validated

FROZEN = Path(__file__).resolve().parents[2] / "frozen" / "exports"
DOCS = Path(__file__).resolve().parents[3] / "docs"


def written(tmp_path, text, name="trades.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def table(count, seed=1, edge=0.0, label="a"):
    """Return a plain table of trades a week apart."""
    rng = np.random.default_rng(seed)
    entry = pd.date_range("2012-01-02", periods=count, freq="7D")
    frame = pd.DataFrame(
        {
            "entry": entry.strftime("%Y-%m-%d"),
            "exit": (entry + pd.Timedelta(days=4)).strftime("%Y-%m-%d"),
            "pnl": np.round(100.0 * (rng.standard_normal(count) + edge), 2),
            "risk": 200,
            "label": label,
        }
    )
    return frame.to_csv(index=False)


def refusal(path):
    with pytest.raises(InputError) as caught:
        judge_file(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nothing_survives_among_many_tried_and_an_edge_does(tmp_path):
    nothing = judge_file(written(tmp_path, table(300)), tried=50)
    assert nothing.judgement.words()[0].startswith("none survives: 50 tried")
    path = written(tmp_path, table(300, edge=0.8))
    assert judge_file(path, tried=50).judgement.words()[0].startswith("1 survives: 50 tried")
    alone, many = (judge_file(path, tried).judgement.cells[0] for tried in (1, 5000))
    assert many.low_of_all < alone.low_of_all
    assert many.deflated <= alone.deflated


@pytest.mark.parametrize(
    ("file", "program", "trades"),
    [
        ("freqtrade.json", "freqtrade", 38),
        ("lumibot.csv", "lumibot", 9),
        ("optopsy.csv", "optopsy", 228),
        ("quantconnect.csv", "QuantConnect", 3),
        ("backtesting.csv", "backtesting.py", 114),
    ],
)
def test_an_export_of_each_program_is_judged_and_drawn(file, program, trades, tmp_path):
    found = CliRunner().invoke(
        app, ["judge", str(FROZEN / file), "--json", "--output", str(tmp_path / "page.html")]
    )
    assert found.exit_code == 0, found.output
    report = json.loads(found.stdout)
    assert (report["program"], report["trades"]) == (program, trades)
    page = Looked((tmp_path / "page.html").read_text())
    assert page.asked() == []
    assert page.policy.startswith("default-src 'none'")
    assert page.texts["h1"][0].lower() == report["verdict"][0].lower()


def test_the_page_has_its_parts_and_plotly_knows_them(tmp_path):
    judged = judge_file(
        written(tmp_path, table(60) + table(60, 2, label="<b>b</b>").split("\n", 1)[1])
    )
    write_page(judged, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    page = Looked(text)
    assert page.texts["h2"] == [
        "P&L summed, by the day of the exit", "Cells", "P&L against days held", "Months",
        "Worst trades",
    ]  # fmt: skip
    assert validated(page.document) == 2
    # A label is text, on the page and where Plotly reads tags.
    assert "<b>b</b>" not in text
    assert "&lt;b&gt;b&lt;/b&gt;" in text
    names = [trace["name"] for trace in page.document["figures"][0]["data"]]
    assert sorted(names) == ["&lt;b&gt;b&lt;/b&gt;", "a", "all"]
    sums = page.document["figures"][0]["data"][0]["y"]
    assert sums[-1] == pytest.approx(judged.export.trades.profit.sum(), abs=0.01)


def test_words_say_what_was_read_and_left_out(tmp_path):
    path = written(tmp_path, table(40) + "2013-06-03,,5,200,a\n")
    found = CliRunner().invoke(app, ["judge", str(path)])
    assert "plain: 40 closed trades, 1 still open, 2012-01-02 to" in found.stdout


def test_a_zip_of_freqtrade_is_read(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as folder:
        folder.writestr("backtest-result.json", (FROZEN / "freqtrade.json").read_text())
        folder.writestr("backtest-result_config.json", "{}")
        folder.writestr("backtest-result_Dips.json", '{"strategy_name": "Dips"}')
    path = written(tmp_path, buffer.getvalue(), "result.zip")
    assert len(judge_file(path).export.trades) == 38
    assert "damaged zip" in refusal(written(tmp_path, buffer.getvalue()[:3000], "half.zip"))


def test_a_mark_before_the_table_and_ends_of_lines_are_read(tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbf" + table(3).replace("\n", "\r\n").encode())
    assert len(judge_file(path).export.trades) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b" \n\n", "an empty file"),
        (b"entry,exit,pnl\n", "no trade below them"),
        (b"entry,exit,pnl,pnl\n2024-01-02,2024-01-03,1,2\n", "the columns pnl are there twice"),
        (b"entry;exit;pnl\n2024-01-02;2024-01-03;1,5\n", "parted by commas"),
        (b"entry,exit,pnl\n2024-01-02,2024-01-03,1,5\n", "a number with a decimal comma"),
        (b"entry,exit,pnl\n2024-01-02,2024-01-03\n", "row 2: pnl: got ''"),
        (b'entry,exit,pnl\n"2024-01-02,2024-01-03,1\n', "got"),
        ("entry,exit,pnl\n2024-01-02,2024-01-03,1\n".encode("utf-16"), "no UTF-8"),
        (b"\x00\x01\x02", "got a byte 0"),
        (b"entry,exit,pnl\n2024-01-02,2024-01-03,1\x00\n", "got a byte 0"),
        (b"{", "no JSON"),
        (b"[1]", "freqtrade's backtest results"),
        (b"entry,exit,pnl\n2024-01-02,2024-01-03," + 200_000 * b"1" + b"\n", "no row of a table"),
        (200_000 * b"x", "row 1: got no row of a table"),
        (b"PK\x05\x06" + 18 * b"\x00", "a zip with 0 results"),
    ],
)
def test_what_is_no_table_of_trades_is_refused_in_a_line(tmp_path, content, said):
    assert said in refusal(written(tmp_path, content))


def test_what_was_tried_and_is_not_in_the_file_is_asked_for(tmp_path):
    rows = "entry,exit,pnl,label\n2024-01-02,2024-01-03,1,a\n2024-01-02,2024-01-03,1,b\n"
    path = written(tmp_path, rows)
    assert "say how many in all with --tried" in judge_file(path).report(None).notes[-1]
    assert judge_file(path, 1).export.notes[-1] == (
        "--tried: got 1, the file alone has 2, which count"
    )
    assert not [note for note in judge_file(path, 9).export.notes if "tried" in note]


def test_losses_beyond_the_risk_are_told(tmp_path):
    rows = "entry,exit,pnl,risk\n2024-01-02,2024-01-03,-{},10\n2024-01-02,2024-01-03,5,10\n"
    assert not [
        note for note in judge_file(written(tmp_path, rows.format(10))).export.notes
        if "their risk" in note
    ]  # fmt: skip
    assert judge_file(written(tmp_path, rows.format(11))).export.notes[-1] == (
        "1 lost more than their risk: it is no bound of what they can lose"
    )


def test_the_file_of_the_trades_is_not_written_over(tmp_path):
    path = written(tmp_path, "entry,exit,pnl\n2024-01-02,2024-01-03,1\n")
    before = path.read_bytes()
    with pytest.raises(InputError, match="the file of the trades; take another"):
        judge(path, output=tmp_path / ".." / tmp_path.name / path.name)
    assert path.read_bytes() == before


def test_what_is_not_there_is_a_folder_or_too_large_is_refused(tmp_path):
    assert "cannot be read" in refusal(tmp_path / "none.csv")
    assert "cannot be read" in refusal(tmp_path)
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert "allowed are 512" in refusal(tmp_path / "large.csv")


@pytest.mark.parametrize("profit", [5.0, 0.0, -5.0])
def test_one_trade_and_trades_of_one_profit_are_told_not_judged(tmp_path, profit):
    rows = "".join(f"2024-{month:02d}-05,2024-{month:02d}-09,{profit}\n" for month in range(1, 13))
    for text in (rows, rows.split("\n", 1)[0] + "\n"):
        judged = judge_file(written(tmp_path, "entry,exit,pnl\n" + text))
        assert judged.judgement.words()[0].startswith("nothing can be judged: 1 tried")
        write_page(judged, tmp_path / "page.html")
        assert validated(Looked((tmp_path / "page.html").read_text()).document) == 2


def test_the_page_on_it_names_every_program_and_its_example_is_true(tmp_path):
    page = (DOCS / "judge.md").read_text()
    for program in ("freqtrade", "lumibot", "optopsy", "QuantConnect", "backtesting.py"):
        assert program in page
    printed = re.search(r"    optrade judge (\S+) --tried (\d+)\n\n    (.+)\n", page)
    found = judge_file(DOCS.parent / printed[1], int(printed[2]))
    assert found.judgement.words()[0] == printed[3]
