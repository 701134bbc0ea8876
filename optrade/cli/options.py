"""Options that several commands share: one name, one meaning, one help text."""

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand, TyperOption

from market.underlyings import UNDERLYINGS

Ticker = Annotated[str, typer.Option("--ticker", help="One underlying, such as SPY.")]
Tickers = Annotated[str, typer.Option("--tickers", help="Underlyings, separated by commas.")]
EVERY_TICKER = ",".join(UNDERLYINGS)
Source = Annotated[str, typer.Option("--source", help="live, recorded or simulated.")]
RecordedDir = Annotated[
    Path | None, typer.Option("--recorded-dir", help="Folder of vendor-shaped CSV files.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the simulated market.")]
SignalStrength = Annotated[
    float,
    typer.Option(
        "--signal-strength",
        help="True predictability planted in the simulated market; 0 plants none.",
    ),
]
PlantLeak = Annotated[
    bool,
    typer.Option(
        "--plant-leak",
        help="Compute one feature of the simulated market with tomorrow's close, for audits.",
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="The clock: a session date, or a time with its zone."),
]
Period = Annotated[str, typer.Option("--period", help="Length of the training window: 5y, 18mo.")]
Start = Annotated[str | None, typer.Option("--start", help="First session, instead of --period.")]
End = Annotated[str | None, typer.Option("--end", help="Last session of the training window.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


class Command(TyperCommand):
    """A command whose help may name what can be trained: `{direction}`, `{regime}`, `{tasks}`.

    The words are those of the registries, which are read only where such a help is shown.
    """

    def get_help(self, ctx: typer.Context) -> str:
        """Return the help, its words filled in."""
        for option in self.params:
            if isinstance(option, TyperOption) and "{" in (option.help or ""):
                option.help = _filled(option.help or "")
        return super().get_help(ctx)


def _filled(template: str) -> str:
    from training.models.catalogue import words
    from training.tasks.catalogue import TASKS

    by_task = {task: _either([*reversed(words(task))]) for task in TASKS}
    return template.format(tasks=_either([*TASKS]), **by_task)


def _either(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}"


def parse_tickers(text: str) -> list[str]:
    """Return the tickers of a comma-separated list, each known, none twice.

    Raises
    ------
    InputError
        If the list is empty or names an unknown ticker.
    """
    from market.errors import InputError
    from market.underlyings import UNDERLYINGS, underlying

    names = list(dict.fromkeys(word.strip().upper() for word in text.split(",") if word.strip()))
    if not names:
        raise InputError(f"--tickers: got {text!r:.40}, allowed are {', '.join(UNDERLYINGS)}")
    return [underlying(name).ticker for name in names]
