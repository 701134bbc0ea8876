"""`optrade doctor`: what is in order and what is not."""

from typing import Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table

# The exit code of the worst finding.
EXIT = {"ok": 0, "warning": 0, "error": 1}
Online = Annotated[
    bool, typer.Option("--online", help="Ask the vendors whether the keys are right.")
]


def doctor(online: Online = False, as_json: options.AsJson = False) -> None:
    """Check machine, packages, keys, data, stores and models; changes nothing."""
    from dataclasses import asdict

    from optrade.flows.doctor.examine import examine
    from optrade.runtime import runtime

    findings = examine(runtime(), online=online)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        rows = [[finding.check, finding.level, finding.found] for finding in findings]
        print_table("doctor", ["check", "level", "found"], rows)
    raise typer.Exit(max(EXIT[finding.level] for finding in findings))


COMMANDS = {"doctor": doctor}
