"""The pages name what there is, say the numbers of the code, and what they link to exists."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from feature_repo.features.catalogue import GROUPS as VIEWS
from feature_repo.features.services import SERVICES
from home.records.chain import ChainView
from home.records.record import Record
from home.records.signal import Signal
from ingestion.gate.findings import CARRIED
from ingestion.gate.rules import row_rules
from ingestion.tables.catalogue import INDICES, OPTION_CHAINS
from market.calendar import decision_time, sessions
from market.iv_rank import BAND_CUTS, REGIME_CUTS
from market.options import costs, synthetic_smile
from market.targets import HORIZON, MOVE
from monitoring.drift import measure, null, quality
from optrade.cli import GROUPS, MODULES
from optrade.settings import Settings
from trading.ledger.tables import OUTCOMES, SIGNALS
from trading.strategies import plans, selector, sizing
from trading.structures import board, quote

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NULL_SHARE = next(
    one.null_share for one in OPTION_CHAINS.columns if one.name == "implied_volatility"
)
COMMANDS = [
    *(name for module in MODULES for name in module.COMMANDS),
    *(
        f"{group} {command.name or command.callback.__name__}"
        for group, app in GROUPS.items()
        for command in app.registered_commands
    ),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_described(command: str) -> None:
    assert f"`{command}`" in (ROOT / "docs" / "commands.md").read_text()


@pytest.mark.parametrize("name", [f.validation_alias for f in Settings.model_fields.values()])
def test_every_setting_is_described(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "configuration.md").read_text()


def text(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


def test_the_features_of_each_service_are_counted() -> None:
    told = {cells[0].strip("`"): cells[1] for cells in rows(text("commands"))}
    counts = {name: str(len(features)) for name, features in SERVICES.items()}
    assert {name: told.get(name) for name in counts} == counts
    base, beside = (set(SERVICES[name]) for name in ("direction", "volatility"))
    assert f"{len(base)} and {len(beside - base)} more are {len(base | beside)}" in text("commands")


@pytest.mark.parametrize(
    "words",
    [
        f"({measure.CURRENT_SESSIONS}, a quarter)",
        f"in {100 * null.LEVEL:.0f} of 100 windows",
        f"{null.RESAMPLES:,} block resamples",
        f"fewer than {quality.MIN_REFERENCE} values in the reference, or {quality.MIN_CURRENT} now",
    ],
)
def test_what_a_drift_report_means_is_that_of_the_code(words: str) -> None:
    assert words in " ".join(text("commands").split())


EXIT_1 = (
    "1 what was to be checked is not in order (`doctor` found an error, an `audit` a fault, "
    "`catalogue --check` a page that is out of date)"
)


@pytest.mark.parametrize("page", ["README.md", "docs/commands.md"])
def test_the_pages_agree_on_what_exit_code_1_is(page: str) -> None:
    assert EXIT_1 in " ".join((ROOT / page).read_text().split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_refers_to_a_decision_that_no_reader_has(page: Path) -> None:
    assert not re.findall(r"Decision [0-9]+", page.read_text())


def rows(page: str) -> list[list[str]]:
    """Return the cells of every line of a table."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize(
    "page",
    [
        "strategies",
        "labels",
        "ledger",
        "operation",
        "extending",
        "signal",
        "structure",
        "judge",
        "live",
    ],
)
def test_a_page_is_short_and_the_readme_leads_to_it(page: str) -> None:
    assert len(text(page).splitlines()) <= 150
    assert f"(docs/{page}.md)" in (ROOT / "README.md").read_text()


def test_the_strategies_are_those_of_the_matrix() -> None:
    told = {row[0]: row for row in rows(text("strategies"))}
    for strategy in selector.MATRIX:
        _, direction, regime, legs, size = told[strategy.name]
        assert direction == (strategy.direction or "unclear")
        assert regime == (strategy.iv_regime or "LOW or NORMAL")
        assert set(re.findall(r"[0-9]\.[0-9]+", legs)) == {f"{d:.2f}" for d in strategy.plan.deltas}
        assert size == strategy.limit


@pytest.mark.parametrize(
    "words",
    [
        f"IV confidence below {selector.MIN_IV_CONFIDENCE:.2f}, "
        f"or overall below {selector.MIN_OVERALL_CONFIDENCE:.2f}",
        f"direction confidence below {selector.MIN_DIRECTION_CONFIDENCE:.2f}, "
        f"or overall below {selector.MIN_DIRECTIONAL_OVERALL:.2f}",
        f"{sizing.DIRECTION_WEIGHT} of the first and {sizing.IV_WEIGHT} of the second",
        f"| {sizing.FULL_CONFIDENCE:.2f} or more | full |",
        f"{sizing.UNPROVEN_LIMIT} while either\nmodel has not beaten",
        "{} to {} days".format(*plans.EXPIRY_WINDOW_DAYS)
        + f", {plans.EXPIRY_TARGET_DAYS} aimed at",
        f"{100 * plans.MAX_LOSS:.0f} % of the portfolio",
        f"{100 * plans.PROFIT_TARGET:.0f} % of the maximum profit",
        f"moved {100 * plans.STOP_MOVE:.0f} % against",
    ],
)
def test_the_floors_sizes_and_plans_are_those_of_the_code(words: str) -> None:
    assert words in text("strategies")


@pytest.mark.parametrize(
    "words",
    [
        "nearest to {} days, of {} to {};".format(
            plans.EXPIRY_TARGET_DAYS, *plans.EXPIRY_WINDOW_DAYS
        ),
        f"within {board.DELTA_SLACK:.2f}",
        f"a price more than {100 * quote.APART:.0f} % from the close",
        f"by more than their spread and {100 * quote.CLOSE:.2f} %",
        "outside {} to {} times the form's own level".format(*synthetic_smile.ANCHORS),
        f"{costs.COMMISSION:.2f} USD a contract",
        f"{quote.PATHS:,} paths",
        f"{100 * plans.MAX_LOSS:.0f} % of it may be lost",
    ],
)
def test_how_a_position_is_priced_is_that_of_the_code(words: str) -> None:
    assert words in " ".join(text("options").split())


def test_the_labels_are_those_of_the_code() -> None:
    page = text("labels")
    assert HORIZON == 5
    assert "over the next five XNYS sessions" in page
    assert f"| above {100 * MOVE:.0f} % | UP |" in page
    assert f"| below -{100 * MOVE:.0f} % | DOWN |" in page
    for place, cuts in ((1, BAND_CUTS), (2, REGIME_CUTS)):
        told = [cells[place] for cells in rows(page) if len(cells) == 3 and cells[0].isupper()]
        # Each cut ends one class and begins the next.
        assert re.findall(r"[0-9]+", " ".join(told)) == [f"{cut:.0f}" for cut in cuts for _ in "to"]


def test_the_columns_of_an_outcome_are_told() -> None:
    page = text("ledger")
    for name in set(OUTCOMES.c.keys()) - set(SIGNALS.c.keys()):
        assert f"`{name}`" in page, name


def test_the_past_is_entered_session_by_session(capsys: pytest.CaptureFixture[str]) -> None:
    page = text("ledger")
    first = re.search(r"^ +optrade (run-daily .*--as-of) (\S+)$", page, re.MULTILINE)
    code = re.search(r"^ +days='(.+)'$", page, re.MULTILINE)[1]
    exec(code, {})  # noqa: S102 - what the page prints
    days = capsys.readouterr().out.split()
    assert f'do optrade {first[1]} "$day"' in page
    expected = sessions(first[2], days[-1])
    assert [first[2], *days] == [str(day.date()) for day in expected]
    assert page.index("export OPTRADE_HOME=") < page.index("optrade ingest")


def test_the_picture_counts_the_features_of_every_view() -> None:
    page = (ROOT / "README.md").read_text()
    found = re.findall(r"\b(\d+) ([a-z]+)\b", page[: page.index("## Two")])
    told = {name: int(count) for count, name in found}
    counts = {name: len(group.features) for name, group in VIEWS.items()}
    beside = sum(counts.pop(name) for name in ("iv_lags", "iv_path", "option_chain"))
    assert {**counts, "beside": beside}.items() <= told.items()


@pytest.mark.parametrize(
    "words", [CARRIED, f"at most {NULL_SHARE:.0%} null", "no value of 2025-10"]
)
def test_findings_of_a_simulated_market_are_told_as_they_are_printed(words: str) -> None:
    assert words in text("operation")


def test_the_reason_of_the_quarantine_is_told_as_it_is_printed() -> None:
    reason = next(
        rule.words for rule in row_rules(INDICES) if rule.words.startswith("high >= open")
    )
    for page in ("concepts", "troubleshooting"):
        assert f"`{reason}`" in text(page)


def records(kind: type[Record], path: str = "") -> Iterator[tuple[str, set[str]]]:
    """Yield where each record below a record stands, and the names of its fields."""
    yield path, set(kind.model_fields)
    for name, field in kind.model_fields.items():
        for part in _parts(field.annotation):
            if isinstance(part, type) and issubclass(part, Record):
                yield from records(part, f"{path}.{name}".lstrip("."))


def _parts(annotation: object) -> Iterator[object]:
    """Yield a type and those that it is made of, such as those of a list that may be none."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def fields_told(pages: str) -> dict[str, set[str]]:
    """Return the fields in the table of every section, by the records in its heading."""
    told: dict[str, set[str]] = {}
    for part in pages.split("\n## ")[1:]:
        heading, body = part.split("\n", 1)
        for path in re.findall(r"`([^`]+)`", heading) or [""]:
            told[path] = set(re.findall(r"^\| `([^`]+)` \|", body, re.MULTILINE))
    return told


def test_every_field_of_a_signal_is_told_and_no_other() -> None:
    assert fields_told(f"{text('signal')}\n{text('structure')}") == dict(records(Signal))


def test_every_field_of_a_chain_is_told_and_no_other() -> None:
    told = fields_told(text("chains"))
    assert {path: told.get(path) for path, _ in records(ChainView, "chain")} == dict(
        records(ChainView, "chain")
    )


CRON = re.findall(
    r"^    (\S+) (\S+) \* \* (\S+)  optrade run-daily   # (\S+)$", text("operation"), re.M
)


@pytest.mark.parametrize(("minute", "hours", "days", "zone"), CRON, ids=[line[3] for line in CRON])
def test_a_line_of_cron_runs_in_the_time_of_every_session(
    minute: str, hours: str, days: str, zone: str
) -> None:
    decided = decision_time(sessions("2016-01-04", "2026-11-27")).tz_convert(zone)
    first, last = (int(day) for day in days.split("-"))
    needed = set()
    for moment in decided:
        runs = {
            hour: run
            for hour in hours.split(",")
            if moment < (run := moment.replace(hour=int(hour), minute=int(minute)))
            and run < moment + timedelta(minutes=120)
        }
        assert runs, moment
        assert all(first <= run.isoweekday() <= last for run in runs.values()), moment
        needed |= set(runs) if len(runs) == 1 else set()
    assert needed == set(hours.split(","))


def test_the_zones_of_cron_are_several() -> None:
    assert [line[3] for line in CRON][:2] == ["America/New_York", "UTC"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target
