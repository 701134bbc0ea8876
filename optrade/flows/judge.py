"""Trades of another program: read, recognised, judged, and written as a page."""

import csv
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from home.files import write_durably
from home.records.backtest import CellRow
from home.records.judged import JudgeReport
from home.records.record import json_value
from market.errors import InputError
from trading.exports.catalogue import freqtrade_results, read_table
from trading.exports.export import Export
from trading.judgement.trades import Trades
from trading.judgement.verdict import Judgement, judge

#: Bytes of a file that is read at most, and of what a zip unfolds to.
MOST_BYTES: Final = 512 * 1024**2
#: Shares of its risk that a trade may lose, costs of leaving within.
BEYOND: Final = 1.01


@dataclass(frozen=True)
class Judged:
    """An export, and what its trades came to."""

    path: Path
    export: Export
    judgement: Judgement

    def report(self, page: Path | None) -> JudgeReport:
        """Return it as it is printed."""
        trades = self.export.trades
        return JudgeReport(
            file=str(self.path),
            program=self.export.program,
            verdict=self.judgement.words(),
            trades=len(trades),
            first=str(trades.entered.min()),
            last=str(trades.left.max()),
            left_out=dict(self.export.left_out),
            notes=list(self.export.notes),
            tried=self.judgement.tried,
            of_risk=self.judgement.of_risk,
            cells=[
                CellRow(**{name: getattr(cell, name) for name in CellRow.model_fields})
                for cell in self.judgement.cells
            ],
            page=None if page is None else str(page),
        )


def judge_file(path: Path, tried: int = 0, by: Sequence[str] = ()) -> Judged:
    """Return what the trades of a file came to.

    Parameters
    ----------
    tried
        How many variants were tried in all, those that are not in the file too.
    by
        Columns that label the trades, instead of the program's own.

    Raises
    ------
    InputError
        If the file cannot be read or recognised.
    """
    try:
        export = read_table(_table(path), by)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    judgement = judge(export.trades, tried)
    told = [*_counted(tried, len(judgement.cells)), *_beyond(export.trades)]
    return Judged(path, replace(export, notes=(*export.notes, *told)), judgement)


def _beyond(trades: Trades) -> list[str]:
    """Return what is to be known of risks that are none."""
    if not trades.of_risk or not (count := int((trades.returns < -BEYOND).sum())):
        return []
    return [f"{count:,} lost more than their risk: it is no bound of what they can lose"]


def _counted(tried: int, here: int) -> list[str]:
    """Return what is to be known of the number of variants that were tried."""
    if tried == 0:
        return ["as many were tried as are in the file: what was tried and dropped counts too, say "
                "how many in all with --tried"]  # fmt: skip
    if tried < here:
        return [f"--tried: got {tried}, the file alone has {here}, which count"]
    return []


def write_page(judged: Judged, path: Path) -> None:
    """Write the page of judged trades."""
    from trading.report.judged import judged_html

    export, trades = judged.export, judged.export.trades
    facts = [f"{len(trades):,} closed trades, {export.program}"]
    facts += [f"{count:,} {why}, left out" for why, count in export.left_out.items()]
    title = f"{judged.path.name}, {trades.entered.min()} to {trades.left.max()}"
    page = judged_html(trades, judged.judgement, title, [*facts, *export.notes])
    write_durably(path, page.encode())


def _table(path: Path) -> pd.DataFrame:
    """Return a file's table, every value a text."""
    content = _content(path)
    if content.startswith(b"PK"):
        return freqtrade_results(json_value(_results(content), "the zip's results"))
    text = _text(content)
    if text.lstrip().startswith(("{", "[")):
        return freqtrade_results(json_value(text, "the file"))
    if "\0" in text:
        raise InputError("got a byte 0 in the text, allowed is a table of text")
    _separated(text)
    try:
        return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"got no table: {error!s:.120}") from error


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            size = path.stat().st_size / 1024**2
            raise InputError(f"got {size:,.0f} MiB, allowed are {MOST_BYTES // 1024**2}")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from error
    if not content.strip():
        raise InputError("got an empty file, allowed is a table of trades")
    return content


def _text(content: bytes) -> str:
    """Return a file's text, without the mark that spreadsheets put before it."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("got no UTF-8; save the table as CSV UTF-8") from error


def _separated(text: str) -> None:
    """Refuse a table whose columns other marks than commas part, or whose rows are too long."""
    rows = csv.reader(io.StringIO(text))
    try:
        header = next(rows)
        if twice := sorted({name for name in header if name and header.count(name) > 1}):
            raise InputError(
                f"the columns {', '.join(twice)!s:.60} are there twice, allowed is each name once"
            )
        if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
            raise InputError(
                f"got a header of one column, {header[0]!r:.60}, allowed are columns parted by "
                "commas and numbers with a decimal point"
            )
        for row in rows:
            if len(row) > len(header):
                raise InputError(
                    f"row {rows.line_num}: got {len(row)} values, allowed are the {len(header)} of "
                    "the header; a number with a decimal comma counts as two"
                )
    except csv.Error as error:
        raise InputError(f"row {rows.line_num}: got no row of a table: {error}") from error


def _results(content: bytes) -> bytes:
    """Return the results in a zip of freqtrade: its JSON that is no configuration."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as folder:
            names = [
                one for one in folder.infolist()
                if one.filename.endswith(".json")
                and not one.filename.endswith(("_config.json", ".meta.json"))
                and "/" not in one.filename
            ]  # fmt: skip
            found = [one for one in names if _is_results(one.filename, folder)]
            if len(found) != 1:
                raise InputError(
                    f"got a zip with {len(found)} results, allowed is one of freqtrade"
                )
            if found[0].file_size > MOST_BYTES:
                raise InputError(f"unfolds to more than {MOST_BYTES // 1024**2} MiB")
            return folder.read(found[0])
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise InputError(f"got a damaged zip: {error!s:.80}") from error


def _is_results(name: str, folder: zipfile.ZipFile) -> bool:
    """Whether a member begins as results do; a strategy's parameters are JSON as well."""
    with folder.open(name) as member:
        return b'"strategy"' in member.read(64)
