"""The pages name what there is, and what they link to exists."""

import re
from pathlib import Path

import pytest

from optrade.cli import GROUPS, MODULES
from optrade.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target
