"""The page of all features, as text: from their declarations, and from what was measured of them.

Pure: reads no file and no clock.
"""

from collections.abc import Iterator
from typing import Final

from feature_repo.features.catalogue import GROUPS, ON_DEMAND, OPTIONAL_GROUPS, find
from feature_repo.features.declare import Feature, Group
from feature_repo.features.macro.group import DAILY, MONTHLY
from feature_repo.features.services import SERVICES
from ingestion.tables.catalogue import MACRO_SERIES
from ingestion.views.catalogue import VIEW_OF
from market.availability import SERIES, Series
from market.calendar import DECISION_DELAY
from optrade.flows.feature_page.measured import Measured, ViewMeasured

DASH: Final = "-"
COLUMNS: Final = (
    "feature", "formula", "unit", "lookback", "measured", "inputs known", "nulls", "safe",
    "services",
)  # fmt: skip
SERIES_OF: Final = {name: name for name in DAILY} | {
    array: series for series, arrays in MONTHLY.items() for array in arrays.values()
}
# A share that would be rounded to 0 % or, from the other end, to 100 %.
LEAST: Final = 0.00005
MINUTES: Final = int(DECISION_DELAY.total_seconds() // 60)

HEADER: Final = f"""# Features

Written by `optrade catalogue` from the declarations in `feature_repo/features`; change those, not
this page (`optrade catalogue --check` says whether it is up to date).

A value of a session is read at its decision time, {MINUTES} minutes after the close, and uses
nothing that became known later.

- **lookback**: sessions of loaded history, the session itself included, from which a value is
  known, as declared; **measured**: the shortest history that gave the value of the whole one, to
  a millionth, at the sessions probed. A dash is not measured.
- **inputs known**: the raw tables or FRED series below a feature, and when a row of them becomes
  known.
- **nulls**: share of null values on the data measured, the first sessions included.
- **safe**: *no* is a price-level column, which `--safe-features` leaves out.
- **services**: *direction\\** is every service whose name begins with `direction`.
"""


def page(measured: Measured) -> str:
    """Return the whole page, Markdown, with a line feed at the end."""
    parts = [HEADER, _summary(measured)]
    parts += [section(group, measured.views.get(group.name)) for group in _groups()]
    return "\n".join(parts)


def _groups() -> Iterator[Group]:
    yield from GROUPS.values()
    yield from ON_DEMAND.values()


def _summary(measured: Measured) -> str:
    lines = ["| view | features | rows are of | kept | measured on |", "|---|--:|---|---|---|"]
    for group in _groups():
        name = group.name
        cells = [f"[{name}](#{name})", str(len(group.features)), group.entity, _kept(name)]
        lines.append(_row([*cells, _span(measured.views.get(name), measured.origin)]))
    return "\n".join([*lines, ""])


def _kept(view: str) -> str:
    if view in ON_DEMAND:
        return "computed when read"
    return "stored, if the home has its tables" if view in OPTIONAL_GROUPS else "stored"


def _span(view: ViewMeasured | None, origin: str) -> str:
    if view is None:
        return DASH
    keys = ", ".join(view.keys)
    return f"{origin} data: {keys}, {view.rows:,} rows, {view.first} to {view.last}"


def section(group: Group, measured: ViewMeasured | None) -> str:
    """Return the heading and the table of one view, Markdown."""
    lines = [f"## {group.name}", "", _row(COLUMNS), "|---|---|---|--:|--:|---|--:|---|---|"]
    lines += [_row(cells(group, row, measured)) for row in group.features]
    return "\n".join([*lines, ""])


def cells(group: Group, row: Feature, measured: ViewMeasured | None) -> list[str]:
    """Return the cells of a feature's row, in the order of `COLUMNS`."""
    lookback = None if measured is None else measured.lookback.get(row.name)
    share = None if measured is None else measured.null_share.get(row.name)
    return [
        f"`{row.name}`",
        _escaped(row.formula),
        _escaped(row.unit),
        str(row.lookback),
        DASH if lookback is None else str(lookback),
        availability(group, row),
        percent(share),
        "yes" if row.safe else "**no**",
        services(group.name, row.name),
    ]


def percent(share: float | None) -> str:
    """Return a share of 0 to 1 in percent, in words; a dash where it is not measured."""
    if share is None:
        return DASH
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    if share < LEAST:
        return "< 0.01 %"
    return "> 99.99 %" if share > 1 - LEAST else f"{100 * share:.2f} %"


def services(view: str, name: str) -> str:
    """Return the services that hold a feature, in words."""
    held = [service for service, refs in SERVICES.items() if f"{view}:{name}" in refs]
    every = [service for service in SERVICES if service.startswith("direction")]
    if set(every) <= set(held):
        held = ["direction\\*", *(service for service in held if service not in every)]
    return ", ".join(held) or DASH


def availability(group: Group, row: Feature) -> str:
    """Return when the raw rows below a feature become known, each table or series named once."""
    inputs: dict[str, list[str]] = {}
    for name, words in sorted(known(group, row)):
        inputs.setdefault(words, []).append(name)
    return "; ".join(f"{', '.join(names)}: {words}" for words, names in inputs.items())


def known(group: Group, row: Feature) -> set[tuple[str, str]]:
    """Return the raw tables or series below a feature, each with when it becomes known."""
    found: set[tuple[str, str]] = set()
    for name in sources(group, row):
        raw = raw_input(group, name)
        found |= known(*find(name)) if raw is None else {raw}
    return found


def sources(group: Group, row: Feature) -> set[str]:
    """Return the sources of a group that a feature is computed from, through shared terms too."""
    rows = {one.name: one for one in (*group.terms, *group.features)}
    found, open_names = set(), list(row.inputs)
    while open_names:
        name = open_names.pop()
        if name in group.sources:
            found.add(name)
        else:
            open_names.extend(rows[name].inputs)
    return found


def raw_input(group: Group, source: str) -> tuple[str, str] | None:
    """Return the table or series that a source is read from, and when; None for a feature."""
    inputs = VIEW_OF[group.name].inputs if group.name in VIEW_OF else ()
    table = next((part.table for part in inputs if source in part.arrays), None)
    if table is MACRO_SERIES:
        series = SERIES_OF[source]
        return series, series_known(SERIES[series])
    return None if table is None else (table.name, table.known)


def series_known(series: Series) -> str:
    """Return when a value of a FRED series becomes known, in words."""
    if series.day is None:
        lag = f"at {series.hour}:00 New York on the next federal business day"
    else:
        lag = f"at {series.hour}:00 New York on day {series.day} of the following month, or later"
        lag += " where the release was"
        if series.releases_from is not None:
            lag += f" (observed before {series.releases_from}: one month more)"
    return MACRO_SERIES.known.replace("market.availability", lag)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def _row(values: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(values)} |"
