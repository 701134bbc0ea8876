"""The first page of a drift report: one table of all features. Pure."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from home.records.drift import DOCUMENT, DriftReport, FeatureDrift

# The bar spans these indices on a logarithmic scale.
SCALE: Final = (0.01, 10.0)
BAR: Final = (240, 14)  # pixels
COLUMNS: Final = (
    "feature", "view", "status", "PSI", "alarm level", "alarm", "PSI, alarm level",
    "nulls now", "nulls in reference",
)  # fmt: skip
STYLE: Final = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; color: #1a1a1a; }
table { border-collapse: collapse; }
th, td { padding: 0.15rem 0.7rem; border-bottom: 1px solid #ddd; text-align: left; }
th { position: sticky; top: 0; background: #fff; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
tr.alarm { background: #fdecea; }
tr.not-compared { background: #fff6dd; }
.verdict { font-weight: 600; }
"""


def index_page(report: DriftReport, links: Mapping[str, str]) -> str:
    """Return the HTML of a report's first page, features by how far past their level they are.

    Parameters
    ----------
    report
        As `drift_report` gives it.
    links
        The page of each feature that has one.
    """
    marks = report.method.orientation
    rows = "\n".join(_row(row, links, marks) for row in ranked(report.features))
    head = "".join(f"<th>{escape(name)}</th>" for name in COLUMNS)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Drift</title>'
        f"<style>{STYLE}</style></head><body>\n<h1>Drift</h1>\n"
        f"{_summary(report)}\n{_pages(links)}\n"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>\n</body></html>\n"
    )


def ranked(features: Sequence[FeatureDrift]) -> list[FeatureDrift]:
    """Return features by PSI over alarm level, largest first, those not compared last."""
    return sorted(features, key=_excess, reverse=True)


def _excess(row: FeatureDrift) -> float:
    if row.psi is None or row.alarm_level is None:
        return -1.0
    if row.alarm_level == 0.0:
        return math.inf if row.psi > 0.0 else 0.0
    return float(row.psi / row.alarm_level)


def _summary(report: DriftReport) -> str:
    spans = ", ".join(
        f"{name} {window.start or 'none'} to {window.end or 'none'} ({window.rows} sessions)"
        for name, window in (("reference", report.reference), ("current", report.current))
    )
    low, high = report.method.orientation
    lines = [
        f"<p>{escape(spans)}</p>",
        f'<p class="verdict">{escape(verdict(report))}</p>',
        "<p>A feature is alarmed above its own level (red), which 1 window in 100 passes when "
        f"nothing has drifted. {low:g} and {high:g} (grey) are for orientation. The bar is on a "
        f"logarithmic scale from {SCALE[0]:g} to {SCALE[1]:g}. Nulls are no part of PSI.</p>",
    ]
    return "\n".join(lines)


def verdict(report: DriftReport) -> str:
    """Return in one sentence whether there is an alert, and why."""
    left_out = len(report.features) - report.compared
    beside = f"; {left_out} could not be compared" if left_out else ""
    if report.alert is None:
        return f"Unknown: no feature could be compared{beside}."
    word = "Alert" if report.alert else "No alert"
    return (
        f"{word}: {report.alarmed} of {report.compared} features are alarmed, "
        f"{report.alarmed_level:g} or fewer are by chance in 99 cases of 100{beside}."
    )


def _pages(links: Mapping[str, str]) -> str:
    pages = dict.fromkeys(links.values())
    each = " ".join(f'<a href="{escape(page)}">{escape(page)}</a>' for page in pages)
    figures = f'<a href="{DOCUMENT}">{DOCUMENT}</a>'
    return f"<p>Distributions: {each or 'none'}. All figures: {figures}</p>"


def _row(row: FeatureDrift, links: Mapping[str, str], marks: Sequence[float]) -> str:
    name, page = escape(row.name), links.get(row.name)
    alarm = {None: "unknown", True: "yes", False: "no"}[row.alarm]
    cells = [
        f"<td>{name}</td>" if page is None else f'<td><a href="{escape(page)}">{name}</a></td>',
        f"<td>{escape(row.view)}</td>",
        f"<td>{escape(row.status)}</td>",
        _number(row.psi, "{:.3f}"),
        _number(row.alarm_level, "{:.3f}"),
        f"<td>{alarm}</td>",
        f"<td>{_bar(row, marks)}</td>",
        _number(row.null_share, "{:.1%}"),
        _number(row.reference_null_share, "{:.1%}"),
    ]
    kind = "alarm" if row.alarm else "" if row.psi is not None else "not-compared"
    return f'<tr class="{kind}">{"".join(cells)}</tr>'


def _number(figure: float | None, layout: str) -> str:
    return f'<td class="number">{"" if figure is None else layout.format(figure)}</td>'


def _bar(row: FeatureDrift, marks: Sequence[float]) -> str:
    if row.psi is None or row.alarm_level is None:
        return ""
    width, height = BAR
    ticks = "".join(_tick(mark, "#999") for mark in marks) + _tick(row.alarm_level, "#c00")
    return (
        f'<svg width="{width}" height="{height}" role="img" aria-label="PSI {row.psi:.3f}">'
        f'<rect y="3" width="{_place(row.psi):.1f}" height="{height - 6}" fill="#5b7fa6"/>'
        f"{ticks}</svg>"
    )


def _tick(value: float, colour: str) -> str:
    return f'<rect x="{_place(value):.1f}" width="2" height="{BAR[1]}" fill="{colour}"/>'


def _place(value: float) -> float:
    """Return where a value stands on the bar, in pixels."""
    low, high = SCALE
    inside = min(max(value, low), high)
    return BAR[0] * math.log(inside / low) / math.log(high / low)
