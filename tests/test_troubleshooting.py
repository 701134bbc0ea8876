"""The page of what is wrong names commands that there are."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "troubleshooting.md"
COMMANDS = sorted(set(re.findall(r"`optrade ([a-z -]+)`", PAGE.read_text("utf-8"))))


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_of_the_page_is_one(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    from optrade.cli import app

    app([*words.split(), "--help"], standalone_mode=False)
    assert "Usage" in capsys.readouterr().out
