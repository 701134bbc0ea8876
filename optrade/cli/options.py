"""Options that several commands share: one name, one meaning, one help text."""

import inspect
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from optrade.limits import CAPITAL

if TYPE_CHECKING:
    from typer.core import Parameter

    from optrade.runtime import Runtime

VIEWS: Final = "views"

Ticker = Annotated[str, typer.Option("--ticker", help="One underlying, such as SPY.")]
Tickers = Annotated[
    str | None,
    typer.Option(
        "--tickers",
        help="Underlyings, separated by commas; by default those of the home, all for a new one.",
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        "--source", help="live, recorded or simulated; by default what the home already holds."
    ),
]
RecordedDir = Annotated[
    Path | None, typer.Option("--recorded-dir", help="Folder of vendor-shaped CSV files.")
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", min=0, help="Seed of the simulated market; by default the home's own, else 7."
    ),
]
SignalStrength = Annotated[
    float | None,
    typer.Option(
        "--signal-strength",
        help="True predictability planted in the simulated market, 0 for none; by default the "
        "home's own, else 0.",
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
    typer.Option(
        "--as-of",
        help="The clock: a session date, or a time with its zone; by default now, but a recorded "
        "or simulated home stands still at its last session.",
    ),
]
Period = Annotated[str, typer.Option("--period", help="Length of the training window: 5y, 24mo.")]
Start = Annotated[str | None, typer.Option("--start", help="First session, instead of --period.")]
End = Annotated[str | None, typer.Option("--end", help="Last session of the training window.")]
Views = Annotated[list[str] | None, typer.Option("--views", help="See `Command`.")]


def parse_capital(value: float | None) -> float | None:
    """Return a capital in USD; raises BadParameter where it is out of range."""
    try:
        return None if value is None else CAPITAL.check(value)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Capital = Annotated[
    float | None,
    typer.Option(
        "--capital",
        callback=parse_capital,
        help=f"USD that positions are sized by, {CAPITAL.least:,} to {CAPITAL.most:,}; by default "
        "OPTRADE_CAPITAL.",
    ),
]
RequireEdge = Annotated[
    bool,
    typer.Option(
        "--require-edge",
        help="Take no position whose expected value after costs is not above 0.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


class Command(TyperCommand):
    """A command that takes words and flags from the registries.

    Its help may name what can be trained: `{direction}`, `{regime}`, `{tasks}`. A parameter
    `views` becomes a flag for each view that a home may lack, such as `--sentiment`. The
    registries are read only where such a command runs or shows its help.
    """

    def get_params(self, ctx: typer.Context) -> "list[Parameter]":
        """Return the parameters; in the place of `views` a flag for each optional view."""
        params = super().get_params(ctx)
        at = next((n for n, param in enumerate(params) if param.name == VIEWS), None)
        return params if at is None else [*params[:at], *_view_flags(), *params[at + 1 :]]

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Read the arguments, the flags of views as the parameter `views`."""
        rest = super().parse_args(ctx, args)
        if any(param.name == VIEWS for param in self.params):
            flags = [flag.name for flag in _view_flags()]
            ctx.params[VIEWS] = [name for name in flags if name and ctx.params.pop(name, False)]
        return rest

    def get_help(self, ctx: typer.Context) -> str:
        """Return the help, its words filled in."""
        for option in self.params:
            if isinstance(option, TyperOption) and "{" in (option.help or ""):
                option.help = _filled(option.help or "")
        return super().get_help(ctx)


@cache
def _view_flags() -> "tuple[Parameter, ...]":
    """Return the flags as Typer makes them of a function that takes them."""
    from feature_repo.features.catalogue import FLAG_GROUPS

    def asks(**_: bool) -> None: ...

    asks.__annotations__ = {
        view: Annotated[
            bool,
            typer.Option(f"--{view}", help=f"Add the {view} view, and what it says with IV."),
        ]
        for view in FLAG_GROUPS
    }
    asks.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in asks.__annotations__.items()
    )
    flags = typer.Typer(add_completion=False)
    flags.command(add_help_option=False)(asks)
    return tuple(typer.main.get_command(flags).params)


class Group(TyperGroup):
    """Commands under one name, which alone shows their help."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Return what is left of the arguments; without any, show the help and end with 0."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)


def _filled(template: str) -> str:
    from training.models.catalogue import words
    from training.tasks.catalogue import REGISTERED, TASKS

    by_task = {task: _either([*reversed(words(task))]) for task in REGISTERED}
    return template.format(tasks=_either([*TASKS]), **by_task)


def _either(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def parse_ticker(text: str) -> str:
    """Return the one ticker that a text names.

    Raises
    ------
    InputError
        If it names none, several or an unknown one.
    """
    from market.errors import InputError

    names = parse_tickers(text, "--ticker")
    if len(names) > 1:
        raise InputError(
            f"--ticker: got {len(names)} underlyings ({', '.join(names)}), allowed is one; "
            "run the command once for each"
        )
    return names[0]


def chosen_tickers(run: "Runtime", text: str | None) -> list[str]:
    """Return the tickers of a comma-separated list, the home's own without one.

    Raises
    ------
    InputError
        As `parse_tickers`.
    """
    return run.tickers() if text is None else parse_tickers(text)


def parse_tickers(text: str, option: str = "--tickers") -> list[str]:
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
        raise InputError(f"{option}: got {text!r:.40}, allowed are {', '.join(UNDERLYINGS)}")
    return [underlying(name).ticker for name in names]
