"""`optrade doctor`: what is in order and what is not."""

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table

# The exit code of the worst finding.
EXIT = {"ok": 0, "warning": 0, "error": 1}


def doctor(as_json: options.AsJson = False) -> None:
    """Check python, disk, keys, data, Redis and models; uses no network, changes nothing."""
    from dataclasses import asdict

    from optrade.flows.doctor import examine
    from optrade.runtime import runtime

    findings = examine(runtime())
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        rows = [[finding.check, finding.level, finding.found] for finding in findings]
        print_table("doctor", ["check", "level", "found"], rows)
    raise typer.Exit(max(EXIT[finding.level] for finding in findings))


COMMANDS = {"doctor": doctor}
